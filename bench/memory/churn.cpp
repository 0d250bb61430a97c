// A constant live set under puts, deletes, expiries and overwrites of random sizes, for minutes: does the process grow?
//
// usage: churn_bench SECONDS
//
// Prints a line of JSON every second: {"seconds","resident_bytes","counted_bytes","keys","operations"}. Half of the live keys are
// overwritten at random, a quarter deleted and put again, a quarter put with a ttl of a few seconds and put again when they are gone.
// Sizes are from 1 byte to 16 KiB, small ones more often. Nothing is compressed: a size is what is asked of the allocator.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include <concord/concord.hpp>

#include "base/random.hpp"
#include "key.hpp"
#include "node.hpp"
#include "process_memory.hpp"

namespace {

using bench::die;
using bench::Key;
using concord::Bytes;
using std::chrono::steady_clock;

constexpr std::uint64_t keys = 40'000;
constexpr std::uint64_t largest_bits = 14;
constexpr auto sample_interval = std::chrono::seconds(1);

class Churn {
 public:
  explicit Churn(concord::Node& node) : node_(node), bytes_(bench::random_bytes(std::size_t{1} << largest_bits)) {}

  /// One change of one key. Which kind it is, is the key's: so the live set stays what it is.
  void change() {
    const std::uint64_t number = random_.below(keys);
    const Key key(number);
    switch (number % 4) {
      case 0:
        if (random_.one_in(2)) return remove(key);
        return put(key, {});
      case 1: return put(key, {.ttl = std::chrono::seconds(1 + random_.below(5)), .compress = false});
      default: return put(key, {});
    }
  }
  void put(const Key& key, concord::PutOptions options) {
    options.compress = false;
    if (const auto done = node_.put(key, Bytes(value()), options); !done) die(done.error().message());
  }

 private:
  void remove(const Key& key) {
    const auto done = node_.del(key);
    if (!done && done.error().code() != concord::Errc::not_found) die(done.error().message());
  }
  /// As many of 64 to 128 bytes as of 8 to 16 KiB.
  std::string_view value() {
    const std::uint64_t bound = std::uint64_t{1} << random_.below(largest_bits + 1);
    return std::string_view(bytes_).substr(0, 1 + random_.below(bound));
  }

  concord::Node& node_;
  std::string bytes_;
  concord::base::Random random_{1};
};

void report(concord::Node& node, double seconds, std::uint64_t operations) {
  const auto status = node.status();
  if (!status) die(status.error().message());
  std::printf("{\"seconds\":%.1f,\"resident_bytes\":%llu,\"counted_bytes\":%llu,\"keys\":%llu,\"operations\":%llu}\n",
              seconds, static_cast<unsigned long long>(bench::resident_bytes()),
              static_cast<unsigned long long>(status->storage.memory_bytes),
              static_cast<unsigned long long>(status->storage.size), static_cast<unsigned long long>(operations));
  std::fflush(stdout);
}

/// At an even rate that the machine can hold, so that all runs churn alike.
void run(std::chrono::seconds time) {
  constexpr std::uint64_t changes_a_step = 200;
  constexpr auto step = std::chrono::milliseconds(10);
  const bench::Scratch scratch;
  concord::Options options = bench::options_for(scratch, concord::Durability::memory);
  options.snapshot.every_bytes = 64U << 20U;
  concord::Node node = bench::open(options);
  Churn churn(node);
  for (std::uint64_t number = 0; number < keys; ++number) churn.put(Key(number), {});
  const auto begin = steady_clock::now();
  auto next_step = begin;
  auto next_sample = begin;
  for (std::uint64_t operations = 0; steady_clock::now() - begin < time; operations += changes_a_step) {
    if (steady_clock::now() >= next_sample) {
      report(node, std::chrono::duration<double>(steady_clock::now() - begin).count(), operations);
      next_sample += sample_interval;
    }
    for (std::uint64_t count = 0; count < changes_a_step; ++count) churn.change();
    next_step += step;
    std::this_thread::sleep_until(next_step);
  }
}

}  // namespace

int main(int count, char** words) {
  const long seconds = count == 2 ? std::strtol(words[1], nullptr, 10) : 0;
  if (seconds <= 0) die("usage: churn_bench SECONDS");
  run(std::chrono::seconds(seconds));
}
