// A counter: many threads count, and no count is lost.
//
// usage: atomic_counter DATA_DIR
#include <concord/concord.hpp>
#include <concord/recipes/counter.hpp>

#include <cstdint>
#include <iostream>
#include <limits>
#include <thread>
#include <vector>

namespace {

void count_visits(concord::Store& store) {
  concord::Counter visits(store, "visits");
  for (int i = 0; i < 25; ++i) {
    const auto sum = visits.add();
    // An error that says maybe_committed() leaves open whether this one was counted; all others say that it was not.
    if (!sum) std::cerr << sum.error().message() << '\n';
  }
}

concord::Result<> run(concord::Node& node) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(count_visits, std::ref(node));
  for (std::thread& thread : threads) thread.join();

  concord::Counter visits(node, "visits");
  const auto seen = visits.reset();  // gives what was counted, and begins anew
  if (!seen) return std::unexpected(seen.error());
  std::cout << "visits: " << *seen << '\n';

  concord::Counter places(node, "places", {.initial = 30});
  const auto left = places.add(-2);
  if (!left) return std::unexpected(left.error());
  std::cout << "places left: " << *left << '\n';

  if (const auto overflow = places.add(std::numeric_limits<std::int64_t>::max()); !overflow) {
    std::cout << "refused: " << overflow.error().message() << '\n';
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: atomic_counter DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open({.data_dir = argv[1]});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
