// For tests: three machines that make a cluster, and what a test does with them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/machine.hpp"
#include "sim/network.hpp"

namespace concord::sim {

class Cluster {
 public:
  explicit Cluster(std::uint64_t seed, Options options = {}) : world_(seed), network_(world_) {
    options.data_dir = "/data";
    options.cluster.cookie = "of the test";
    for (const char* name : {"n0", "n1", "n2"}) {
      options.cluster.initial.push_back({.name = name, .peer = std::string(name) + ":9100"});
    }
    for (std::size_t number = 0; number < 3; ++number) {
      options.name = "n" + std::to_string(number);
      options.cluster.advertise = options.name + ":9100";
      machines_.push_back(std::make_unique<Machine>(world_, network_, number, options, Machine::Hooks{}));
      machines_.back()->start();
    }
  }

  /// Null: nobody does for ten seconds.
  Machine* wait_leader(const Machine* but = nullptr) {
    for (int steps = 0; steps < 10'000; ++steps) {
      for (const auto& machine : machines_) {
        if (machine.get() != but && machine->is_up() && machine->runtime().is_serving()) return machine.get();
      }
      pass(1 * ms);
    }
    return nullptr;
  }
  void cut_off(const Machine& one) {
    for (const auto& other : machines_) {
      if (other.get() == &one) continue;
      network_.block(one.number(), other->number());
      network_.block(other->number(), one.number());
    }
  }
  [[nodiscard]] bool put(Machine& machine, const std::string& key) {
    std::optional<bool> is_done;
    const std::string value(
        "\0"
        "1",
        2);
    machine.call([&] {
      machine.runtime().write_async({.key = key, .value = value}, std::chrono::milliseconds(2000),
                                    [&](const Result<command::Outcome>& outcome) { is_done = outcome.has_value(); });
    });
    while (!is_done) pass(1 * ms);
    return *is_done;
  }
  /// What a `leader` read that is answered at once says; nothing: it is not.
  std::optional<bool> sees_at_once(Machine& machine, const std::string& key) {
    std::optional<bool> seen;
    machine.call([&] {
      const auto answer = std::make_shared<std::optional<bool>>();
      machine.runtime().when_readable(ReadConsistency::leader, std::chrono::milliseconds(2000),
                                      [&, answer](const Result<void>& may) {
                                        if (may) *answer = machine.runtime().state().get_entry(key).has_value();
                                      });
      seen = *answer;
    });
    return seen;
  }
  /// The machine that is none of these.
  [[nodiscard]] Machine& other_than(const Machine& one, const Machine& another) {
    return **std::ranges::find_if(
        machines_, [&](const auto& machine) { return machine.get() != &one && machine.get() != &another; });
  }
  /// Within half a minute.
  template <class Holds>
  [[nodiscard]] bool comes_true(const Holds& holds) {
    for (const TimeUs end_us = world_.now_us() + 30 * second; world_.now_us() < end_us; pass(1 * ms)) {
      if (holds()) return true;
    }
    return false;
  }
  void pass(TimeUs time_us) { world_.run_until(world_.now_us() + time_us); }
  [[nodiscard]] std::vector<std::unique_ptr<Machine>>& machines() noexcept { return machines_; }
  [[nodiscard]] World& world() noexcept { return world_; }

 private:
  World world_;
  Network network_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

}  // namespace concord::sim
