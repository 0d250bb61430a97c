// What it costs to be watched: puts while somebody subscribes, listens to telemetry, traces, measures; and how quickly events come.
//
// Each row puts the same 100 bytes in mode `memory` as BM_put_100B_memory, which is the row to compare it with. Noise of a shared machine is
// larger than what is looked for: run with --benchmark_repetitions, and compare medians.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <concord/concord.hpp>

#include "key.hpp"
#include "node.hpp"

namespace {

using bench::die;
using bench::Key;
using bench::open;
using bench::options_for;
using bench::random_bytes;
using bench::Scratch;
using concord::Bytes;
using concord::Durability;
using concord::Node;
using concord::Options;
using concord::Subscription;

/// Puts on `node`, whoever watches.
void put_on(benchmark::State& state, Node& node) {
  const std::string value = random_bytes(100);
  std::uint64_t count = 0;
  for (auto _ : state) {
    if (!node.put(Key(count++ % 5000), Bytes(value))) die("put failed");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count));
}

Options quiet(const Scratch& scratch) { return options_for(scratch, Durability::memory); }

void BM_put_without_events(benchmark::State& state) {
  const Scratch scratch;
  Options options = quiet(scratch);
  options.event_stream.enabled = false;
  Node node = open(options);
  put_on(state, node);
}
BENCHMARK(BM_put_without_events);

void BM_put_unwatched(benchmark::State& state) {
  const Scratch scratch;
  Node node = open(quiet(scratch));
  put_on(state, node);
}
BENCHMARK(BM_put_unwatched);

/// One subscriber to everything, on a thread of its own, that takes what there is. The node writes as fast as it can; the counter says
/// how many events a second came out at the other end, by the time when the last one had come.
void BM_put_with_a_subscriber(benchmark::State& state) {
  const Scratch scratch;
  Node node = open(quiet(scratch));
  auto subscription = node.subscribe({.max_demand = 10'000});
  if (!subscription) die(subscription.error().message());
  std::atomic<std::uint64_t> wanted{~std::uint64_t{0}};
  std::uint64_t taken = 0;
  std::thread taking([&] {
    while (taken < wanted.load()) {
      const auto events = subscription->take(1000, std::chrono::milliseconds(100));
      if (!events) die("the subscriber fell behind: " + events.error().message());
      taken += events->size();
    }
  });
  const auto began = std::chrono::steady_clock::now();
  put_on(state, node);
  wanted = static_cast<std::uint64_t>(state.iterations());
  taking.join();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
  state.counters["events_per_s"] = static_cast<double>(taken) / passed.count();
}
BENCHMARK(BM_put_with_a_subscriber)->Iterations(500'000)->UseRealTime();

/// Subscribers to so many prefixes, none of which is that of the keys that are put, but for one.
void BM_put_with_subscribers(benchmark::State& state) {
  const Scratch scratch;
  Node node = open(quiet(scratch));
  std::vector<Subscription> subscriptions;
  std::atomic<std::uint64_t> events{0};
  for (std::int64_t at = 0; at < state.range(0); ++at) {
    const std::string prefix = at == 0 ? std::string(Key(1).view()) : "tenant-" + std::to_string(at) + "/";
    auto subscription = node.subscribe({.prefix = prefix});
    if (!subscription) die(subscription.error().message());
    subscription->deliver([&events](const concord::Event&) { events.fetch_add(1, std::memory_order_relaxed); });
    subscriptions.push_back(std::move(*subscription));
  }
  put_on(state, node);
}
BENCHMARK(BM_put_with_subscribers)->Arg(1)->Arg(100)->Arg(10'000);

void BM_put_measured(benchmark::State& state) {
  const Scratch scratch;
  Options options = quiet(scratch);
  options.metrics.enabled = true;
  Node node = open(options);
  put_on(state, node);
}
BENCHMARK(BM_put_measured);

void BM_put_with_a_telemetry_handler(benchmark::State& state) {
  const Scratch scratch;
  Node node = open(quiet(scratch));
  std::uint64_t heard = 0;
  const auto attached =
      node.telemetry().attach("bench", "concord.api.put", [&](const concord::TelemetryEvent&) { ++heard; });
  if (!attached) die(attached.error().message());
  put_on(state, node);
  if (heard == 0) die("the handler was not called");
}
BENCHMARK(BM_put_with_a_telemetry_handler);

/// Spans of one call in a hundred, for a collector that is not there.
void BM_put_traced_1_percent(benchmark::State& state) {
  const Scratch scratch;
  Options options = quiet(scratch);
  options.tracing.enabled = true;
  options.tracing.exporter = concord::TraceExporter::otlp;
  options.tracing.endpoint = "http://127.0.0.1:9";
  options.tracing.sample_ratio = 0.01;
  Node node = open(options);
  put_on(state, node);
}
BENCHMARK(BM_put_traced_1_percent);

}  // namespace
