// What applications do beyond put and get: compressed text, queries by prefix, pattern and filter, counting, mass expiry.
// `./dev bench --filter data` measures these and the other rows of the data model.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <concord/concord.hpp>

#include "key.hpp"
#include "node.hpp"
#include "text.hpp"

namespace {

using bench::die;
using bench::Key;
using bench::RandomOrder;
using bench::Scratch;
using concord::Bytes;
using concord::Durability;
using concord::Filter;
using concord::Node;
using concord::Query;
using std::chrono::steady_clock;

std::vector<std::string> texts(std::size_t size_bytes) {
  concord::base::Random random(size_bytes);
  std::vector<std::string> all;
  for (int i = 0; i < 64; ++i) all.push_back(bench::order_text(random, size_bytes));
  return all;
}

/// Text over the threshold, packed by default; 64 different ones in turn.
void put_text(benchmark::State& state, std::size_t size_bytes, concord::CompressionOptions compression) {
  const Scratch scratch;
  concord::Options options = bench::options_for(scratch, Durability::memory);
  options.compression = compression;
  Node node = bench::open(options);
  const auto values = texts(size_bytes);
  std::uint64_t count = 0;
  for (auto _ : state) {
    if (!node.put(Key(count % 5000), Bytes(values[count % values.size()]))) die("put failed");
    ++count;
  }
  const std::uint64_t kept = std::min<std::uint64_t>(count, 5000);
  state.counters["kept_bytes"] = static_cast<double>(node.status()->storage.memory_bytes) / static_cast<double>(kept);
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}
void BM_put_text_1100B_memory(benchmark::State& state) { put_text(state, 1100, {}); }
void BM_put_text_10KB_memory(benchmark::State& state) { put_text(state, 10'000, {}); }
void BM_put_text_10KB_lz4_memory(benchmark::State& state) {
  put_text(state, 10'000, {.algorithm = concord::CompressionAlgorithm::lz4, .level = 1});
}
BENCHMARK(BM_put_text_1100B_memory);
BENCHMARK(BM_put_text_10KB_memory);
BENCHMARK(BM_put_text_10KB_lz4_memory);

void BM_get_text_10KB(benchmark::State& state) {
  const Scratch scratch;
  Node node = bench::open(bench::options_for(scratch, Durability::memory));
  const auto values = texts(10'000);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    if (!node.put(Key(i), Bytes(values[i % values.size()]))) die("put failed");
  }
  RandomOrder order(1000, 1);
  for (auto _ : state) {
    const auto value = node.get(Key(order.next()));
    if (!value || value->size_bytes() != 10'000) die("get failed");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_get_text_10KB);

// ---------------------------------------------------------------------------------------------------------------------
// Queries.

struct Filled {
  Scratch scratch;
  Node node = bench::open(bench::options_for(scratch, Durability::memory));
};
std::unique_ptr<Filled> filled;
void drop_filled(const benchmark::State&) { filled.reset(); }

void fill_plain(const benchmark::State& state) {
  filled = std::make_unique<Filled>();
  bench::fill(filled->node, static_cast<std::uint64_t>(state.range(0)), bench::random_bytes(100));
}

/// JSON values of about 200 bytes.
void fill_json(const benchmark::State& state) {
  filled = std::make_unique<Filled>();
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(state.range(0)); ++i) {
    const boost::json::value value = {{"id", i},
                                      {"name", "customer number " + std::to_string(i)},
                                      {"role", i % 10 == 0 ? "admin" : "member"},
                                      {"address", {{"street", "Long Street 17"}, {"city", "Berlin"}, {"zip", "10115"}}},
                                      {"tags", {"blue", "green", "warehouse"}},
                                      {"age", i % 90}};
    if (!filled->node.put(Key(i), value)) die("put failed");
  }
}

/// 100 keys with their values, out of all.
void BM_where_prefix_100(benchmark::State& state) {
  RandomOrder order(static_cast<std::uint64_t>(state.range(0)) / 100, 1);
  for (auto _ : state) {
    const Key first(order.next() * 100);
    const auto rows = filled->node.where({.prefix = std::string(first.view().substr(0, 14))});
    if (!rows || rows->size() != 100) die("not 100 rows");
  }
}
BENCHMARK(BM_where_prefix_100)->Arg(1'000'000)->Setup(fill_plain)->Teardown(drop_filled)->Unit(benchmark::kMicrosecond);

void count_all(benchmark::State& state, const Query& query, std::uint64_t expected) {
  for (auto _ : state) {
    const auto count = filled->node.count(query);
    if (!count || *count != expected) die("wrong count " + std::to_string(count.value_or(0)));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
/// Keys a second, most of which don't match.
void BM_count_pattern(benchmark::State& state) {
  constexpr std::uint64_t expected = 10'000 - 6561;  // of six digits the last two 77, and a 7 among the first four
  count_all(state, {.pattern = "7[0-9]*77$"}, expected);
}
/// Values a second.
void BM_count_filter_200B(benchmark::State& state) {
  count_all(state, {.filter = Filter(R"({"role": "admin", "age": {"$gte": 30}})")}, 6666);
}
void BM_count_predicate_200B(benchmark::State& state) {
  count_all(state, {.filter = [](const concord::Value& value) { return value.size_bytes() > 0; }},
            static_cast<std::uint64_t>(state.range(0)));
}
BENCHMARK(BM_count_pattern)->Arg(1'000'000)->Setup(fill_plain)->Teardown(drop_filled)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_count_filter_200B)->Arg(100'000)->Setup(fill_json)->Teardown(drop_filled)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_count_predicate_200B)
    ->Arg(100'000)
    ->Setup(fill_json)
    ->Teardown(drop_filled)
    ->Unit(benchmark::kMillisecond);

// ---------------------------------------------------------------------------------------------------------------------

/// The worst put while 100 000 keys expire in one second.
void BM_worst_put_during_mass_expiry_100K(benchmark::State& state) {
  constexpr std::uint64_t keys = 100'000;
  for (auto _ : state) {
    const Scratch scratch;
    Node node = bench::open(bench::options_for(scratch, Durability::memory));
    const std::string value = bench::random_bytes(100);
    for (std::uint64_t at = 0; at < keys; at += 500) {
      std::vector<Key> names;
      for (std::uint64_t i = at; i < at + 500; ++i) names.emplace_back(i);
      std::vector<concord::PutItem> items;
      for (const Key& name : names) items.push_back({name.view(), Bytes(value), std::chrono::seconds(1)});
      if (!node.put_many(items)) die("put_many failed");
    }
    std::vector<double> milliseconds;
    while (node.status()->storage.size > 1) {
      const auto start = steady_clock::now();
      if (!node.put("other", Bytes(value))) die("put failed");
      milliseconds.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - start).count());
    }
    std::ranges::sort(milliseconds);
    state.counters["max_ms"] = milliseconds.back();
    state.counters["p99_us"] = milliseconds[milliseconds.size() * 99 / 100] * 1000;
  }
}
BENCHMARK(BM_worst_put_during_mass_expiry_100K)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
