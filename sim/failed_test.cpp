// A node whose disk has failed takes no part any more, and the others know it at once.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "sim/testing_cluster.hpp"

namespace concord::sim {
namespace {

class Failed : public testing::Test {
 protected:
  Failed() : leader_(*cluster_.wait_leader()) {
    EXPECT_TRUE(cluster_.comes_true([&] {
      return std::ranges::all_of(cluster_.machines(), [](const auto& one) { return !one->runtime().not_ready(); });
    }));
  }
  void let_disk_fail(Machine& machine) {
    machine.disk().set_faults({.fail_write_after = machine.disk().writes()});
    (void)cluster_.put(leader_, "key");
    ASSERT_TRUE(cluster_.comes_true([&] { return machine.runtime().failure().has_value(); }));
  }
  /// As `other` sees it.
  static bool is_healthy(const Machine& machine, const Machine& other) {
    const Status status = other.runtime().status();
    const auto shown = std::ranges::find(status.cluster.members, machine.name(), &MemberStatus::name);
    return shown != status.cluster.members.end() && shown->healthy;
  }

  Cluster cluster_{1};
  Machine& leader_;
};

TEST_F(Failed, a_follower_is_not_healthy_for_the_others_and_does_nothing) {
  Machine& follower = *cluster_.machines()[leader_.number() == 0 ? 1 : 0];
  const Machine& third = cluster_.other_than(leader_, follower);
  EXPECT_TRUE(is_healthy(follower, leader_));
  let_disk_fail(follower);
  EXPECT_TRUE(cluster_.comes_true([&] { return !is_healthy(follower, leader_) && !is_healthy(follower, third); }));
  cluster_.pass(5 * second);
  EXPECT_FALSE(is_healthy(follower, leader_)) << "it is let in by nobody, and lets nobody in";
  EXPECT_GT(follower.runtime().next_step_ms(), follower.monotonic_ms());
  EXPECT_EQ(follower.runtime().status().cluster.members.size(), 3U);
  EXPECT_TRUE(cluster_.put(leader_, "behind"));
}

TEST_F(Failed, a_leader_is_followed_by_another_one) {
  let_disk_fail(leader_);
  Machine* const next = cluster_.wait_leader(&leader_);
  ASSERT_NE(next, nullptr);
  EXPECT_TRUE(cluster_.comes_true([&] { return !is_healthy(leader_, *next); }));
  EXPECT_TRUE(cluster_.put(*next, "behind"));
}

}  // namespace
}  // namespace concord::sim
