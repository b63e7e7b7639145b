import java.util.HashMap;
import java.util.Map;

/** Small methods that C2 inlines into one another, in loops without a safepoint; they begin when the JVM is three seconds old. */
public class LateLoops {
  static volatile long sink;
  static long inner(long x) { return (x ^ (x << 13)) * 0x9E3779B97F4A7C15L; }
  static long middle(long x) { long s = 0; for (int i = 0; i < 200; i++) s += inner(x + i); return s; }
  static long outer(long x) { return middle(x) + middle(x + 1); }
  record Order(String id, int cents) { long tax() { return Math.round(cents * 0.19); } }
  static String key(int i) { return "order-" + (i % 5000); }
  static long price(Map<String, Order> orders, int from) {
    long sum = 0;
    for (int i = 0; i < 200; i++) {
      Order order = orders.computeIfAbsent(key(from + i), id -> new Order(id, id.length() * 100));
      sum += order.cents() + order.tax();
    }
    return sum;
  }
  public static void main(String[] args) throws Exception {
    Thread.sleep(3000);
    System.out.println("running");
    Map<String, Order> orders = new HashMap<>();
    for (int i = 0;; i++) {
      for (int k = 0; k < 20; k++) sink += outer(i + k);
      sink += price(orders, i);
    }
  }
}
