// One run: a cluster, its clients and its misfortunes, all of it following from one number.
//
// First the safety phase: faults come and go while clients work. Then all faults stop, what is down starts, and the liveness phase asks
// that the cluster comes back: a leader, every member ready and of one state, a write and a strong read through every one of
// them. All along it is watched that no two nodes lead in one term, and that states of one log index are equal; in the end the whole
// history is checked (history.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/access_history.hpp"
#include "sim/access_watch.hpp"
#include "sim/administrators.hpp"
#include "sim/clients.hpp"
#include "sim/expiry_watch.hpp"
#include "sim/history.hpp"
#include "sim/machine.hpp"
#include "sim/network.hpp"
#include "sim/world.hpp"

namespace concord::sim {

class Nemesis;

struct Settings {
  std::uint64_t seed = 1;
  TimeUs faults_us = 60 * second;        ///< the safety phase
  std::set<std::uint64_t> without = {};  ///< misfortunes that don't come, by number
  bool is_exportable = false;            ///< only what export.hpp can write: nothing expires or is restored
  std::function<void(TimeUs, const std::string&)> tell = {};
};

struct Report {
  std::optional<std::string> problem = {};
  std::uint64_t trace_hash = 0;
  TimeUs simulated_us = 0;
  std::uint64_t events = 0;
  std::uint64_t operations = 0;  ///< answered
  std::uint64_t unknown = 0;
  std::uint64_t with_tokens = 0;  ///< of those that were answered
  std::uint64_t denied = 0;       ///< of those with tokens
  std::uint64_t terms = 0;
  std::size_t machines = 0;
  std::map<std::string, std::uint64_t> faults = {};  ///< how often each came
  std::uint64_t planned = 0;                         ///< misfortunes, with those that were left out
  History history = {};                              ///< what clients saw
};

class Simulation {
 public:
  explicit Simulation(const Settings& settings);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  [[nodiscard]] Report run();

  // --- for the nemesis ---------------------------------------------------------------------------------------------------
  [[nodiscard]] World& world() noexcept { return world_; }
  [[nodiscard]] Network& network() noexcept { return network_; }
  [[nodiscard]] std::vector<std::unique_ptr<Machine>>& machines() noexcept { return machines_; }
  /// Who leads, as far as it knows itself; null: nobody.
  [[nodiscard]] Machine* leader();
  [[nodiscard]] Machine& any_machine() { return *machines_[world_.random().below(machines_.size())]; }
  void wrong(const std::string& problem);
  void observe_events(Machine& machine);
  /// A wall clock has been set wrong: from the next start of any process on nothing is known of the time (CONTRACT 2).
  void note_clock_step() noexcept { has_clock_stepped_ = true; }
  void name_others_to_who_has_no_place();
  [[nodiscard]] bool leaves_out(std::uint64_t fault) const { return settings_.without.contains(fault); }
  /// A new machine that is to join the cluster by itself; null: there are enough.
  Machine* add_machine();
  /// Has a member removed through the cluster; whoever it is then stays out.
  void remove(Machine& machine);
  /// The machine loses its disk for good: it is removed from the cluster, and comes back as a new member. False: the cluster could
  /// not bear that now.
  bool replace_disk(Machine& machine);
  /// A byte on the machine's disk changes while it is down. It starts and has lost nothing, or says where the damage is and is replaced.
  void damage_disk(Machine& machine, base::Random& random);
  /// Not removed, and not to be.
  [[nodiscard]] bool is_wanted(const Machine& machine) const { return !retired_.contains(machine.number()); }
  [[nodiscard]] std::size_t wanted() const noexcept { return machines_.size() - retired_.size(); }
  [[nodiscard]] Durability durability() const noexcept { return durability_; }

 private:
  void build();
  [[nodiscard]] Workload draw_workload();
  void employ_administrators();
  [[nodiscard]] std::optional<std::string> problem_of_histories() const;
  [[nodiscard]] Options options_of(std::size_t number) const;
  /// As a member that may lose its disk for good now; nothing: the cluster could not bear that.
  [[nodiscard]] std::optional<MemberStatus> spare(Machine& machine);
  void replace(Machine& machine, const MemberStatus& own);
  void note_start();
  void observe(Machine& machine);
  void live();
  void make_machine(const Options& options);
  void administrate();
  void note_removed();
  [[nodiscard]] bool is_done_with(Machine& machine);
  void expect_all_ready();
  void expect_all_equal();
  void expect_all_answer();
  /// Lets time pass until it is so.
  bool comes_true(TimeUs limit_us, const std::function<bool()>& condition);
  [[nodiscard]] std::string states();

  const Settings settings_;
  World world_;
  Network network_;
  History history_;
  std::vector<std::unique_ptr<Machine>> machines_;
  AccessHistory access_history_;
  AccessWatch access_watch_;
  ExpiryWatch expiry_watch_;
  std::unique_ptr<Administrators> administrators_;  // null: there are no tokens in this run
  std::unique_ptr<Clients> clients_;
  std::unique_ptr<Nemesis> nemesis_;
  std::set<std::size_t> retired_;  // removed, or being removed
  std::map<std::size_t, TimeUs> asked_to_remove_us_;
  std::map<std::size_t, std::set<std::string>> damaged_files_;  // on each machine's disk, since it was new
  std::uint64_t replaced_id_ = 0;                               // of `replacing_`
  std::optional<std::size_t> replacing_;                        // its old self is to be removed, so that it can join
  std::map<std::uint64_t, std::uint64_t> events_at_;            // hash of the event of each revision
  std::optional<std::string> problem_;
  Durability durability_ = Durability::disk;
  std::uint64_t drift_ppm_ = 0;
  bool has_clock_stepped_ = false;
  TimeUs time_known_until_us_ = never_us;
  std::size_t founders_ = 3;
  std::uint64_t snapshot_entries_ = 1000;
  std::chrono::milliseconds heartbeat_{50};
  std::map<std::uint64_t, std::size_t> leaders_;                                // by term
  std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> states_at_;  // digest and revision by index
};

}  // namespace concord::sim
