// A leader that was cut off stops answering `leader` reads by itself, before another one can have written anything.
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/machine.hpp"
#include "sim/network.hpp"

namespace concord::sim {
namespace {

using std::chrono::milliseconds;

class Cluster {
 public:
  explicit Cluster(std::uint64_t seed) : world_(seed), network_(world_) {
    Options options;
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
        if (machine.get() != but && machine->runtime().is_serving()) return machine.get();
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
      machine.runtime().write_async({.key = key, .value = value}, milliseconds(2000),
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
      machine.runtime().when_readable(ReadConsistency::leader, milliseconds(2000),
                                      [&, answer](const Result<void>& may) {
                                        if (may) *answer = machine.runtime().state().get_entry(key).has_value();
                                      });
      seen = *answer;
    });
    return seen;
  }
  void pass(TimeUs time_us) { world_.run_until(world_.now_us() + time_us); }

 private:
  World world_;
  Network network_;
  std::vector<std::unique_ptr<Machine>> machines_;
};

TEST(Lease, a_leader_that_was_cut_off_does_not_answer_behind_the_first_write_of_the_next_one) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Cluster cluster(seed);
    Machine* const old = cluster.wait_leader();
    ASSERT_NE(old, nullptr);
    ASSERT_TRUE(cluster.put(*old, "before"));
    EXPECT_EQ(cluster.sees_at_once(*old, "before"), true);
    cluster.pass(seed * 7 * ms);  // its ticks come at another time in each
    cluster.cut_off(*old);
    Machine* const next = cluster.wait_leader(old);
    ASSERT_NE(next, nullptr);
    ASSERT_TRUE(cluster.put(*next, "behind"));
    EXPECT_NE(cluster.sees_at_once(*old, "behind"), false) << "a stale read, under an old lease";
  }
}

}  // namespace
}  // namespace concord::sim
