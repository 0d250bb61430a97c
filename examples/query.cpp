// Queries: keys by prefix, suffix, part, pattern and range; values by filters; pages, counts, and deleting what matches.
//
// usage: query DATA_DIR
#include <concord/concord.hpp>

#include <boost/describe.hpp>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

struct User {
  int age = 0;
  std::string role;
};
BOOST_DESCRIBE_STRUCT(User, (), (age, role))

struct Product {
  int price = 0;
};
BOOST_DESCRIBE_STRUCT(Product, (), (price))

concord::Result<> fill(concord::Node& node) {
  const auto filled = node.put_many({{"user:1", User{.age = 25, .role = "guest"}},
                                     {"user:2", User{.age = 41, .role = "admin"}},
                                     {"user:100", User{.age = 33, .role = "guest"}},
                                     {"user:150:admin", User{.age = 30, .role = "admin"}},
                                     {"product:1", Product{.price = 80}},
                                     {"product:2", Product{.price = 150}},
                                     {"product:3", Product{.price = 199}},
                                     {"order:2024-02-03", "a"},
                                     {"order:2024-12-31", "b"},
                                     {"order:2025-01-01", "c"},
                                     {"temp:1", 1},
                                     {"temp:2", 2},
                                     {"old:2020-05-05", 1}});
  if (!filled) return std::unexpected(filled.error());
  return {};
}

/// Prints keys, or an error.
void show(const char* title, const concord::Result<concord::Rows<std::string>>& keys) {
  std::cout << title << ':';
  if (!keys) {
    std::cout << ' ' << keys.error().message() << '\n';
    return;
  }
  for (const std::string& key : *keys) std::cout << ' ' << key;
  std::cout << '\n';
}

void show(const char* title, const concord::Result<concord::Rows<concord::Item>>& items) {
  std::cout << title << ':';
  if (!items) {
    std::cout << ' ' << items.error().message() << '\n';
    return;
  }
  for (const concord::Item& item : *items) std::cout << ' ' << item.key << '=' << item.entry.value.json_text();
  std::cout << '\n';
}

void show(const char* title, const concord::Result<std::uint64_t>& count) {
  std::cout << title << ": " << (count ? std::to_string(*count) : count.error().message()) << '\n';
}

void by_key(concord::Node& node) {
  show("prefix", node.keys({.prefix = "user:"}));
  show("suffix", node.keys({.suffix = ":admin"}));
  show("contains", node.keys({.contains = "2024-02"}));
  show("pattern", node.keys({.pattern = R"(user:\d{3})"}));
  show("range", node.keys({.range = {{"user:100", "user:2"}}}));
  show("dates", node.keys({.range = {{"order:2024-01-01", "order:2024-12-31"}}}));
  show("combined", node.keys({.prefix = "user:", .pattern = R"(\d{3})", .limit = 10}));
}

void by_value(concord::Node& node) {
  // A filter document: the store looks at the values itself.
  show("over 100", node.where({.prefix = "product:", .filter = concord::Filter(R"({"price": {"$gt": 100}})")}));
  // A C++ predicate: runs here, on each value that has its type.
  show("old admins", node.where({.prefix = "user:",
                                 .filter = [](const User& user) { return user.age >= 30 && user.role == "admin"; }}));
}

concord::Result<> by_parts(concord::Node& node) {
  show("first two", node.keys({.prefix = "user:", .limit = 2}));
  show("next two", node.keys({.prefix = "user:", .limit = 2, .offset = 2}));
  // Pages: a cursor stays valid while data changes, and costs nothing to keep.
  concord::PageOptions options{.size = 3};
  int pages = 0;
  do {
    const auto page = node.keys_page({.prefix = "user:"}, options);
    if (!page) return std::unexpected(page.error());
    options.cursor = page->next_cursor;
    ++pages;
  } while (options.cursor);
  std::cout << "pages: " << pages << '\n';
  // One by one, without holding them all.
  int sum = 0;
  const auto scanned = node.scan({.prefix = "product:"}, [&](const concord::Item& item) {
    if (const auto product = item.entry.value.as<Product>()) sum += product->price;
    return true;  // go on
  });
  if (!scanned) return scanned;
  std::cout << "sum of prices: " << sum << '\n';
  return {};
}

concord::Result<> run(concord::Node& node) {
  if (auto done = fill(node); !done) return done;
  by_key(node);
  by_value(node);
  if (auto done = by_parts(node); !done) return done;
  show("count", node.count({.prefix = "temp:"}));
  show("deleted", node.delete_where({.prefix = "temp:"}));
  show("deleted", node.delete_where({.range = {{"old:2020-01-01", "old:2020-12-31"}}}));
  show("count", node.count({.prefix = "temp:"}));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: query DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
