// Conditional writes: they happen only if the key is as expected, and the error tells why not.
//
// usage: conditional DATA_DIR
#include <concord/concord.hpp>

#include <boost/describe.hpp>
#include <chrono>
#include <iostream>
#include <thread>

namespace {

using namespace std::chrono_literals;

struct Config {
  int version = 0;
  bool enabled = false;
};
BOOST_DESCRIBE_STRUCT(Config, (), (version, enabled))

struct Product {
  int price = 0;
  int discount = 0;
};
BOOST_DESCRIBE_STRUCT(Product, (), (price, discount))

void show(const char* title, const concord::Result<concord::Revision>& done) {
  std::cout << title << ": " << (done ? "done" : concord::error_name(done.error().code())) << '\n';
}

/// Compare and swap by the value that is expected.
concord::Result<> by_expected_value(concord::Node& node) {
  if (const auto put = node.put("counter", 0); !put) return std::unexpected(put.error());
  const auto current = node.get<int>("counter");
  if (!current) return std::unexpected(current.error());
  show("counter 0 -> 1", node.put_if("counter", *current + 1, {.expected = *current}));
  show("counter 0 -> 1 again", node.put_if("counter", *current + 1, {.expected = *current}));
  show("missing", node.put_if("nothing", 1, {.expected = 0}));

  if (const auto put = node.put("session", "user-123"); !put) return std::unexpected(put.error());
  show("another's session", node.delete_if("session", {.expected = "user-456"}));
  show("own session", node.delete_if("session", {.expected = "user-123"}));
  return {};
}

/// By what the value is like: a C++ predicate, or a filter document that the store evaluates.
concord::Result<> by_predicate(concord::Node& node) {
  const auto put =
      node.put_many({{"config", Config{.version = 1, .enabled = true}}, {"product", Product{.price = 100}}});
  if (!put) return std::unexpected(put.error());
  const Config next{.version = 2, .enabled = false};
  const auto is_older = [&](const Config& current) { return current.version < next.version; };
  show("version 2", node.put_if("config", next, {.condition = is_older}));
  show("version 2 again", node.put_if("config", next, {.condition = is_older}));
  const concord::Filter is_dear(R"({"price": {"$gte": 90}})");
  show("cheaper", node.put_if("product", Product{.price = 80, .discount = 20}, {.condition = is_dear}));
  show("cheaper again", node.put_if("product", Product{.price = 60, .discount = 40}, {.condition = is_dear}));
  return {};
}

/// By revision: whatever was changed since, even to the same value, is noticed.
concord::Result<> by_revision(concord::Node& node) {
  const auto entry = node.get_entry("config");
  if (!entry) return std::unexpected(entry.error());
  show("unchanged", node.put_if("config", entry->value, {.revision = entry->revision}));
  show("changed since", node.put_if("config", entry->value, {.revision = entry->revision}));
  show("taken name", node.create("config", 1));
  show("no condition", node.put_if("config", 1, {}));
  show("two conditions", node.put_if("config", 1, {.expected = 1, .exists = true}));
  return {};
}

/// A key that has expired is missing, for conditions too.
concord::Result<> after_expiry(concord::Node& node) {
  if (const auto put = node.put("temp", "value", {.ttl = 1s}); !put) return std::unexpected(put.error());
  while (node.get("temp")) std::this_thread::sleep_for(10ms);
  show("expired put_if", node.put_if("temp", "new", {.expected = "value"}));
  show("expired delete_if", node.delete_if("temp", {.expected = "value"}));
  return {};
}

concord::Result<> run(concord::Node& node) {
  if (auto done = by_expected_value(node); !done) return done;
  if (auto done = by_predicate(node); !done) return done;
  if (auto done = by_revision(node); !done) return done;
  // Reading, changing and writing back in one call, again if somebody came in between:
  const auto updated = node.update("counter", [](int count) { return count + 1; });
  if (!updated) return std::unexpected(updated.error());
  std::cout << "counter: " << updated->value.json_text() << '\n';
  return after_expiry(node);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: conditional DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
