// Misfortunes: which come in a run, when, and for how long, follows from its seed. Each run has some kinds only, so that all
// combinations come up among many runs.
//
// Each misfortune has a number and draws from a source of its own: a run that leaves one out has all the others at the same times.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/simulation.hpp"

namespace concord::sim {

class Nemesis {
 public:
  explicit Nemesis(Simulation& simulation);

  void start();
  /// Ends all that is under way and starts what is down.
  void end_all();
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const noexcept { return counts_; }
  /// Came so far, those that were left out among them.
  [[nodiscard]] std::uint64_t planned() const noexcept { return planned_; }

 private:
  struct Fault {
    std::string name;
    std::function<void()> happen;
  };

  void plan_next();
  void come(std::uint64_t number);
  [[nodiscard]] Machine& any_machine() { return *simulation_.machines()[random_.below(simulation_.machines().size())]; }
  /// Uniform in [least, most].
  [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + random_.below(most - least + 1);
  }
  void add_pauses();
  void add_process_faults();
  void add_network_faults();
  void add_disk_faults();
  void add_clock_faults();
  void add_requests();
  void add_membership_changes();
  /// Some time later, unless all has ended.
  void later(TimeUs least_us, TimeUs most_us, std::function<void()> what);
  void start_later(Machine& machine);
  void restart_later(Machine& machine);

  Simulation& simulation_;
  World& world_;
  const std::uint64_t seed_;
  base::Random random_;  // of the misfortune that comes
  std::uint64_t planned_ = 0;
  std::vector<Fault> all_;
  std::vector<Fault> chosen_;
  std::map<std::string, std::uint64_t> counts_;
  TimeUs most_pause_us_ = 2 * second;
  bool has_ended_ = false;
};

}  // namespace concord::sim
