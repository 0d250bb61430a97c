// `dev sim`: runs of the simulated cluster, and the story of one that went wrong.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "sim/export.hpp"
#include "sim/simulation.hpp"

namespace concord::sim {
namespace {

struct Arguments {
  std::optional<std::uint64_t> seed;
  std::uint64_t first = 1;
  std::uint64_t seeds = 200;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  double minutes = 0;
  std::uint64_t simulated_s = 60;
  std::size_t lines = 80;
  bool is_told = false;
  bool is_shrunk = false;
  std::string histories = {};  ///< a directory

  [[nodiscard]] Settings settings(std::uint64_t of_seed) const {
    return {.seed = of_seed, .faults_us = simulated_s * second, .is_exportable = !histories.empty()};
  }
};

std::string time_text(TimeUs when_us) {
  char text[32];
  std::snprintf(text, sizeof text, "%10.3f s  ", static_cast<double>(when_us) / second);
  return text;
}

/// The same complaint, whatever numbers are in it?
bool is_alike(const std::optional<std::string>& a, const std::optional<std::string>& b) {
  const auto words = [](const std::string& text) { return text.substr(0, text.find_first_of("0123456789\n")); };
  return a && b && words(*a) == words(*b);
}

/// The misfortunes without which the run goes wrong all the same: left out by halves, quarters and so on to one by one.
std::set<std::uint64_t> shrink(const Settings& of_run) {
  Settings settings = of_run;
  settings.tell = nullptr;
  const Report whole = Simulation(settings).run();
  constexpr int most_runs = 300;
  int runs = 0;
  for (std::uint64_t size = (whole.planned + 1) / 2; size > 0 && runs < most_runs; size /= 2) {
    for (std::uint64_t first = 1; first <= whole.planned && runs < most_runs; first += size) {
      Settings fewer = settings;
      for (std::uint64_t number = first; number < first + size; ++number) fewer.without.insert(number);
      if (fewer.without.size() == settings.without.size()) continue;
      ++runs;
      if (is_alike(Simulation(fewer).run().problem, whole.problem)) settings.without = std::move(fewer.without);
    }
  }
  std::cout << "of " << whole.planned << " misfortunes "
            << whole.planned - std::min<std::uint64_t>(whole.planned, settings.without.size()) << " are left\n";
  return settings.without;
}

/// The end of the story of a run that goes wrong, with no more misfortunes than it needs; all of it when it is to be told. False: wrong.
bool tell(std::uint64_t seed, const Arguments& arguments) {
  std::deque<std::string> lines;
  Settings settings = arguments.settings(seed);
  if (arguments.is_shrunk) settings.without = shrink(settings);
  settings.tell = [&](TimeUs when_us, const std::string& line) {
    if (arguments.is_told) {
      std::cout << time_text(when_us) << line << '\n';
      return;
    }
    lines.push_back(time_text(when_us) + line);
    if (lines.size() > arguments.lines) lines.pop_front();
  };
  const Report report = Simulation(settings).run();
  for (const std::string& line : lines) std::cout << line << '\n';
  std::cout << "seed " << seed << ", trace " << std::hex << report.trace_hash << std::dec << ", " << report.operations
            << " operations answered, " << report.unknown << " of unknown outcome, " << report.events << " events, "
            << report.simulated_us / second
            << " s simulated: " << (report.problem ? "WRONG: " + *report.problem : std::string("right")) << '\n';
  return !report.problem;
}

struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  double simulated_s = 0;
  std::uint64_t operations = 0;
  std::uint64_t unknown = 0;
  std::uint64_t with_tokens = 0;
  std::uint64_t denied = 0;
  std::uint64_t events = 0;
  std::uint64_t terms = 0;
  std::map<std::string, std::uint64_t> faults = {};

