// What the audit log costs a put, and how long a query takes over a day's file of a million lines (docs/audit.md).
//
// Puts with and without a log take turns in one run, because the machine is noisy; the medians of the rounds count.
//
//     audit_bench [rounds] [seconds of a turn] [lines]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include <concord/concord.hpp>

#include "key.hpp"
#include "node.hpp"

namespace {

using bench::die;
using bench::Key;
using bench::Scratch;
using std::chrono::duration;
using std::chrono::steady_clock;

double cpu_s(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_since(steady_clock::time_point begin) { return duration<double>(steady_clock::now() - begin).count(); }

concord::Options options_of(const Scratch& scratch, concord::Durability durability, bool is_audited) {
  concord::Options options = bench::options_for(scratch, durability);
  options.audit_log.enabled = is_audited;
  options.audit_log.log_dir = scratch / "audit";
  options.audit_log.rotation_size_bytes = std::uint64_t{8} << 30U;
  return options;
}

struct Turn {
  double puts_per_s = 0;
  double caller_us = 0;   ///< of processor time a put, of the callers
  double process_us = 0;  ///< of all threads
};

/// `threads` callers together.
Turn put_for(concord::Durability durability, bool is_audited, double seconds, unsigned threads) {
  const Scratch scratch;
  concord::Node node = bench::open(options_of(scratch, durability, is_audited));
  const concord::Value value(concord::Bytes(bench::random_bytes(100)));
  std::atomic<std::uint64_t> count{0};
  std::atomic<double> caller_s{0};
  const double process_s = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
  const auto begin = steady_clock::now();
  std::vector<std::thread> callers;
  for (unsigned caller = 0; caller < threads; ++caller) {
    callers.emplace_back([&, caller] {
      std::uint64_t done = 0;
      const double before = cpu_s(CLOCK_THREAD_CPUTIME_ID);
      for (; seconds_since(begin) < seconds; ++done) {
        if (auto put = node.put(Key(caller * 1000 + done % 1000), value); !put) die(put.error().message());
      }
      count += done;
      caller_s += cpu_s(CLOCK_THREAD_CPUTIME_ID) - before;
    });
  }
  for (std::thread& caller : callers) caller.join();
  const auto puts = static_cast<double>(count.load());
  return {.puts_per_s = puts / seconds_since(begin),
          .caller_us = caller_s.load() / puts * 1e6,
          .process_us = (cpu_s(CLOCK_PROCESS_CPUTIME_ID) - process_s) / puts * 1e6};
}

double median(std::vector<Turn> turns, double Turn::* part) {
  std::ranges::sort(turns, {}, part);
  return turns[turns.size() / 2].*part;
}

void compare(const char* name, concord::Durability durability, unsigned threads, int rounds, double seconds) {
  std::vector<Turn> off;
  std::vector<Turn> on;
  for (int round = 0; round < rounds; ++round) {
    off.push_back(put_for(durability, false, seconds, threads));
    on.push_back(put_for(durability, true, seconds, threads));
  }
  std::printf(
      "put, %s, %u callers: off %.0f/s, on %.0f/s, ratio %.3f; processor time a put: callers %.2f and %.2f us, all "
      "%.2f and %.2f us\n",
      name, threads, median(off, &Turn::puts_per_s), median(on, &Turn::puts_per_s),
      median(on, &Turn::puts_per_s) / median(off, &Turn::puts_per_s), median(off, &Turn::caller_us),
      median(on, &Turn::caller_us), median(off, &Turn::process_us), median(on, &Turn::process_us));
}

void query(std::uint64_t lines) {
  const Scratch scratch;
  concord::Node node = bench::open(options_of(scratch, concord::Durability::memory, true));
  for (std::uint64_t i = 0; i < lines; ++i) {
    if (auto put = node.put(Key(i % 1000), 1); !put) die(put.error().message());
  }
  if (auto removed = node.del(Key(0)); !removed) die(removed.error().message());
  concord::AuditLog audit(node);
  const auto timed = [&](const char* name, const concord::AuditQuery& query) {
    const double before_s = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
    const auto begin = steady_clock::now();
    const auto found = audit.query(query);
    if (!found) die(found.error().message());
    std::printf("query of %llu lines, %s: %zu found in %.3f s, %.3f s of processor time\n",
                static_cast<unsigned long long>(lines), name, found->size(), seconds_since(begin),
                cpu_s(CLOCK_PROCESS_CPUTIME_ID) - before_s);
  };
  timed("the newest 100", {});
  timed("by operation, nothing found", {.operation = "touch"});
  timed("by user, nothing found", {.user = "token:5f1c9a0b7d2e4466"});
  timed("by result, nothing found", {.result = "error"});
  const auto begin = steady_clock::now();
  const auto verified = audit.verify();
  if (!verified) die(verified.error().message());
  std::printf("verify: %s, %llu entries, %llu bytes in %.3f s\n", verified->valid ? "valid" : "NOT valid",
              static_cast<unsigned long long>(verified->entries),
              static_cast<unsigned long long>(audit.stats()->total_size), seconds_since(begin));
}

}  // namespace

int main(int count, char** words) {
  const int rounds = count > 1 ? std::atoi(words[1]) : 5;
  const double seconds = count > 2 ? std::atof(words[2]) : 2;
  const auto lines = count > 3 ? static_cast<std::uint64_t>(std::atoll(words[3])) : 1'000'000;
  compare("disk", concord::Durability::disk, 1, rounds, seconds);
  compare("disk", concord::Durability::disk, 16, rounds, seconds);
  compare("os", concord::Durability::os, 1, rounds, seconds);
  compare("memory", concord::Durability::memory, 1, rounds, seconds);
  query(lines);
}
