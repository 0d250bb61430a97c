// What is sent again, and what is proposed once: the two ends of a forwarded write.
#include <gtest/gtest.h>

#include "node/forwarded_here.hpp"
#include "node/taken_batches.hpp"

namespace concord::node {
namespace {

using base::NodeId;
using base::Term;

class Sleeper final : public Waiter {
 public:
  void answer(Answer&& outcome) noexcept override { outcome_ = std::move(outcome); }
  std::optional<Answer> outcome_;
};

class TakenBatchesTest : public testing::Test {
 protected:
  TakenBatchesTest() { queue_.set_identity(NodeId(1), 1); }

  /// A batch of one write, taken and sent in `term`.
  TakenBatches::Taken& take(Sleeper& waiter, Term term) {
    EXPECT_TRUE(queue_.push({.key = "k", .value = "1"}, waiter, 1000));
    Batch batch;
    EXPECT_TRUE(queue_.take(batch));
    taken_.add(std::move(batch));
    taken_.all().back().term = term;
    return taken_.all().back();
  }
  void settle(std::uint64_t sequence) {
    std::vector<store::Applied> applied(1);
    applied.front().request = {.node = NodeId(1), .incarnation = 1, .sequence = sequence};
    queue_.answer(applied);
    taken_.drop_settled(queue_);
  }

  WriteQueue queue_{Limits{}};
  TakenBatches taken_;
};

TEST_F(TakenBatchesTest, ABatchIsSentAgainOnceALaterTermIsApplied) {
  Sleeper waiter;
  take(waiter, Term(3));
  taken_.observe(Term(3));
  EXPECT_EQ(taken_.all().front().term, Term(3)) << "it may still turn up";
  taken_.observe(Term(4));
  EXPECT_TRUE(taken_.all().front().term.is_zero())
      << "what term 3 made stands before that entry, and this is not among it";
}

TEST_F(TakenBatchesTest, ASettledBatchIsNeverSentAgainThoughOneBeforeItWaits) {
  Sleeper first;
  Sleeper second;
  take(first, Term(3));
  take(second, Term(3));
  settle(2);
  ASSERT_EQ(taken_.all().size(), 1U);
  EXPECT_EQ(taken_.all().front().batch.first_sequence(), 1U);
  taken_.observe(Term(4));
  settle(1);
  EXPECT_TRUE(taken_.is_empty());
}

TEST_F(TakenBatchesTest, AWriterThatHasGivenUpIsStillWaitedForByTheBatch) {
  Sleeper waiter;
  take(waiter, Term(3));
  EXPECT_EQ(taken_.all().front().batch.deadline_ms(), 1000U);
  taken_.drop_settled(queue_);
  EXPECT_FALSE(taken_.is_empty()) << "its fate is open";
}

TEST(ForwardedHere, ABatchIsProposedOnceATerm) {
  ForwardedHere here;
  here.begin_term(Term(5));
  const ForwardHead head{.term = Term(5), .incarnation = 2, .settled_below = 1, .first_sequence = 10, .count = 3};
  EXPECT_FALSE(here.contains(NodeId(1), head));
  here.add(NodeId(1), head);
  EXPECT_TRUE(here.contains(NodeId(1), head));
  EXPECT_FALSE(here.contains(NodeId(2), head)) << "of another node";
  ForwardHead other_life = head;
  other_life.incarnation = 3;
  EXPECT_FALSE(here.contains(NodeId(1), other_life));
  here.begin_term(Term(5));
  EXPECT_TRUE(here.contains(NodeId(1), head));
  here.begin_term(Term(6));
  EXPECT_FALSE(here.contains(NodeId(1), head)) << "its sender sends it in term 6 only if term 5 lost it";
}

TEST(ForwardedHere, ForgetsWhatItsSenderHasSettled) {
  ForwardedHere here;
  here.begin_term(Term(5));
  for (std::uint64_t first = 1; first <= 100; ++first) {
    here.add(NodeId(1),
             {.term = Term(5), .incarnation = 1, .settled_below = first - 1, .first_sequence = first, .count = 1});
  }
  EXPECT_TRUE(here.contains(NodeId(1), {.term = Term(5), .incarnation = 1, .first_sequence = 99}));
  EXPECT_FALSE(here.contains(NodeId(1), {.term = Term(5), .incarnation = 1, .first_sequence = 98}));
}

}  // namespace
}  // namespace concord::node
