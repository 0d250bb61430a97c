// A learner without voters says so.
#include <chrono>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "sim/machine.hpp"
#include "sim/network.hpp"

namespace concord::sim {
namespace {

using std::chrono::milliseconds;

/// A voter, and a learner that is never promoted.
class Learner : public testing::Test {
 protected:
  Learner() {
    Options options;
    options.data_dir = "/data";
    options.cluster.cookie = "of the test";
    options.cluster.auto_promote = false;
    options.name = "n0";
    options.cluster.advertise = "n0:9100";
    options.cluster.initial = {{.name = "n0", .peer = "n0:9100"}};
    voter_ = std::make_unique<Machine>(world_, network_, 0, options, Machine::Hooks{});
    options.name = "n1";
    options.cluster.advertise = "n1:9100";
    options.cluster.initial.clear();
    options.cluster.join = {"n0:9100"};
    learner_ = std::make_unique<Machine>(world_, network_, 1, options, Machine::Hooks{});
    voter_->start();
    learner_->start();
    EXPECT_TRUE(comes_true([this] { return is_ready(); }));
    EXPECT_EQ(learner_->runtime().status().cluster.state, NodeState::learner);
  }
  template <class Holds>
  bool comes_true(const Holds& holds) {
    for (const TimeUs end_us = world_.now_us() + 30 * second; world_.now_us() < end_us;) {
      if (holds()) return true;
      world_.run_until(world_.now_us() + 1 * ms);
    }
    return false;
  }
  [[nodiscard]] bool is_ready() const { return !learner_->runtime().not_ready(); }
  /// How a read that waits for the leader ends.
  [[nodiscard]] std::optional<Errc> error_of_a_read() {
    const auto answer = std::make_shared<std::optional<Result<void>>>();
    learner_->call([&] {
      learner_->runtime().when_readable(ReadConsistency::leader, milliseconds(20'000),
                                        [answer](Result<void> may) { *answer = std::move(may); });
    });
    EXPECT_TRUE(comes_true([&] { return answer->has_value(); }));
    if (!*answer || **answer) return std::nullopt;
    return (**answer).error().code();
  }

  World world_{1};
  Network network_{world_};
  std::unique_ptr<Machine> voter_;
  std::unique_ptr<Machine> learner_;
};

TEST_F(Learner, is_not_ready_and_knows_no_leader_once_its_voters_have_gone) {
  voter_->kill();
  EXPECT_TRUE(comes_true([this] { return !is_ready(); }));
  EXPECT_FALSE(learner_->runtime().knows_leader());
  EXPECT_EQ(error_of_a_read(), Errc::cluster_not_ready);
  voter_->start();
  EXPECT_TRUE(comes_true([this] { return is_ready(); }));
}

TEST_F(Learner, is_not_ready_and_knows_no_leader_once_it_is_cut_off) {
  network_.block(0, 1);
  network_.block(1, 0);
  EXPECT_TRUE(comes_true([this] { return !is_ready(); }));
  EXPECT_FALSE(learner_->runtime().knows_leader());
  EXPECT_EQ(error_of_a_read(), Errc::cluster_not_ready);
}

}  // namespace
}  // namespace concord::sim
