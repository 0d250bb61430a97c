#include "node/awaited_forwards.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace concord::node {
namespace {

using command::GuardFailure;
using command::OperationStatus;
using command::Outcome;
using command::Repeat;

constexpr base::NodeId sender{7};

Outcome outcome_of_everything() {
  Outcome outcome;
  outcome.guard_failure = GuardFailure::condition_failed;
  outcome.failed_guard = 3;
  outcome.changed = true;
  outcome.repeat = Repeat::replayed;
  outcome.revision = Revision(70'000);
  outcome.results.push_back({.status = OperationStatus::ok, .revision = Revision(9), .count = 0, .value = Value(17)});
  outcome.results.push_back({.status = OperationStatus::not_found, .revision = {}, .count = 5, .value = {}});
  return outcome;
}

store::Applied applied(std::uint64_t sequence, Outcome outcome = {}, base::NodeId node = sender) {
  store::Applied one;
  one.request = {.node = node, .incarnation = 2, .sequence = sequence};
  one.outcome = std::move(outcome);
  return one;
}

/// Two commands, 10 and 11.
ForwardedBatch batch_of_two(std::optional<Result<std::string>>& answer) {
  ForwardHead head;
  head.incarnation = 2;
  head.first_sequence = 10;
  head.count = 2;
  head.awaits_outcomes = true;
  return {.from = sender, .head = head, .commands = {}, .done = [&answer](Result<std::string> result) {
            answer = std::move(result);
          }};
}

TEST(AwaitedForwards, OutcomesComeBackAsTheyWere) {
  const Outcome sent = outcome_of_everything();
  std::string bytes;
  append_outcome(bytes, sent);
  append_outcome(bytes, Outcome());
  const auto outcomes = decode_outcomes(bytes);
  ASSERT_TRUE(outcomes);
  ASSERT_EQ(outcomes->size(), 2U);
  const Outcome& got = outcomes->front();
  EXPECT_EQ(got.guard_failure, sent.guard_failure);
  EXPECT_EQ(got.failed_guard, sent.failed_guard);
  EXPECT_EQ(got.changed, sent.changed);
  EXPECT_EQ(got.repeat, sent.repeat);
  EXPECT_EQ(got.revision, sent.revision);
  ASSERT_EQ(got.results.size(), 2U);
  EXPECT_EQ(got.results[0].value->stored(), sent.results[0].value->stored());
  EXPECT_EQ(got.results[1].status, OperationStatus::not_found);
  EXPECT_EQ(got.results[1].count, 5U);
  EXPECT_FALSE(got.results[1].value);
}

TEST(AwaitedForwards, RefusalsComeBack) {
  for (const auto refusal : {command::Refusal::unauthorized, command::Refusal::forbidden, command::Refusal::quota}) {
    Outcome sent;
    sent.refusal = refusal;
    std::string bytes;
    append_outcome(bytes, sent);
    const auto outcomes = decode_outcomes(bytes);
    ASSERT_TRUE(outcomes);
    EXPECT_EQ(outcomes->at(0).refusal, refusal);
  }
  EXPECT_FALSE(decode_outcomes(std::string("\x14\0\0\0\0\0", 6)));
}

TEST(AwaitedForwards, CutBytesAreNoOutcomes) {
  std::string bytes;
  append_outcome(bytes, outcome_of_everything());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_outcomes(std::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(AwaitedForwards, ABatchIsAnsweredWithItsLastCommand) {
  AwaitedForwards awaited;
  std::optional<Result<std::string>> answer;
  awaited.add(batch_of_two(answer));
  Outcome second;
  second.revision = Revision(4);
  const std::vector<store::Applied> first_turn = [] {
    std::vector<store::Applied> turn;
    turn.push_back(applied(10, {}, base::NodeId(8)));  // somebody else's
    turn.push_back(applied(10));
    return turn;
  }();
  awaited.observe(first_turn);
  EXPECT_FALSE(answer);
  std::vector<store::Applied> second_turn;
  second_turn.push_back(applied(11, second));
  awaited.observe(second_turn);
  ASSERT_TRUE(answer && *answer);
  const auto outcomes = decode_outcomes(**answer);
  ASSERT_TRUE(outcomes && outcomes->size() == 2);
  EXPECT_EQ(outcomes->back().revision, Revision(4));
}

TEST(AwaitedForwards, AChangeOfLeadersAnswersAll) {
  AwaitedForwards awaited;
  std::optional<Result<std::string>> answer;
  awaited.add(batch_of_two(answer));
  awaited.fail_all(Error(Errc::timeout, "leadership has changed", true));
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().code(), Errc::timeout);
}

}  // namespace
}  // namespace concord::node
