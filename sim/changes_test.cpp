// Wishes for changes of members that can't be made: none holds up another, and none is tried without end.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "sim/testing_cluster.hpp"

namespace concord::sim {
namespace {

using node::ChangeKind;
using std::chrono::milliseconds;

class Changes : public testing::Test {
 protected:
  using Answer = std::shared_ptr<std::optional<Result<replica::Member>>>;

  Changes() : leader_(*cluster_.wait_leader()), follower_(*cluster_.machines()[leader_.number() == 0 ? 1 : 0]) {
    EXPECT_TRUE(cluster_.comes_true([&] {
      return !cluster_.machines()[0]->runtime().not_ready() && !cluster_.machines()[1]->runtime().not_ready() &&
             !cluster_.machines()[2]->runtime().not_ready();
    }));
  }
  /// A machine that is a learner and was never started.
  void add_absent(const std::string& name) {
    const Answer added = wish({.kind = ChangeKind::add, .member = {.name = name, .peer = name + ":9100"}}, 5000);
    ASSERT_TRUE(cluster_.comes_true([&] { return added->has_value(); }));
    ASSERT_TRUE(**added) << (**added).error().message();
  }
  Answer wish(const node::MembershipChange& change, std::int64_t timeout_ms) {
    const Answer answer = std::make_shared<std::optional<Result<replica::Member>>>();
    leader_.call([&] {
      leader_.runtime().change_members(change, milliseconds(timeout_ms),
                                       [answer](Result<replica::Member> member) { *answer = std::move(member); });
    });
    return answer;
  }
  Answer wish(ChangeKind kind, const std::string& name, std::int64_t timeout_ms) {
    return wish({.kind = kind, .member = {.name = name}}, timeout_ms);
  }

  Cluster cluster_{1};
  Machine& leader_;
  Machine& follower_;
};

TEST_F(Changes, one_that_waits_holds_up_no_other) {
  add_absent("n9");
  const Answer promoted = wish(ChangeKind::promote, "n9", 20'000);
  cluster_.pass(100 * ms);
  EXPECT_FALSE(promoted->has_value());
  const Answer removed = wish(ChangeKind::remove, "n9", 20'000);
  cluster_.pass(2 * second);
  ASSERT_TRUE(removed->has_value());
  EXPECT_TRUE(**removed) << (**removed).error().message();
  ASSERT_TRUE(promoted->has_value());
  EXPECT_EQ((**promoted).error().code(), Errc::not_found);
}

TEST_F(Changes, who_has_asked_a_follower_finds_there_what_was_changed) {
  bool is_known = false;
  bool is_answered = false;
  follower_.call([&] {
    follower_.runtime().change_members({.kind = ChangeKind::add, .member = {.name = "n9", .peer = "n9:9100"}},
                                       milliseconds(5000), [&](const Result<replica::Member>& added) {
                                         is_answered = added.has_value();
                                         is_known = std::ranges::count(follower_.runtime().status().cluster.members,
                                                                       "n9", &MemberStatus::name) == 1;
                                       });
  });
  ASSERT_TRUE(cluster_.comes_true([&] { return is_answered; }));
  EXPECT_TRUE(is_known);
}

TEST_F(Changes, one_that_waits_does_not_keep_another_beyond_its_deadline) {
  add_absent("n9");
  const Answer patient = wish(ChangeKind::promote, "n9", 20'000);
  const Answer hasty = wish(ChangeKind::promote, "n9", 1000);
  cluster_.pass(2 * second);
  ASSERT_TRUE(hasty->has_value());
  EXPECT_EQ((**hasty).error().code(), Errc::cluster_not_ready);
  EXPECT_FALSE(patient->has_value());
}

TEST_F(Changes, one_that_waits_does_not_keep_a_leader_from_handing_over) {
  add_absent("n9");
  (void)wish(ChangeKind::promote, "n9", 20'000);
  const Answer handed_over = wish(ChangeKind::transfer, "", 2000);
  cluster_.pass(2 * second);
  ASSERT_TRUE(handed_over->has_value());
  EXPECT_TRUE(**handed_over);
  EXPECT_FALSE(leader_.runtime().is_serving());
}

TEST_F(Changes, leadership_is_not_given_to_who_does_not_answer) {
  const std::string name = follower_.name();
  follower_.kill();
  cluster_.pass(3 * second);
  const Answer refused = wish(ChangeKind::transfer, name, 20'000);
  cluster_.pass(100 * ms);
  ASSERT_TRUE(refused->has_value());
  EXPECT_EQ((**refused).error().code(), Errc::condition_failed);
}

TEST_F(Changes, leadership_that_is_not_taken_is_offered_once) {
  cluster_.cut_off(follower_);
  const Answer refused = wish(ChangeKind::transfer, follower_.name(), 20'000);
  cluster_.pass(3 * second);
  ASSERT_TRUE(refused->has_value());
  EXPECT_EQ((**refused).error().code(), Errc::condition_failed);
  EXPECT_TRUE(leader_.runtime().is_serving());
  EXPECT_TRUE(cluster_.put(leader_, "behind"));
}

}  // namespace
}  // namespace concord::sim
