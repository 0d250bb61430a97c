// What packing a value costs, and how small it gets: docs/decisions/0005-compression.md.
//
// Values are JSON text like that of orders, cut to a size; each run packs or unpacks one of 64 different ones, as a store would,
// with one Packer. Counters: `packed_bytes` the mean size that results, `items_per_second` values.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <vector>

#include <concord/compression.hpp>
#include <concord/value.hpp>

#include "base/random.hpp"
#include "compress/packed.hpp"
#include "compress/packer.hpp"
#include "text.hpp"

namespace concord::bench {
namespace {

std::vector<Value> values_of(std::size_t size_bytes) {
  base::Random random(size_bytes);
  std::vector<Value> values;
  for (int i = 0; i < 64; ++i) values.emplace_back(Bytes(::bench::order_text(random, size_bytes)));
  return values;
}

CompressionOptions options_of(const benchmark::State& state) {
  return {.algorithm = static_cast<CompressionAlgorithm>(state.range(0)), .level = static_cast<int>(state.range(1))};
}

void pack(benchmark::State& state) {
  const auto values = values_of(static_cast<std::size_t>(state.range(2)));
  const compress::Packer packer(options_of(state));
  std::string packed;
  std::size_t turn = 0;
  double packed_bytes = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(packer.pack(values[turn++ % values.size()].stored(), packed));
    packed_bytes += static_cast<double>(packed.size());
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["packed_bytes"] = benchmark::Counter(packed_bytes, benchmark::Counter::kAvgIterations);
}

void unpack(benchmark::State& state) {
  const compress::Packer packer(options_of(state));
  std::vector<std::string> all;
  for (const Value& value : values_of(static_cast<std::size_t>(state.range(2)))) {
    if (!packer.pack(value.stored(), all.emplace_back())) state.SkipWithError("a value did not get smaller");
  }
  const compress::Unpacker unpacker;
  std::size_t turn = 0;
  for (auto _ : state) {
    auto value = unpacker.unpack_value(all[turn++ % all.size()], std::size_t{1} << 20U);
    benchmark::DoNotOptimize(value);
  }
  state.SetItemsProcessed(state.iterations());
}

void settings(benchmark::internal::Benchmark* each) {
  each->ArgNames({"algorithm", "level", "size"});
  for (const int size : {1100, 10'240}) {
    for (const int algorithm : {0, 1, 2, 3}) {
      for (const int level : {1, 3, 6, 9}) each->Args({algorithm, level, size});
    }
  }
}

BENCHMARK(pack)->Apply(settings);
BENCHMARK(unpack)->Apply(settings);

}  // namespace
}  // namespace concord::bench

BENCHMARK_MAIN();
