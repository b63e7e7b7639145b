import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A thread that syncs a file after every few bytes, and one that only reads and writes, until standard input ends. */
public class Journal {
  static final ByteBuffer line = ByteBuffer.allocateDirect(64);

  static void append(FileChannel file) throws Exception {
    line.clear();
    file.write(line, 0);
    file.force(false);
  }

  static void copy(RandomAccessFile file, byte[] bytes) throws Exception {
    file.seek(0);
    file.write(bytes);
    file.seek(0);
    file.readFully(bytes);
  }

  interface Step { void run() throws Exception; }
  static void start(String name, Step step) {
    Thread thread = new Thread(() -> {
      try { for (;;) { step.run(); Thread.sleep(2); } } catch (Exception e) { e.printStackTrace(); }
    }, name);
    thread.setDaemon(true);
    thread.start();
  }

  public static void main(String[] args) throws Exception {
    String directory = System.getProperty("journal.directory");
    FileChannel journal = FileChannel.open(Path.of(directory, "journal"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    RandomAccessFile scratch = new RandomAccessFile(directory + "/scratch", "rw");
    byte[] bytes = new byte[1024];
    start("journal", () -> append(journal));
    start("copies", () -> copy(scratch, bytes));
    System.out.println("running");
    while (System.in.read() >= 0) { }
  }
}
