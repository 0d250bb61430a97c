// A consumer of events that is stopped in the middle of its work, and goes on where it was.
//
// usage: event_cursor DATA_DIR
#include <concord/concord.hpp>
#include <concord/recipes/event_cursor.hpp>

#include <chrono>
#include <iostream>

namespace {

using namespace std::chrono_literals;

/// Bills `most` orders, and no more than there are.
concord::Result<> bill(concord::Store& store, int most) {
  auto orders = concord::EventCursor::open(store, "billing", {.prefix = "orders/"});
  if (!orders) return std::unexpected(orders.error());
  for (int billed = 0; billed < most; ++billed) {
    const auto event = orders->next(200ms);
    if (!event) return std::unexpected(event.error());
    if (!*event) return {};
    std::cout << "billed " << (*event)->key() << '\n';
    const auto kept = orders->acknowledge(**event);
    if (!kept) return kept;
  }
  return {};
}

concord::Result<> run(concord::Node& node) {
  if (auto done = bill(node, 0); !done) return done;  // from here on
  for (const char* order : {"orders/1", "orders/2", "orders/3"}) {
    if (auto put = node.put(order, "a book"); !put) return std::unexpected(put.error());
  }
  if (auto done = bill(node, 2); !done) return done;
  std::cout << "stopped\n";
  return bill(node, 100);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: event_cursor DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : concord::Result<>(std::unexpected(node.error()));
  if (done) return 0;
  std::cerr << done.error().message() << '\n';
  return 1;
}
