import java.net.URL;
import java.net.URLClassLoader;

/**
 * Classes and code that are freed and replaced, in their places, by others of the same shape: classes that differ by name only, loaded
 * and forgotten one after the other. Whoever calls them tells which of them runs. Until standard input ends.
 */
public class Generations {
  static final long RUN_NS = 150_000_000;
  /** Longer than a sample waits until it is unwound: it is while what it ran is still there. */
  static final long REST_MS = 300;
  static volatile long sink;

  public interface Generation { long outer(long x); }
  public static class First implements Generation {
    public long outer(long x) { return inner(x) + 1; }
    static long inner(long x) { return spin(x) + 1; }
  }
  public static class Other implements Generation {
    public long outer(long x) { return inner(x) + 1; }
    static long inner(long x) { return spin(x) + 1; }
  }
  public static class Third implements Generation {
    public long outer(long x) { return inner(x) + 1; }
    static long inner(long x) { return spin(x) + 1; }
  }
  public static class Later implements Generation {
    public long outer(long x) { return inner(x) + 1; }
    static long inner(long x) { return spin(x) + 1; }
  }

  /** It stays. */
  public static long spin(long x) { for (int i = 0; i < 10_000; i++) x = x * 6364136223846793005L + i; return x; }

  static void first() throws Exception { run(load("First")); }
  static void other() throws Exception { run(load("Other")); }
  static void third() throws Exception { run(load("Third")); }
  static void later() throws Exception { run(load("Later")); }
  static void run(Generation generation) {
    for (long end = System.nanoTime() + RUN_NS; System.nanoTime() < end; ) sink += generation.outer(end);
  }

  /** Has classes of its own, of those that are named like this. */
  static class Loader extends URLClassLoader {
    final String own;
    Loader(URL[] path, String own) { super(path, Generations.class.getClassLoader()); this.own = own; }
    @Override protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      return name.equals(own) ? findClass(name) : super.loadClass(name, resolve);
    }
  }

  static Generation load(String name) throws Exception {
    String own = "Generations$" + name;
    URL[] path = {Generations.class.getProtectionDomain().getCodeSource().getLocation()};
    return (Generation) new Loader(path, own).loadClass(own, true).getDeclaredConstructor().newInstance();
  }

  interface Part { void run() throws Exception; }
  static final Part[] PARTS = {Generations::first, Generations::other, Generations::third, Generations::later};

  static void replace() throws Exception {
    for (int i = 0; ; i++) {
      PARTS[i % PARTS.length].run();
      Thread.sleep(REST_MS);
      System.gc();
    }
  }

  public static void main(String[] none) throws Exception {
    Thread thread = new Thread(() -> { try { replace(); } catch (Exception e) { e.printStackTrace(); } });
    thread.setDaemon(true);
    thread.start();
    System.out.println("running");
    while (System.in.read() >= 0) { }
  }
}
