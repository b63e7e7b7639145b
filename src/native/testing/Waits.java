import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** Threads that wait, each for something else, until standard input ends. Each wait has a function of its own. */
public class Waits {
  static final Object monitor = new Object();
  static final Object signal = new Object();
  static final ReentrantLock lock = new ReentrantLock();

  static void inSleep() throws Exception { Thread.sleep(30); }
  static void inPark() { LockSupport.parkNanos(30_000_000); }
  static void inWait() throws Exception { synchronized (signal) { signal.wait(30); } }
  /** Two threads hold it in turn: while one sleeps in it, the other waits to enter. */
  static void inMonitor() throws Exception { synchronized (monitor) { holdMonitor(); } }
  static void holdMonitor() throws Exception { Thread.sleep(40); }
  static void inLock() throws Exception {
    lock.lock();
    try { holdLock(); } finally { lock.unlock(); }
  }
  static void holdLock() throws Exception { Thread.sleep(40); }
  static void inSocket(Socket socket) throws Exception { socket.getInputStream().read(); }
  static void inFile(RandomAccessFile file, byte[] bytes) throws Exception {
    file.seek(0);
    file.write(bytes);
    file.getFD().sync();
  }

  static void sockets() throws Exception {
    ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
    Socket served = server.accept();
    start("answers", () -> { Thread.sleep(30); served.getOutputStream().write(1); });
    start("reads", () -> inSocket(client));
  }

  static void files() throws Exception {
    RandomAccessFile file = new RandomAccessFile(System.getProperty("waits.file"), "rw");
    byte[] bytes = new byte[4 << 20];
    start("writes", () -> inFile(file, bytes));
  }

  interface Step { void run() throws Exception; }
  static void start(String name, Step step) {
    Thread thread = new Thread(() -> {
      try { for (;;) step.run(); } catch (Exception e) { e.printStackTrace(); }
    }, name);
    thread.setDaemon(true);
    thread.start();
  }

  public static void main(String[] args) throws Exception {
    start("sleeps", Waits::inSleep);
    start("parks", Waits::inPark);
    start("waits", Waits::inWait);
    for (int i = 0; i < 2; i++) {
      start("enters", Waits::inMonitor);
      start("locks", Waits::inLock);
    }
    for (int i = 0; i < Integer.getInteger("waits.sleepers", 0); i++) start("sleeps", Waits::inSleep);
    sockets();
    if (System.getProperty("waits.file") != null) files();
    ExecutorService pool = Executors.newFixedThreadPool(4, task -> {
      Thread thread = new Thread(task, "idles");
      thread.setDaemon(true);
      return thread;
    });
    start("feeds", () -> { Thread.sleep(300); for (int i = 0; i < 4; i++) pool.submit(() -> { }); });
    System.out.println("running");
    while (System.in.read() >= 0) { }
  }
}
