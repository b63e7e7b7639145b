package shop;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import jakarta.persistence.CascadeType;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.Id;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.config.EnableJpaRepositories;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Orders over Spring MVC, Spring Data, Hibernate and H2: about as deep as stacks of services get. */
@SpringBootApplication
@EnableJpaRepositories(considerNestedRepositories = true)
public class DeepService {
  static final int ORDERS = 300;
  static final int LINES = 4;
  static final int CATEGORIES = 6; // each in the one before, and loaded by the one behind

  @Entity
  @JsonIgnoreProperties({"hibernateLazyInitializer", "handler"})
  public static class Category {
    @Id Long id;
    @ManyToOne(fetch = FetchType.LAZY) Category parent;
    public Long getId() { return id; }
    public Category getParent() { return parent; }
  }

  @Entity
  @JsonIgnoreProperties({"hibernateLazyInitializer", "handler"})
  public static class Line {
    @Id Long id;
    int cents;
    @ManyToOne(fetch = FetchType.LAZY) Category category;
    public int getCents() { return cents; }
    public Category getCategory() { return category; }
  }

  @Entity
  @Table(name = "orders") // ORDER is a word of SQL
  public static class Order {
    @Id Long id;
    @OneToMany(fetch = FetchType.LAZY, cascade = CascadeType.ALL) List<Line> lines = new ArrayList<>();
    public Long getId() { return id; }
    public List<Line> getLines() { return lines; }
  }

  interface Orders extends JpaRepository<Order, Long> {}

  interface Categories extends JpaRepository<Category, Long> {}

  @Service
  static class Stock {
    final Orders orders;
    Stock(Orders orders) { this.orders = orders; }
    @Transactional
    public Optional<Order> find(long id) { return orders.findById(id % ORDERS); }
  }

  @RestController
  static class Shop {
    final Stock stock;
    Shop(Stock stock) { this.stock = stock; }
    @GetMapping("/orders/{id}")
    public Order order(@PathVariable("id") long id) { return stock.find(id).orElseThrow(); }
  }

  public static void main(String[] arguments) {
    var context = SpringApplication.run(DeepService.class, arguments);
    fill(context.getBean(Categories.class), context.getBean(Orders.class));
    System.out.println("running");
  }

  static void fill(Categories categories, Orders orders) {
    Category deepest = null;
    for (long id = 0; id < CATEGORIES; id++) {
      var category = new Category();
      category.id = id;
      category.parent = deepest;
      deepest = categories.save(category);
    }
    for (long id = 0; id < ORDERS; id++) {
      var order = new Order();
      order.id = id;
      for (int i = 0; i < LINES; i++) {
        var line = new Line();
        line.id = id * LINES + i;
        line.cents = 100 * i;
        line.category = deepest;
        order.lines.add(line);
      }
      orders.save(order);
    }
  }
}