  void add(const Report& report) {
    ++runs;
    simulated_s += static_cast<double>(report.simulated_us) / second;
    operations += report.operations;
    unknown += report.unknown;
    with_tokens += report.with_tokens;
    denied += report.denied;
    events += report.events;
    terms += report.terms;
    for (const auto& [name, count] : report.faults) faults[name] += count;
  }
  void print(double passed_s) const {
    std::cout << runs << " seeds, " << failed << " wrong; " << simulated_s / 3600 << " hours simulated in " << passed_s
              << " s (" << static_cast<std::uint64_t>(simulated_s / passed_s) << " x real time); " << operations
              << " operations in " << runs << " histories checked, " << unknown << " more of unknown outcome, "
              << with_tokens << " with tokens and " << denied << " more refused by rights and quotas; " << terms
              << " terms, " << events << " events\nfaults:";
    for (const auto& [name, count] : faults) std::cout << ' ' << name << ' ' << count << ',';
    std::cout << ' ' << faults.size() << " kinds\n";
  }
};

/// Runs share nothing, so each thread takes the next seed.
class Many {
 public:
  explicit Many(const Arguments& arguments) : arguments_(arguments), next_(arguments.first) {}

  int run() {
    std::vector<std::thread> threads;
    for (std::size_t job = 0; job < arguments_.jobs; ++job) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    if (first_wrong_) (void)tell(*first_wrong_, arguments_);
    totals_.print(passed_s());
    return totals_.failed == 0 ? 0 : 1;
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] double passed_s() const { return std::chrono::duration<double>(Clock::now() - began_at_).count(); }
  [[nodiscard]] bool is_enough(std::uint64_t seed) const {
    return arguments_.minutes > 0 ? passed_s() >= arguments_.minutes * 60 : seed >= arguments_.first + arguments_.seeds;
  }
  void work() {
    for (;;) {
      const std::uint64_t seed = next_.fetch_add(1);
      if (is_enough(seed)) return;
      const Report report = Simulation(arguments_.settings(seed)).run();
      if (!arguments_.histories.empty()) keep_history(seed, report.history);
      const std::lock_guard lock(mutex_);
      totals_.add(report);
      if (!report.problem) continue;
      ++totals_.failed;
      if (!first_wrong_) first_wrong_ = seed;
      std::cout << "seed " << seed << " goes wrong: " << *report.problem << std::endl;
    }
  }

  void keep_history(std::uint64_t seed, const History& history) const {
    std::ofstream file(arguments_.histories + "/seed-" + std::to_string(seed) + ".jsonl");
    export_history(history, file);
  }

  const Arguments& arguments_;
  const Clock::time_point began_at_ = Clock::now();
  std::atomic<std::uint64_t> next_;
  std::mutex mutex_;
  Totals totals_;                             // guarded by mutex_
  std::optional<std::uint64_t> first_wrong_;  // guarded by mutex_
};

}  // namespace
}  // namespace concord::sim

int main(int argc, char** argv) {
  concord::sim::Arguments arguments;
  CLI::App app("Runs clusters of simulated machines, each run following from its seed alone.");
  app.add_option("--seed", arguments.seed, "one run, told from beginning to end");
  app.add_option("--first", arguments.first, "the first of many seeds");
  app.add_option("--seeds", arguments.seeds, "how many");
  app.add_option("--minutes", arguments.minutes, "as many as there is time for");
  app.add_option("--simulated", arguments.simulated_s, "seconds of faults in each run");
  app.add_option("--jobs", arguments.jobs, "runs at once");
  app.add_flag("--shrink", arguments.is_shrunk,
               "of a run that goes wrong, leaves out all misfortunes that are not needed");
  app.add_option("--histories", arguments.histories, "writes what clients saw to files there, without expiry");
  app.add_option("--lines", arguments.lines, "of the story of the first run that goes wrong");
  CLI11_PARSE(app, argc, argv);
  if (arguments.seed) {
    arguments.is_told = true;
    return concord::sim::tell(*arguments.seed, arguments) ? 0 : 1;
  }
  return concord::sim::Many(arguments).run();
}
