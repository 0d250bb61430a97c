// The embedded table of targets: one node, one calling thread unless the name says otherwise, next to the machine's own limits
// and to RocksDB and LMDB where they are installed. What a name says is checked: revisions are counted, values looked at.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <concord/concord.hpp>

#include "key.hpp"
#include "node.hpp"

namespace {

using bench::die;
using bench::fill;
using bench::Key;
using bench::open;
using bench::options_for;
using bench::random_bytes;
using bench::RandomOrder;
using bench::revision_of;
using bench::Scratch;
using concord::Bytes;
using concord::Durability;
using concord::Node;
using concord::Options;
using std::chrono::steady_clock;

/// Percentiles of the calls themselves, taken in a second pass so that the clock does not count in the mean.
void report_percentiles(benchmark::State& state, std::vector<double>& microseconds) {
  if (microseconds.empty()) return;
  std::ranges::sort(microseconds);
  const auto at = [&](double part) {
    return microseconds[static_cast<std::size_t>(part * static_cast<double>(microseconds.size() - 1))];
  };
  state.counters["p50_us"] = at(0.5);
  state.counters["p99_us"] = at(0.99);
  state.counters["max_us"] = at(1.0);
}

void put(benchmark::State& state, Durability durability, std::size_t value_size, concord::PutOptions options) {
  const Scratch scratch;
  Node node = open(options_for(scratch, durability));
  const std::string value = random_bytes(value_size);
  const std::uint64_t before = revision_of(node);
  std::uint64_t count = 0;
  for (auto _ : state) {
    if (!node.put(Key(count++ % 5000), Bytes(value), options)) die("put failed");
  }
  if (revision_of(node) != before + count) die("a put was not counted");
  // Of small values only: 200'000 large ones would be gigabytes of log.
  const int timed = value_size > 100 ? 0 : durability == Durability::disk ? 2000 : 200'000;
  std::vector<double> microseconds;
  for (int i = 0; i < timed; ++i) {
    const auto start = steady_clock::now();
    if (!node.put(Key(static_cast<std::uint64_t>(i) % 5000), Bytes(value), options)) die("put failed");
    microseconds.push_back(std::chrono::duration<double, std::micro>(steady_clock::now() - start).count());
  }
  report_percentiles(state, microseconds);
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}

void BM_put_100B_memory(benchmark::State& state) { put(state, Durability::memory, 100, {}); }
void BM_put_100B_os(benchmark::State& state) { put(state, Durability::os, 100, {}); }
void BM_put_100B_disk(benchmark::State& state) { put(state, Durability::disk, 100, {}); }
void BM_put_1KB_memory(benchmark::State& state) { put(state, Durability::memory, 1000, {}); }
void BM_put_10KB_memory(benchmark::State& state) { put(state, Durability::memory, 10'000, {}); }
void BM_put_ttl_100B_memory(benchmark::State& state) {
  put(state, Durability::memory, 100, {.ttl = std::chrono::hours(1)});
}
BENCHMARK(BM_put_100B_memory);
BENCHMARK(BM_put_100B_os);
BENCHMARK(BM_put_100B_disk)->Iterations(3000);
BENCHMARK(BM_put_1KB_memory);
BENCHMARK(BM_put_10KB_memory);
BENCHMARK(BM_put_ttl_100B_memory);

void BM_touch_memory(benchmark::State& state) {
  const Scratch scratch;
  Node node = open(options_for(scratch, Durability::memory));
  fill(node, 5000, random_bytes(100));
  std::uint64_t count = 0;
  for (auto _ : state) {
    if (!node.touch(Key(count++ % 5000), std::chrono::hours(1))) die("touch failed");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
BENCHMARK(BM_touch_memory);

void BM_delete_memory(benchmark::State& state) {
  const Scratch scratch;
  Node node = open(options_for(scratch, Durability::memory));
  constexpr std::uint64_t keys = 1'000'000;
  fill(node, keys, random_bytes(100));
  std::uint64_t count = 0;
  for (auto _ : state) {
    if (!node.del(Key(count++))) die("delete failed");
  }
  if (node.status()->storage.size != keys - count) die("a delete was not counted");
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
BENCHMARK(BM_delete_memory)->Iterations(900'000);

void BM_put_many_500x100B_memory(benchmark::State& state) {
  const Scratch scratch;
  Node node = open(options_for(scratch, Durability::memory));
  const std::string value = random_bytes(100);
  std::vector<Key> names;
  for (std::uint64_t i = 0; i < 500; ++i) names.emplace_back(i);
  std::vector<concord::PutItem> items;
  for (const Key& name : names) items.push_back({name.view(), Bytes(value)});
  for (auto _ : state) {
    if (!node.put_many(items)) die("put_many failed");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 500);
}
BENCHMARK(BM_put_many_500x100B_memory);

// ---------------------------------------------------------------------------------------------------------------------
// Reads. One node for all threads of a benchmark; keys in random order, so that the cache does what it does in life.

struct Shelf {
  explicit Shelf(std::uint64_t count)
      : keys(count), node(open(options_for(scratch, Durability::memory))), value(random_bytes(100)) {
    fill(node, keys, value);
  }
  std::uint64_t keys;
  Scratch scratch;
  Node node;
  std::string value;
};

std::unique_ptr<Shelf> shelf;  // of the benchmark under way: made before its threads start, gone after they ended

void make_shelf(const benchmark::State& state) {
  shelf = std::make_unique<Shelf>(static_cast<std::uint64_t>(state.range(0)));
}
void drop_shelf(const benchmark::State&) { shelf.reset(); }

/// What making a key costs: it is part of every figure below.
void BM_key_itself(benchmark::State& state) {
  RandomOrder order(static_cast<std::uint64_t>(state.range(0)), 0);
  for (auto _ : state) {
    const Key key(order.next());
    benchmark::DoNotOptimize(key);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_key_itself)->Arg(1'000'000);

void get(benchmark::State& state, concord::ReadOptions options) {
  RandomOrder order(shelf->keys, static_cast<std::uint64_t>(state.thread_index()));
  for (auto _ : state) {
    const auto found = shelf->node.get(Key(order.next()), options);
    if (!found || found->bytes().size() != 100) die("get found something else");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
void BM_get_100B(benchmark::State& state) { get(state, {}); }
void BM_strong_get_100B(benchmark::State& state) { get(state, {.consistency = concord::ReadConsistency::strong}); }
BENCHMARK(BM_get_100B)->Arg(100)->Arg(5000)->Arg(1'000'000)->Setup(make_shelf)->Teardown(drop_shelf);
BENCHMARK(BM_get_100B)->Arg(5000)->Threads(2)->Setup(make_shelf)->Teardown(drop_shelf)->UseRealTime();
BENCHMARK(BM_strong_get_100B)->Arg(5000)->Setup(make_shelf)->Teardown(drop_shelf);

void BM_get_100B_while_writing(benchmark::State& state) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    RandomOrder order(shelf->keys, 1);
    while (!stop.load(std::memory_order_relaxed)) {
      if (!shelf->node.put(Key(order.next()), Bytes(shelf->value))) die("put failed");
    }
  });
  get(state, {});
  stop = true;
  writer.join();
}
BENCHMARK(BM_get_100B_while_writing)->Arg(5000)->Setup(make_shelf)->Teardown(drop_shelf);

// ---------------------------------------------------------------------------------------------------------------------
// The disk.

/// What the machine itself takes to make 160 bytes durable: the floor of a put in mode `disk`.
void BM_machine_append_fdatasync(benchmark::State& state) {
  const Scratch scratch;
  const int file = ::open((scratch / "file").c_str(), O_RDWR | O_CREAT, 0644);
  const std::string bytes = random_bytes(160);
  const bool preallocated = state.range(0) == 1;
  if (preallocated && ::posix_fallocate(file, 0, 64 << 20) != 0) die("fallocate failed");
  off_t offset = 0;
  std::vector<double> microseconds;
  for (auto _ : state) {
    const auto start = steady_clock::now();
    if (::pwrite(file, bytes.data(), bytes.size(), offset) != static_cast<ssize_t>(bytes.size()) ||
        ::fdatasync(file) != 0)
      die("write failed");
    offset += static_cast<off_t>(bytes.size());
    microseconds.push_back(std::chrono::duration<double, std::micro>(steady_clock::now() - start).count());
  }
  report_percentiles(state, microseconds);
  ::close(file);
}
BENCHMARK(BM_machine_append_fdatasync)->ArgName("preallocated")->Arg(0)->Arg(1)->Iterations(3000);

void BM_async_put_100B_disk(benchmark::State& state) {
  const Scratch scratch;
  Node node = open(options_for(scratch, Durability::disk));
  const std::string value = random_bytes(100);
  std::atomic<std::uint64_t> done{0};
  std::uint64_t sent = 0;
  for (auto _ : state) {
    while (sent - done.load(std::memory_order_relaxed) > 50'000) std::this_thread::yield();
    node.async_put(Key(sent % 5000), Bytes(value), {}, [&done](concord::Result<concord::Revision> put) {
      if (!put) die(put.error().message());
      done.fetch_add(1, std::memory_order_relaxed);
    });
    ++sent;
  }
  while (done.load() < sent) std::this_thread::yield();
  if (revision_of(node) != sent) die("a put was not counted");
  state.SetItemsProcessed(static_cast<std::int64_t>(sent));
}
BENCHMARK(BM_async_put_100B_disk)->Iterations(1'000'000)->UseRealTime();

// ---------------------------------------------------------------------------------------------------------------------
// A million items.

constexpr std::uint64_t million = 1'000'000;

/// As the store counts it, with the allocator's own part: keys, values, their indexes.
void BM_overhead_per_item(benchmark::State& state) {
  for (auto _ : state) {
    const Scratch scratch;
    Node node = open(options_for(scratch, Durability::os));
    fill(node, million, random_bytes(100));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // closed views and old entries are let go
    constexpr double content = 116;
    state.counters["counted_bytes"] =
        static_cast<double>(node.status()->storage.memory_bytes) / static_cast<double>(million) - content;
  }
}
BENCHMARK(BM_overhead_per_item)->Iterations(1)->Unit(benchmark::kMillisecond);

/// `snapshot`: most of it comes from a snapshot, else all of it from the log.
void BM_restart_1M(benchmark::State& state) {
  const Scratch scratch;
  Options options = options_for(scratch, Durability::os);
  const bool from_snapshot = state.range(0) == 1;
  options.snapshot.every_entries = from_snapshot ? 2001 : million * 2;
  {
    Node node = open(options);
    fill(node, million, random_bytes(100));
    if (from_snapshot) {
      const std::uint64_t before = node.status()->storage.snapshot_index;
      while (node.status()->storage.snapshot_index == before) {
        if (!node.put(Key(0), Bytes(random_bytes(100)))) die("put failed");
      }
    }
  }
  for (auto _ : state) {
    Node node = open(options);
    if (node.status()->storage.size != million) die("items are missing");
    state.PauseTiming();
    {
      const Node closed = std::move(node);
    }
    state.ResumeTiming();
  }
}
BENCHMARK(BM_restart_1M)->ArgName("snapshot")->Arg(0)->Arg(1)->Iterations(2)->Unit(benchmark::kMillisecond);

void BM_worst_put_during_snapshot_1M(benchmark::State& state) {
  for (auto _ : state) {
    const Scratch scratch;
    Options options = options_for(scratch, Durability::memory);
    options.snapshot.every_entries = 50'000;
    Node node = open(options);
    fill(node, million, random_bytes(100));
    const std::string value = random_bytes(100);
    std::vector<double> microseconds;
    std::uint64_t snapshots = 0;
    std::uint64_t newest = node.status()->storage.snapshot_index;
    for (std::uint64_t i = 0; snapshots < 2; ++i) {
      const auto start = steady_clock::now();
      if (!node.put(Key(i * 7919 % million), Bytes(value))) die("put failed");
      microseconds.push_back(std::chrono::duration<double, std::micro>(steady_clock::now() - start).count());
      if (i % 1000 != 0) continue;
      const std::uint64_t now = node.status()->storage.snapshot_index;
      if (now != newest) ++snapshots;
      newest = now;
    }
    report_percentiles(state, microseconds);
  }
}
BENCHMARK(BM_worst_put_during_snapshot_1M)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
