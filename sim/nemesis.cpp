#include "sim/nemesis.hpp"

#include <algorithm>
#include <utility>

namespace concord::sim {

namespace {

constexpr TimeUs shortest_us = 5 * ms;

}  // namespace

Nemesis::Nemesis(Simulation& simulation)
    : simulation_(simulation), world_(simulation.world()), seed_(world_.random().next()), random_(seed_) {
  add_process_faults();
  add_network_faults();
  add_disk_faults();
  add_clock_faults();
  add_requests();
  add_membership_changes();
  for (Fault& fault : all_) {
    if (random_.one_in(3)) chosen_.push_back(fault);
  }
  if (chosen_.empty()) chosen_.push_back(all_[random_.below(all_.size())]);
  const TimeUs pauses[] = {200 * ms, 1 * second, 3 * second, 8 * second};
  most_pause_us_ = pauses[random_.below(std::size(pauses))];
}

void Nemesis::start() { plan_next(); }

void Nemesis::plan_next() {
  random_ = base::Random(base::Random(seed_ + ++planned_).next());
  later(shortest_us, most_pause_us_, [this, number = planned_] {
    come(number);
    plan_next();
  });
}

void Nemesis::come(std::uint64_t number) {
  Fault& fault = chosen_[random_.below(chosen_.size())];
  if (simulation_.leaves_out(number)) return;
  world_.tell("-- " + fault.name + " (" + std::to_string(number) + ")");
  ++counts_[fault.name];
  fault.happen();
}

void Nemesis::later(TimeUs least_us, TimeUs most_us, std::function<void()> what) {
  world_.after(between(least_us, most_us), [this, what = std::move(what)] {
    if (!has_ended_) what();
  });
}

void Nemesis::start_later(Machine& machine) {
  later(10 * ms, 6 * second, [&machine] {
    if (!machine.is_up()) machine.start();
  });
}

void Nemesis::end_all() {
  has_ended_ = true;
  world_.tell("-- all faults end");
  simulation_.network().heal();
  for (auto& machine : simulation_.machines()) {
    machine->disk_mood() = {};
    if (machine->is_up()) machine->disk().set_faults({});
    machine->resume();
    // One that has failed stays so until it is started anew.
    if (machine->is_up() && machine->runtime().failure()) machine->kill();
    if (!machine->is_up()) machine->start();
  }
}

void Nemesis::restart_later(Machine& machine) {
  later(1 * second, 8 * second, [&machine] {
    machine.kill();
    if (!machine.is_up()) machine.start();
  });
}

}  // namespace concord::sim
