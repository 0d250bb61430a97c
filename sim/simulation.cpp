#include "sim/simulation.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "sim/damage.hpp"
#include "sim/nemesis.hpp"

namespace concord::sim {

namespace {

constexpr std::size_t most_machines = 7;
constexpr TimeUs patience_us = 30 * second;
constexpr TimeUs calm_us = 8 * second;
/// Far more than any clock has: what it spoils is to be seen within a minute.
constexpr std::uint64_t worst_drift_ppm = 5'000;

std::string name_of(Durability durability) {
  switch (durability) {
    case Durability::disk: return "disk";
    case Durability::os: return "os";
    case Durability::memory: break;
  }
  return "memory";
}

/// It names each key once.
bool is_well_formed(std::string_view event) {
  store::HistoryEvent read(event);
  std::set<std::string_view> keys;
  store::HistoryEvent::Change change;
  while (read.next(change)) {
    if (!keys.insert(change.key).second) return false;
  }
  return read.ok();
}

}  // namespace

Simulation::Simulation(const Settings& settings) : settings_(settings), world_(settings.seed), network_(world_) {
  if (settings.tell) world_.tell_to(settings.tell);
  build();
}

/// Processes end while there are clients that hear of it.
Simulation::~Simulation() { machines_.clear(); }

Options Simulation::options_of(std::size_t number) const {
  Options options;
  const auto name_of = [](std::size_t n) { return "n" + std::to_string(n); };
  const auto address_of = [](std::size_t n) { return "n" + std::to_string(n) + ":9100"; };
  options.name = name_of(number);
  options.data_dir = "/data";
  options.durability = durability_;
  options.snapshot.every_entries = snapshot_entries_;
  options.heartbeat = heartbeat_;
  options.election_timeout = 10 * heartbeat_;
  options.cluster.cookie = "of the simulation";
  options.cluster.advertise = address_of(number);
  for (std::size_t other = 0; other < founders_; ++other) {
    options.cluster.initial.push_back({.name = name_of(other), .peer = address_of(other)});
  }
  if (number < founders_) return options;
  for (const InitialMember& founder : std::exchange(options.cluster.initial, {})) {
    options.cluster.join.push_back(founder.peer);
  }
  for (std::size_t other = founders_; other < number; ++other) options.cluster.join.push_back(address_of(other));
  return options;
}

void Simulation::build() {
  base::Random& random = world_.random();
  const std::size_t sizes[] = {1, 2, 3, 3, 3, 3, 5, 5, 5, most_machines};
  founders_ = sizes[random.below(std::size(sizes))];
  const Durability modes[] = {Durability::disk, Durability::disk, Durability::disk, Durability::disk,
                              Durability::disk, Durability::os,   Durability::os,   Durability::memory};
  durability_ = modes[random.below(std::size(modes))];
  if (random.one_in(3)) drift_ppm_ = worst_drift_ppm;
  const std::uint64_t snapshots[] = {20, 100, 500, 100'000};
  if (random.one_in(2)) heartbeat_ *= 2;
  snapshot_entries_ = snapshots[random.below(std::size(snapshots))];
  while (machines_.size() < founders_) make_machine(options_of(machines_.size()));
  const Workload workload = draw_workload();
  clients_ = std::make_unique<Clients>(world_, workload, history_, [this] { return &any_machine(); });
  if (random.one_in(2)) employ_administrators();
  nemesis_ = std::make_unique<Nemesis>(*this);
}

/// A process that starts goes by a wall clock, its own or the one that was written into the log.
void Simulation::note_start() {
  if (has_clock_stepped_) time_known_until_us_ = std::min(time_known_until_us_, world_.now_us());
}

Workload Simulation::draw_workload() {
  base::Random& random = world_.random();
  Workload workload;
  workload.clients = 1 + random.below(8);
  workload.keys = 1 + random.below(10);
  const TimeUs pauses[] = {10 * ms, 100 * ms, 400 * ms, 400 * ms, 1 * second, 1 * second};
  workload.most_pause_us = pauses[random.below(std::size(pauses))];
  if (random.one_in(3)) workload.padding_bytes = 20'000;
  if (random.one_in(2)) workload.restores = 4;
  workload.with_tokens = 30;
  if (settings_.is_exportable) workload.expiring = workload.restores = 0;
  return workload;
}

void Simulation::employ_administrators() {
  administrators_ = std::make_unique<Administrators>(
      world_, 1 + world_.random().below(2), access_history_, [this] { return &any_machine(); },
      [this](const std::string& problem) { wrong(problem); });
  clients_->take_errands_from(*administrators_);
}

void Simulation::make_machine(const Options& options) {
  machines_.push_back(
      std::make_unique<Machine>(world_, network_, machines_.size(), options,
                                Machine::Hooks{.observe = [this](Machine& machine) { observe(machine); },
                                               .started = [this] { note_start(); },
                                               .ended =
                                                   [this](Machine& machine) {
                                                     if (clients_) clients_->machine_ended(machine);
                                                     if (administrators_) administrators_->machine_ended(machine);
                                                   }}));
  if (drift_ppm_ == 0) return;
  machines_.back()->set_drift(static_cast<std::int64_t>(world_.between(0, 2 * drift_ppm_)) -
                              static_cast<std::int64_t>(drift_ppm_));
}

Report Simulation::run() {
  world_.tell(std::to_string(founders_) + " machines, durability " + name_of(durability_) + ", a snapshot every " +
              std::to_string(snapshot_entries_) + " entries, clocks off by up to " + std::to_string(drift_ppm_) +
              " ppm");
  for (auto& machine : machines_) {
    world_.after(world_.between(0, 500 * ms), [one = machine.get()] {
      if (!one->is_up()) one->start();
    });
  }
  world_.after(1 * second, [this] { administrate(); });
  world_.after(300 * ms, [this] {
    if (administrators_) administrators_->start();
    clients_->start();
  });
  world_.after(world_.between(0, 3 * second), [this] { nemesis_->start(); });
  world_.run_until(settings_.faults_us);
  if (!problem_) live();
  if (!problem_) {
    if (auto found = problem_of_histories()) wrong(*found);
  }
  Report report{.problem = problem_,
                .trace_hash = world_.trace_hash(),
                .simulated_us = world_.now_us(),
                .events = world_.events_run(),
                .operations = clients_->answered(),
                .terms = leaders_.size(),
                .machines = machines_.size(),
                .faults = nemesis_->counts(),
                .planned = nemesis_->planned()};
  for (const Operation& operation : history_.operations()) {
    report.unknown += operation.fate == Fate::unknown ? 1 : 0;
    report.with_tokens += operation.token != 0 && operation.fate == Fate::done ? 1 : 0;
    report.denied += operation.denial != Denial::none ? 1 : 0;
  }
  report.history = std::move(history_);
  return report;
}

std::optional<std::string> Simulation::problem_of_histories() const {
  const Clocks clocks{.error_ppm = drift_ppm_, .known_until_us = time_known_until_us_};
  if (auto found = problem_of(history_, clocks)) return found;
  if (auto found = problem_of(access_history_, history_, clocks)) return found;
  if (auto found = access_watch_.problem()) return found;
  return expiry_watch_.problem();
}

void Simulation::wrong(const std::string& problem) {
  if (problem_) return;
  problem_ = problem;
  world_.tell("WRONG: " + problem);
  world_.end();
}

Machine* Simulation::leader() {
  for (auto& machine : machines_) {
    if (machine->is_running() && machine->runtime().is_serving()) return machine.get();
  }
  return nullptr;
}

// ---------------------------------------------------------------------------------------------------------------------
// Members come and go.

Machine* Simulation::add_machine() {
  if (machines_.size() == most_machines + 2) return nullptr;
  make_machine(options_of(machines_.size()));
  machines_.back()->start();
  return machines_.back().get();
}

void Simulation::remove(Machine& machine) {
  constexpr std::size_t fewest = 2;
  if (!is_wanted(machine) || wanted() <= fewest || replacing_) return;
  retired_.insert(machine.number());
}

std::optional<MemberStatus> Simulation::spare(Machine& machine) {
  Machine* const leads = leader();
  if (replacing_ || leads == nullptr || leads == &machine || !is_wanted(machine) || wanted() < 3) return std::nullopt;
  // All the others are there and vote: else the cluster may lose its quorum for good.
  const auto members = leads->runtime().status().cluster.members;
  const auto own = std::ranges::find(members, machine.name(), &MemberStatus::name);
  const bool all_vote = std::ranges::all_of(members, &MemberStatus::voter);
  if (own == members.end() || !all_vote || members.size() != wanted()) return std::nullopt;
  const bool others_are_ready = std::ranges::all_of(machines_, [&](const auto& one) {
    return one.get() == &machine || !is_wanted(*one) || (one->is_running() && !one->runtime().not_ready());
  });
  if (!others_are_ready) return std::nullopt;
  std::vector<std::string>& join = machine.options().cluster.join;  // its founders may have gone
  join.clear();
  for (const MemberStatus& member : members) {
    if (member.name != machine.name()) join.push_back(member.peer);
  }
  return *own;
}

void Simulation::replace(Machine& machine, const MemberStatus& own) {
  machine.kill();
  machine.wipe();
  damaged_files_.erase(machine.number());
  replacing_ = machine.number();
  replaced_id_ = own.id;
  machine.start();
}

bool Simulation::replace_disk(Machine& machine) {
  const auto own = spare(machine);
  if (own) replace(machine, *own);
  return own.has_value();
}

void Simulation::damage_disk(Machine& machine, base::Random& random) {
  const auto own = spare(machine);
  if (!own) return;
  machine.kill();
  const auto damage = flip_byte(machine.disk(), random);
  if (!damage) return machine.start();
  world_.tell(machine.name() + " finds byte " + std::to_string(damage->offset) + " of " + damage->path + " changed");
  std::set<std::string>& damaged = damaged_files_[machine.number()];  // some are looked at by a later start only
  damaged.insert(damage->path);
  machine.start();
  if (machine.is_up()) return;
  const std::string& why = machine.start_problem()->message();
  const bool names_one =
      std::ranges::any_of(damaged, [&](const std::string& path) { return why.find(path) != std::string::npos; });
  if (!names_one || why.find("offset") == std::string::npos) {
    return wrong(machine.name() + " does not say where its disk is damaged, " + damage->path + " at " +
                 std::to_string(damage->offset) + ": " + why);
  }
  replace(machine, *own);
}

/// What an operator does now and then: looks who is still a member that is to go, and asks the cluster to remove it.
void Simulation::administrate() {
  world_.after(1 * second, [this] { administrate(); });
  note_removed();
  Machine* const leads = leader();
  if (leads == nullptr) return;
  const auto members = leads->runtime().status().cluster.members;
  const auto id_of = [&](std::size_t number) {
    const auto found = std::ranges::find(members, machines_[number]->name(), &MemberStatus::name);
    return found == members.end() ? 0 : found->id;
  };
  if (replacing_ && id_of(*replacing_) != replaced_id_) replacing_.reset();  // gone, or there is a new one already
  std::set<std::size_t> leaving = retired_;
  if (replacing_) leaving.insert(*replacing_);
  for (const std::size_t number : leaving) {
    TimeUs& asked_us = asked_to_remove_us_[number];
    const bool is_asked = asked_us != 0 && world_.now_us() < asked_us + 4 * second;  // one wish at a time
    if (is_asked || id_of(number) == 0) continue;
    asked_us = world_.now_us();
    leads->post([leads, name = machines_[number]->name()] {
      leads->runtime().change_members({.kind = node::ChangeKind::remove, .member = {.name = name}},
                                      std::chrono::milliseconds(2000), [](const Result<replica::Member>&) {});
    });
  }
}

/// A process that was told that it is removed ends. Who asks twice for a removal by name may meet the new node of that name: that
/// one comes back with an empty disk once more, or is started again if it was still joining, as its log asks for.
void Simulation::note_removed() {
  for (auto& machine : machines_) {
    const bool was_joining = machine->is_running() && !machine->runtime().has_place();
    if (was_joining && machine->runtime().not_ready().value_or("").find("start it again") != std::string::npos) {
      machine->kill();
      machine->start();
      continue;
    }
    if (!machine->is_running() || !machine->runtime().is_removed()) continue;
    if (!is_wanted(*machine)) {
      machine->kill();
    } else if (asked_to_remove_us_.contains(machine->number()) && replacing_ != machine->number()) {
      machine->kill();
      machine->wipe();
      damaged_files_.erase(machine->number());
      machine->start();
    }
  }
}

/// It is out of the cluster for good, or the cluster has forgotten it.
bool Simulation::is_done_with(Machine& machine) {
  if (is_wanted(machine)) return false;
  Machine* const leads = leader();
  if (leads == nullptr || leads == &machine) return false;
  const auto members = leads->runtime().status().cluster.members;
  return std::ranges::find(members, machine.name(), &MemberStatus::name) == members.end();
}

// ---------------------------------------------------------------------------------------------------------------------
// Safety, all along.

void Simulation::observe(Machine& machine) {
  const node::Runtime& node = machine.runtime();
  if (const auto failure = node.failure(); failure && failure->code() == Errc::internal) {
    return wrong(machine.name() + " has failed: " + failure->message());
  }
  if (machine.misdeed()) return wrong(machine.name() + " " + *machine.misdeed());
  if (!node.has_place()) return;
  if (node.is_serving()) {
    const auto [leader, is_new] = leaders_.emplace(node.term().value(), machine.number());
    if (!is_new && leader->second != machine.number()) {
      return wrong("two leaders in term " + std::to_string(node.term().value()) + ": n" +
                   std::to_string(leader->second) + " and " + machine.name());
    }
  }
  const store::StateMachine& state = node.state();
  const std::uint64_t applied = state.applied_index().value();
  if (applied <= 1 || std::exchange(machine.last_observed(), applied) == applied) return;
  const std::pair seen(state.digest(), state.revision().value());
  world_.trace(seen.first);
  const auto [known, is_new] = states_at_.emplace(applied, seen);
  if (!is_new && known->second != seen) {
    wrong("two states at index " + std::to_string(applied) + ", one of them at " + machine.name() + ": revisions " +
          std::to_string(known->second.second) + " and " + std::to_string(seen.second));
  }
  if (const auto problem = expiry_watch_.look(applied, state.cluster_time_ms())) {
    return wrong(machine.name() + ' ' + *problem);
  }
  if (administrators_) {
    if (const auto problem = access_watch_.look(state)) return wrong(machine.name() + ' ' + *problem);
  }
  observe_events(machine);
}

/// Each revision has one event, the same on all machines, whatever they went through.
void Simulation::observe_events(Machine& machine) {
  const store::History& history = machine.history();
  if (history.newest() != machine.runtime().state().revision()) {
    return wrong(machine.name() + " has events up to revision " + std::to_string(history.newest().value()) +
                 ", and is at " + std::to_string(machine.runtime().state().revision().value()));
  }
  const std::uint64_t time_ms = machine.runtime().state().cluster_time_ms();
  std::uint64_t at = std::max(machine.last_event().value() + 1, history.oldest().value());
  for (; at <= history.newest().value(); ++at) {
    const auto block = history.find(Revision(at));
    if (!block) return wrong(machine.name() + " has no event of revision " + std::to_string(at));
    const std::string event = block->event(static_cast<std::size_t>(at - block->first().value())).plain();
    const std::uint64_t hash = std::hash<std::string_view>()(event);
    const auto [known, is_new] = events_at_.emplace(at, hash);
    if (is_new ? !is_well_formed(event) : known->second != hash) {
      return wrong(machine.name() + " tells of revision " + std::to_string(at) + " what " +
                   (is_new ? "can't have happened" : "others don't"));
    }
    if (is_new) expiry_watch_.take(at, event);
    expiry_watch_.narrow(at, machine.last_time_ms(), time_ms);
  }
  machine.last_event() = history.newest();
  machine.last_time_ms() = time_ms;
}

// ---------------------------------------------------------------------------------------------------------------------
// Liveness, in the end.

bool Simulation::comes_true(TimeUs limit_us, const std::function<bool()>& condition) {
  const TimeUs until_us = world_.now_us() + limit_us;
  while (!condition()) {
    if (problem_ || world_.now_us() >= until_us) return false;
    world_.run_until(world_.now_us() + 20 * ms);
  }
  return true;
}

std::string Simulation::states() {
  std::string text;
  for (auto& machine : machines_) {
    text += "\n    " + machine->name() + (is_wanted(*machine) ? ": " : " (is to go): ");
    if (!machine->is_up()) {
      text += "down" + (machine->start_problem() ? ", " + machine->start_problem()->message() : std::string());
      continue;
    }
    const Status status = machine->runtime().status();
    text += std::string(node_state_name(status.cluster.state)) + ", term " + std::to_string(status.cluster.term) +
            ", applied " + std::to_string(status.cluster.applied_index) + " of " +
            std::to_string(status.cluster.commit_index) + ", revision " +
            std::to_string(status.storage.revision.value()) + ", leader " + status.cluster.leader.value_or("unknown") +
            ", " + machine->runtime().not_ready().value_or("ready");
    if (const auto problem = machine->runtime().failure()) text += ", failed: " + problem->message();
    text += ", knows";
    for (const MemberStatus& member : status.cluster.members)
      text += ' ' + member.name + (member.voter ? "" : " (learner)");
  }
  return text;
}

/// All whom it was told to ask may have gone meanwhile: an operator names others, and starts it again.
void Simulation::name_others_to_who_has_no_place() {
  for (auto& machine : machines_) {
    if (!is_wanted(*machine) || !machine->is_running() || machine->runtime().has_place()) continue;
    std::vector<std::string>& join = machine->options().cluster.join;
    const auto knows_one_that_stays = [&](const std::string& address) {
      return std::ranges::any_of(machines_, [&](const auto& other) {
        return is_wanted(*other) && other->options().cluster.advertise == address && other->is_running() &&
               other->runtime().has_place();
      });
    };
    if (join.empty() || std::ranges::any_of(join, knows_one_that_stays)) continue;
    join.clear();
    for (const auto& other : machines_) {
      if (other != machine && other->is_running() && other->runtime().has_place()) {
        join.push_back(other->options().cluster.advertise);
      }
    }
    machine->kill();
    machine->start();
  }
}

void Simulation::live() {
  nemesis_->end_all();
  name_others_to_who_has_no_place();
  if (!problem_) expect_all_ready();
  // Whoever dialled into a blocked network finds out late.
  world_.run_until(world_.now_us() + calm_us);
  if (!problem_) expect_all_ready();
  clients_->stop();
  if (administrators_) administrators_->stop();
  const auto are_idle = [this] { return clients_->is_idle() && (!administrators_ || administrators_->is_idle()); };
  if (!problem_ && !comes_true(patience_us, are_idle)) {
    wrong("operations are still not answered after the faults" + states());
  }
  if (!problem_) expect_all_answer();
  if (!problem_) expect_all_equal();
}

void Simulation::expect_all_ready() {
  const bool ready = comes_true(patience_us, [this] {
    return std::ranges::all_of(machines_, [this](const auto& machine) {
      return is_done_with(*machine) ||
             (is_wanted(*machine) && machine->is_running() && !machine->runtime().not_ready());
    });
  });
  if (!ready) wrong("the cluster does not come back" + states());
}

void Simulation::expect_all_answer() {
  std::size_t answered = 0;
  std::size_t expected = 0;
  std::string refused;
  const auto take = [&](const std::string& what) {
    ++expected;
    return [&, what](const std::string& error) {
      ++answered;
      if (!error.empty()) refused += "\n    " + what + ": " + error;
    };
  };
  for (auto& machine : machines_) {
    if (!is_wanted(*machine)) continue;
    clients_->put_at(*machine, "last", take("a write at " + machine->name()));
    for (const std::string& key : clients_->keys()) {
      clients_->read_at(*machine, key, take("a read at " + machine->name()));
    }
  }
  if (!comes_true(patience_us, [&] { return answered == expected; })) {
    return wrong("of " + std::to_string(expected) + " last operations " + std::to_string(answered) + " are answered" +
                 states());
  }
  if (!refused.empty()) wrong("after all faults were refused:" + refused + states());
}

void Simulation::expect_all_equal() {
  const bool equal = comes_true(patience_us, [this] {
    Machine* const leads = leader();
    if (leads == nullptr) return false;
    const store::StateMachine& first = leads->runtime().state();
    return std::ranges::all_of(machines_, [&](const auto& machine) {
      if (!is_wanted(*machine)) return true;
      const store::StateMachine& state = machine->runtime().state();
      return state.applied_index() == first.applied_index() && state.digest() == first.digest();
    });
  });
  if (!equal) wrong("the members do not come to one state" + states());
}

}  // namespace concord::sim
