// Votes outlive a loss of power, whatever is promised of writes: who forgets one gives another in the same term, and two lead in it.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/machine.hpp"
#include "sim/network.hpp"

namespace concord::sim {
namespace {

class Votes : public testing::TestWithParam<Durability> {
 protected:
  void build(std::uint64_t seed) {
    world_ = std::make_unique<World>(seed);
    network_ = std::make_unique<Network>(*world_);
    Options options;
    options.data_dir = "/data";
    options.durability = GetParam();
    options.cluster.cookie = "of the test";
    for (const char* name : {"n0", "n1", "n2"}) {
      options.cluster.initial.push_back({.name = name, .peer = std::string(name) + ":9100"});
    }
    for (std::size_t number = 0; number < 3; ++number) {
      options.name = "n" + std::to_string(number);
      options.cluster.advertise = options.name + ":9100";
      machines_.push_back(std::make_unique<Machine>(*world_, *network_, number, options, Machine::Hooks{}));
      machines_.back()->start();
    }
  }
  ~Votes() override { machines_.clear(); }

  /// The first that has voted.
  Machine* voter() {
    for (TimeUs steps = 0; steps < 20'000; ++steps) {
      for (const auto& machine : machines_) {
        if (machine->is_running() && machine->runtime().has_place() && machine->runtime().term().value() > 1) {
          return machine.get();
        }
      }
      world_->run_until(world_->now_us() + 100);
    }
    return nullptr;
  }

  void cut_off(const Machine& one) {
    for (const auto& other : machines_) {
      if (other.get() == &one) continue;
      network_->block(one.number(), other->number());
      network_->block(other->number(), one.number());
    }
  }

  std::unique_ptr<World> world_;
  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

TEST_P(Votes, one_that_was_given_outlives_a_loss_of_power) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    machines_.clear();
    build(seed);
    Machine* const one = voter();
    ASSERT_NE(one, nullptr) << "seed " << seed;
    const base::Term term = one->runtime().term();
    one->lose_power();
    cut_off(*one);  // it learns of no term but its own
    one->start();
    ASSERT_TRUE(one->is_up()) << "seed " << seed << ": " << one->start_problem()->message();
    world_->run_until(world_->now_us() + 3 * second);  // until it has asked for votes: that alone begins no term
    EXPECT_GE(one->runtime().term(), term) << "seed " << seed << ": " << one->name() << " has forgotten";
  }
}

INSTANTIATE_TEST_SUITE_P(InMode, Votes, testing::Values(Durability::disk, Durability::os, Durability::memory));

}  // namespace
}  // namespace concord::sim
