// What the audit log costs a put, and how long reading it takes (docs/audit.md).
//
// usage: audit_bench puts disk|os|memory CALLERS SECONDS on|off     {"per_second","caller_us","process_us"}
//        audit_bench reads LINES                                    {"query_s","verify_s","verified_bytes"}
//
// Each call prints one JSON object. Who compares puts with and without a log lets the two take turns (run.py).
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
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

/// Processor time in microseconds a put: of the callers, and of all threads.
void put_for(concord::Durability durability, unsigned callers, double seconds, bool is_audited) {
  const Scratch scratch;
  concord::Node node = bench::open(options_of(scratch, durability, is_audited));
  const concord::Value value(concord::Bytes(bench::random_bytes(100)));
  std::atomic<std::uint64_t> count{0};
  std::atomic<double> caller_s{0};
  const double process_s = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
  const auto begin = steady_clock::now();
  std::vector<std::thread> threads;
  for (unsigned caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      std::uint64_t done = 0;
      const double before = cpu_s(CLOCK_THREAD_CPUTIME_ID);
      for (; seconds_since(begin) < seconds; ++done) {
        if (auto put = node.put(Key(caller * 1000 + done % 1000), value); !put) die(put.error().message());
      }
      count += done;
      caller_s += cpu_s(CLOCK_THREAD_CPUTIME_ID) - before;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto puts = static_cast<double>(count.load());
  std::printf("{\"per_second\":%.0f,\"caller_us\":%.3f,\"process_us\":%.3f}\n", puts / seconds_since(begin),
              caller_s.load() / puts * 1e6, (cpu_s(CLOCK_PROCESS_CPUTIME_ID) - process_s) / puts * 1e6);
}

/// A query that finds nothing looks at every line.
void read(std::uint64_t lines) {
  const Scratch scratch;
  concord::Node node = bench::open(options_of(scratch, concord::Durability::memory, true));
  for (std::uint64_t i = 0; i < lines; ++i) {
    if (auto put = node.put(Key(i % 1000), 1); !put) die(put.error().message());
  }
  concord::AuditLog audit(node);
  auto begin = steady_clock::now();
  const auto found = audit.query({.operation = "touch"});
  const double query_s = seconds_since(begin);
  if (!found) die(found.error().message());
  if (!found->empty()) die("a query found what nobody did");
  begin = steady_clock::now();
  const auto verified = audit.verify();
  const double verify_s = seconds_since(begin);
  if (!verified || !verified->valid || verified->entries < lines) die("the log is not valid");
  std::printf("{\"query_s\":%.3f,\"verify_s\":%.3f,\"verified_bytes\":%llu}\n", query_s, verify_s,
              static_cast<unsigned long long>(audit.stats()->total_size));
}

concord::Durability durability_of(std::string_view name) {
  if (name == "disk") return concord::Durability::disk;
  if (name == "os") return concord::Durability::os;
  if (name != "memory") die("the durability is disk, os or memory");
  return concord::Durability::memory;
}

}  // namespace

int main(int count, char** words) {
  const std::string_view what = count > 1 ? words[1] : "";
  if (what == "puts" && count == 6) {
    put_for(durability_of(words[2]), static_cast<unsigned>(std::atoi(words[3])), std::atof(words[4]),
            std::string_view(words[5]) == "on");
  } else if (what == "reads" && count == 3) {
    read(static_cast<std::uint64_t>(std::atoll(words[2])));
  } else {
    die("usage: audit_bench puts disk|os|memory CALLERS SECONDS on|off, audit_bench reads LINES");
  }
}
