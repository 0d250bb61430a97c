// A million items of 100 bytes, put one after the other: for a heap profiler, and to compare allocators (LD_PRELOAD).
//
// usage: items_bench ITEMS
//
// Prints one JSON object: {"put_per_second","get_per_second","counted_bytes","resident_bytes"}: what the store counts for an item, and
// what the process grew by for it, both without key and value. No events are kept and no snapshot is taken, so that
// what is measured are items.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <concord/concord.hpp>

#include "key.hpp"
#include "node.hpp"
#include "process_memory.hpp"

namespace {

using bench::die;
using bench::Key;
using concord::Bytes;
using std::chrono::steady_clock;

constexpr std::size_t value_bytes = 100;

double per_second(std::uint64_t count, steady_clock::time_point begin) {
  return static_cast<double>(count) / std::chrono::duration<double>(steady_clock::now() - begin).count();
}

void measure(std::uint64_t items) {
  const bench::Scratch scratch;
  concord::Options options = bench::options_for(scratch, concord::Durability::memory);
  options.event_stream.enabled = false;
  options.snapshot = {.every_entries = ~std::uint64_t{0} >> 1U, .every_bytes = ~std::uint64_t{0} >> 1U};
  concord::Node node = bench::open(options);
  const std::string value = bench::random_bytes(value_bytes);
  const std::uint64_t resident_before = bench::resident_bytes();
  auto begin = steady_clock::now();
  for (std::uint64_t at = 0; at < items; ++at) {
    if (!node.put(Key(at), Bytes(value))) die("put failed");
  }
  const double puts = per_second(items, begin);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));  // what was written is let go
  const auto an_item = [&](std::uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(items) -
           static_cast<double>(Key(0).view().size() + value_bytes);
  };
  const double resident = an_item(bench::resident_bytes() - resident_before);
  const double counted = an_item(node.status()->storage.memory_bytes);
  bench::RandomOrder order(items, 1);
  begin = steady_clock::now();
  for (std::uint64_t at = 0; at < items; ++at) {
    if (!node.get(Key(order.next()))) die("get failed");
  }
  std::printf("{\"put_per_second\":%.0f,\"get_per_second\":%.0f,\"counted_bytes\":%.1f,\"resident_bytes\":%.1f}\n",
              puts, per_second(items, begin), counted, resident);
}

}  // namespace

int main(int count, char** words) {
  const std::uint64_t items = count == 2 ? std::strtoull(words[1], nullptr, 10) : 0;
  if (items == 0) die("usage: items_bench ITEMS");
  measure(items);
}
