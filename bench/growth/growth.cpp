// How the cost of a put and a get grows with what the node holds and with who watches: one node, mode `memory`, one caller.
//
// usage: growth_bench keys COUNT ROUNDS            puts and gets at random among so many keys of 100 bytes
//        growth_bench subscribers COUNT ROUNDS     puts while so many subscribe, each to a prefix of its own; one of them gets the events
//
// Prints one JSON object: {"put_ns":[...],"get_ns":[...]}, a number a round: the mean of its calls, making the key among it.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/concord.hpp>

#include "key.hpp"
#include "node.hpp"

namespace {

using bench::die;
using bench::Key;
using bench::RandomOrder;
using concord::Bytes;
using std::chrono::steady_clock;

constexpr auto round_time = std::chrono::milliseconds(300);
constexpr std::uint64_t calls_between_looks = 1000;  // at the clock

/// Nanoseconds a call, over the time of a round.
double mean_ns(const std::function<void(std::uint64_t)>& thousand_calls) {
  std::uint64_t count = 0;
  const auto begin = steady_clock::now();
  auto now = begin;
  while (now - begin < round_time) {
    thousand_calls(calls_between_looks);
    count += calls_between_looks;
    now = steady_clock::now();
  }
  return std::chrono::duration<double, std::nano>(now - begin).count() / static_cast<double>(count);
}

/// The first round warms up and does not count.
std::vector<double> rounds_of(std::uint64_t rounds, const std::function<void(std::uint64_t)>& calls) {
  std::vector<double> means;
  for (std::uint64_t round = 0; round <= rounds; ++round) means.push_back(mean_ns(calls));
  means.erase(means.begin());
  return means;
}

void print(const char* name, const std::vector<double>& means, const char* end) {
  std::printf("\"%s\":[", name);
  for (std::size_t at = 0; at < means.size(); ++at) std::printf("%s%.1f", at == 0 ? "" : ",", means[at]);
  std::printf("]%s", end);
}

concord::Options options_for(const bench::Scratch& scratch) {
  concord::Options options = bench::options_for(scratch, concord::Durability::memory);
  options.snapshot = {.every_entries = ~std::uint64_t{0} >> 1U,
                      .every_bytes = ~std::uint64_t{0} >> 1U};  // none meanwhile
  return options;
}

std::function<void(std::uint64_t)> puts_on(concord::Node& node, RandomOrder& order, const std::string& value) {
  return [&](std::uint64_t count) {
    for (std::uint64_t at = 0; at < count; ++at) {
      if (!node.put(Key(order.next()), Bytes(value))) die("put failed");
    }
  };
}

void measure_keys(std::uint64_t keys, std::uint64_t rounds) {
  const bench::Scratch scratch;
  concord::Node node = bench::open(options_for(scratch));
  const std::string value = bench::random_bytes(100);
  bench::fill(node, keys, value);
  RandomOrder order(keys, 1);
  const auto gets = rounds_of(rounds, [&](std::uint64_t count) {
    for (std::uint64_t at = 0; at < count; ++at) {
      const auto found = node.get(Key(order.next()));
      if (!found || found->bytes().size() != value.size()) die("get found something else");
    }
  });
  const auto puts = rounds_of(rounds, puts_on(node, order, value));
  if (node.status()->storage.size != keys) die("keys are missing");
  std::printf("{");
  print("get_ns", gets, ",");
  print("put_ns", puts, "}\n");
}

void measure_subscribers(std::uint64_t count, std::uint64_t rounds) {
  const bench::Scratch scratch;
  concord::Node node = bench::open(options_for(scratch));
  std::vector<concord::Subscription> subscriptions;
  std::atomic<std::uint64_t> events{0};
  for (std::uint64_t at = 0; at < count; ++at) {
    const std::string prefix = at == 0 ? std::string(Key(1).view()) : "tenant-" + std::to_string(at) + "/";
    auto subscription = node.subscribe({.prefix = prefix});
    if (!subscription) die(subscription.error().message());
    subscription->deliver([&events](const concord::Event&) { events.fetch_add(1, std::memory_order_relaxed); });
    subscriptions.push_back(std::move(*subscription));
  }
  constexpr std::uint64_t keys = 5000;
  const std::string value = bench::random_bytes(100);
  RandomOrder order(keys, 1);
  const auto puts = rounds_of(rounds, puts_on(node, order, value));
  if (events.load() == 0) die("the subscriber got nothing");
  std::printf("{");
  print("put_ns", puts, "}\n");
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) die("not a count: " + std::string(text));
  return number;
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) die("usage: growth_bench keys|subscribers COUNT ROUNDS");
  const std::string_view what = words[1];
  if (what == "keys") {
    measure_keys(number_of(words[2]), number_of(words[3]));
  } else if (what == "subscribers") {
    measure_subscribers(number_of(words[2]), number_of(words[3]));
  } else {
    die("keys or subscribers, not " + std::string(what));
  }
}
