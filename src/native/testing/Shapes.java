import java.io.RandomAccessFile;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.Deflater;

/** Stacks of known shape: one thread for each word of the command line, until standard input ends. */
public class Shapes {
  static volatile long sink;

  static long inner(long x) { return (x ^ (x << 13)) * 0x9E3779B97F4A7C15L; }
  static long middle(long x) { long s = 0; for (int i = 0; i < 200; i++) s += inner(x + i); return s; }
  static long outer(long x) { return middle(x) + middle(x + 1); }
  static void inlined() { for (long i = 0; ; i++) sink += outer(i); }

  /** n + 1 frames of itself. */
  static long deep(int n, long x) { return n == 0 ? spin(x) : deep(n - 1, x) + 1; }
  static long spin(long x) { for (int i = 0; i < 200_000; i++) x = x * 6364136223846793005L + i; return x; }
  static void recursive() { for (long i = 0; ; i++) sink += deep(40, i); }

  /** Deeper than the largest copy. */
  static void bottomless() { for (long i = 0; ; i++) sink += deep(20_000, i); }

  record Order(String id, int cents) { long tax() { return Math.round(cents * 0.19); } }
  static long price(Map<String, Order> orders, int from) {
    long total = 0;
    for (int i = 0; i < 200; i++) {
      Order order = orders.computeIfAbsent("order-" + (from + i) % 5000, id -> new Order(id, id.length() * 100));
      total += order.cents() + order.tax();
    }
    return total;
  }
  static long report(Map<String, Order> orders) {
    return orders.values().stream().mapToLong(Order::tax).sum() + new TreeMap<>(orders).firstKey().length();
  }
  static void collections() {
    Map<String, Order> orders = new HashMap<>();
    for (int i = 0; ; i++) {
      sink += price(orders, i);
      if (i % 500 == 0) sink += report(orders);
    }
  }

  /** Most of its time is in libz, below a native method. */
  static long compress(byte[] in, byte[] out) {
    Deflater deflater = new Deflater();
    deflater.setInput(in);
    deflater.finish();
    long length = deflater.deflate(out);
    deflater.end();
    return length;
  }
  static void natives() throws Exception {
    byte[] in = new byte[64 << 10];
    for (int i = 0; i < in.length; i++) in[i] = (byte) inner(i);
    for (byte[] out = new byte[128 << 10]; ; ) sink += compress(in, out);
  }

  /** Most of its time is in the kernel. */
  static void systemCalls() throws Exception {
    byte[] bytes = new byte[1 << 20];
    try (RandomAccessFile file = new RandomAccessFile("/dev/zero", "r")) {
      for (;;) sink += file.read(bytes);
    }
  }

  /** Below native code of which nothing tells how to leave it (blind_library.c). */
  static native long blind(long x);
  static native long blindCall(long x);
  static long calledBack(long x) { return spin(x); }
  static void blindly() {
    System.load(System.getProperty("blind.library"));
    for (long i = 0; ; i++) sink += blind(i) + blindCall(i);
  }

  /** Virtual threads that come back from a pause, so that their callers are still in the heap. */
  static long leaf(long x) { LockSupport.parkNanos(100_000); return spin(x); }
  static long caller(long x) { return leaf(x) + 1; }
  static void virtuals() throws Exception {
    Method start = Thread.class.getMethod("startVirtualThread", Runnable.class);
    for (int i = 0; i < 4; i++) {
      start.invoke(null, (Runnable) () -> { for (long n = 0; ; n++) sink += caller(n); });
    }
  }

  /** Waits for ever: in the interpreter, and in compiled code with methods inlined into one another. */
  static int parked(int depth) { if (depth == 0) LockSupport.park(); return depth == 0 ? 0 : parked(depth - 1) + 1; }
  static long pause(long nanos) { LockSupport.parkNanos(nanos); return nanos; }
  static long waiting(int depth, long nanos) { return depth == 0 ? pause(nanos) : waiting(depth - 1, nanos) + 1; }
  static void waitWarm() {
    for (int i = 0; i < 15_000; i++) sink += waiting(5, 1);
    waiting(5, Long.MAX_VALUE);
  }

  interface Work { void run() throws Exception; }
  static Work workOf(String name) {
    switch (name) {
      case "inlined": return Shapes::inlined;
      case "recursive": return Shapes::recursive;
      case "bottomless": return Shapes::bottomless;
      case "collections": return Shapes::collections;
      case "natives": return Shapes::natives;
      case "systemCalls": return Shapes::systemCalls;
      case "blindly": return Shapes::blindly;
      case "virtuals": return Shapes::virtuals;
      case "parked": return () -> parked(20);
      case "waiting": return Shapes::waitWarm;
      default: throw new IllegalArgumentException(name);
    }
  }

  public static void main(String[] names) throws Exception {
    for (String name : names) {
      Work work = workOf(name);
      Runnable run = () -> { try { work.run(); } catch (Exception e) { e.printStackTrace(); } };
      Thread thread = new Thread(null, run, name, 16 << 20); // bytes of stack, for the deepest
      thread.setDaemon(true);
      thread.start();
    }
    System.out.println("running");
    while (System.in.read() >= 0) { }
  }
}
