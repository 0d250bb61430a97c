#include "node/read_gate.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace concord::node {
namespace {

using base::Index;

class ReadGateTest : public testing::Test {
 protected:
  void ask(std::uint64_t deadline_ms = 1000) {
    const std::size_t at = answers_.size();
    answers_.emplace_back();
    gate_.ask({.done = [this, at](Result<void> result) { answers_[at] = std::move(result); },
               .asked_ms = asked_ms_,
               .deadline_ms = deadline_ms});
  }
  [[nodiscard]] bool is_answered(std::size_t at) const { return answers_[at] && answers_[at]->has_value(); }

  std::uint64_t asked_ms_ = 0;
  ReadGate gate_{100};
  std::vector<std::optional<Result<void>>> answers_;
};

TEST_F(ReadGateTest, AReadIsAnsweredOnceItsReadPointIsApplied) {
  ask();
  const std::uint64_t context = gate_.begin_attempt(0);
  gate_.observe({.context = context, .index = Index(7)});
  gate_.settle(Index(6));
  EXPECT_FALSE(answers_[0]);
  gate_.settle(Index(7));
  EXPECT_TRUE(is_answered(0));
}

TEST_F(ReadGateTest, AllThatWaitGoTogetherAndEachAttemptHasAContextOfItsOwn) {
  ask();
  ask();
  const std::uint64_t first = gate_.begin_attempt(0);
  EXPECT_EQ(gate_.begin_attempt(0), 0U) << "nothing waits";
  ask();
  const std::uint64_t second = gate_.begin_attempt(0);
  EXPECT_NE(first, second);
  gate_.observe({.context = first, .index = Index(1)});
  gate_.settle(Index(9));
  EXPECT_TRUE(is_answered(0) && is_answered(1));
  EXPECT_FALSE(answers_[2]) << "it was asked later: the first point may be too old for it";
}

TEST_F(ReadGateTest, AfterAChangeOfRolesTheAnswerOfAnOldAttemptIsNotTaken) {
  ask();
  const std::uint64_t old = gate_.begin_attempt(0);
  gate_.restart();
  gate_.observe({.context = old, .index = Index(1)});
  gate_.settle(Index(9));
  EXPECT_FALSE(answers_[0]);
  const std::uint64_t anew = gate_.begin_attempt(0);
  EXPECT_NE(anew, old);
  gate_.observe({.context = anew, .index = Index(5)});
  gate_.settle(Index(5));
  EXPECT_TRUE(is_answered(0));
}

TEST_F(ReadGateTest, AnAttemptThatHasItsPointIsNotMadeAgain) {
  ask();
  const std::uint64_t context = gate_.begin_attempt(10);
  gate_.observe({.context = context, .index = Index(5)});
  gate_.restart();
  gate_.settle(Index(5));
  EXPECT_TRUE(is_answered(0)) << "the leader of that time confirmed it after the call began";
}

TEST_F(ReadGateTest, WhatIsOverItsDeadlineIsToldSoAsAskedForOrNot) {
  ask(50);
  ask(500);
  EXPECT_NE(gate_.begin_attempt(0), 0U);
  ask(60);
  gate_.give_up(100);
  ASSERT_TRUE(answers_[0] && answers_[2]);
  EXPECT_EQ(answers_[0]->error().code(), Errc::timeout);
  EXPECT_FALSE(answers_[1]);
  gate_.fail_all(Error(Errc::cluster_not_ready, "x"));
  EXPECT_EQ(answers_[1]->error().code(), Errc::cluster_not_ready);
  EXPECT_TRUE(gate_.is_empty());
}

TEST_F(ReadGateTest, WhatWasAskedLongAgoIsRefusedWhateverItWaitsFor) {
  ask();
  gate_.observe({.context = gate_.begin_attempt(0), .index = Index(7)});
  ask();
  (void)gate_.begin_attempt(0);
  ask();
  asked_ms_ = 50;
  ask();
  gate_.refuse_older_than(50, Error(Errc::cluster_not_ready, "x"));
  for (const std::size_t at : {0U, 1U, 2U}) {
    ASSERT_TRUE(answers_[at]) << at;
    EXPECT_EQ(answers_[at]->error().code(), Errc::cluster_not_ready) << at;
  }
  EXPECT_FALSE(answers_[3]);
}

TEST_F(ReadGateTest, OnceAllWereRefusedNobodyHasToLook) {
  ask();
  EXPECT_TRUE(gate_.has_new());
  gate_.fail_all(Error(Errc::storage_failed, "x"));
  EXPECT_FALSE(gate_.has_new());
  EXPECT_TRUE(gate_.is_empty());
}

TEST_F(ReadGateTest, AnAttemptThatWasNotTakenWaitsAgain) {
  ask();
  gate_.withdraw(gate_.begin_attempt(0));
  EXPECT_FALSE(gate_.is_empty());
  EXPECT_NE(gate_.begin_attempt(0), 0U);
}

}  // namespace
}  // namespace concord::node
