#include <concord/recipes/lock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "recipes/testing_store.hpp"

namespace concord::recipes {
namespace {

using namespace std::chrono_literals;

using LockTest = WithNode;

std::string name_of(int number) { return "owner-" + std::to_string(number); }

TEST_F(LockTest, OneHolderAtATimeAndRisingFencingTokens) {
  constexpr int threads = 8;
  constexpr int each = 15;
  Lock lock(node(), "shared", {.longest_pause = 2ms});
  int unprotected = 0;
  std::vector<Revision> tokens;
  on_threads(threads, [&](int number) {
    for (int i = 0; i < each; ++i) {
      auto hold = lock.acquire(name_of(number), 60s);
      ASSERT_TRUE(hold) << hold.error().message();
      const int before = unprotected;
      std::this_thread::yield();
      unprotected = before + 1;
      tokens.push_back(hold->fencing_token());
      EXPECT_TRUE(hold->is_held());
      EXPECT_TRUE(hold->release());
    }
  });
  EXPECT_EQ(unprotected, threads * each);
  EXPECT_EQ(std::ranges::adjacent_find(tokens, std::ranges::greater_equal()), tokens.end()) << "each larger";
  EXPECT_EQ(node().get(lock.key()).error().code(), Errc::not_found);
}

TEST_F(LockTest, AnotherIsToldWhoHasIt) {
  Lock lock(node(), "job");
  const auto hold = lock.try_acquire("ada");
  ASSERT_TRUE(hold);
  const auto second = lock.try_acquire("bob");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::condition_failed);
  EXPECT_NE(second.error().message().find("ada"), std::string::npos);
  EXPECT_FALSE(second.error().maybe_committed());
  const LockHolder holder = lock.holder().value();
  EXPECT_EQ(holder.owner, "ada");
  EXPECT_EQ(holder.fencing_token, hold->fencing_token());
  EXPECT_EQ(holder.ttl, 30s);
}

TEST_F(LockTest, ARenewalKeepsTheFencingToken) {
  Lock lock(node(), "job");
  auto hold = lock.try_acquire("ada");
  ASSERT_TRUE(hold);
  const Revision token = hold->fencing_token();
  EXPECT_EQ(node().get_entry(lock.key()).value().revision, token);
  ASSERT_TRUE(hold->renew());
  EXPECT_GT(node().get_entry(lock.key()).value().revision, token);
  EXPECT_EQ(hold->fencing_token(), token);
  EXPECT_EQ(lock.holder().value().fencing_token, token);
  EXPECT_GT(hold->remaining(), 0ms);
}

TEST_F(LockTest, TheLockOfAHolderThatVanishedGoesToExactlyOne) {
  const auto taken_at = std::chrono::steady_clock::now();
  ASSERT_TRUE(node().create("locks/job", "vanished", {.ttl = 1s}));
  std::atomic<int> winners{0};
  std::atomic<int> finished{0};
  on_threads(6, [&](int number) {
    Lock lock(node(), "job", {.longest_pause = 5ms});
    auto hold = lock.acquire(name_of(number), 20ms);
    while (!hold && winners.load() == 0) hold = lock.acquire(name_of(number), 20ms);
    if (hold) {
      EXPECT_GE(std::chrono::steady_clock::now() - taken_at, 990ms);
      ++winners;
    } else {
      EXPECT_EQ(lock.try_acquire(name_of(number)).error().code(), Errc::condition_failed);
    }
    ++finished;
    while (finished.load() < 6) std::this_thread::sleep_for(1ms);  // nobody gives it back before
  });
  EXPECT_EQ(winners, 1);
}

TEST_F(LockTest, AHoldThatWasLostNeitherRenewsNorReleasesTheNext) {
  Lock lock(node(), "job", {.ttl = 1s, .longest_pause = 5ms});
  auto first = lock.try_acquire("ada");
  ASSERT_TRUE(first);
  Lock longer(node(), "job", {.longest_pause = 5ms});
  const auto second = longer.acquire("bob", 60s);
  ASSERT_TRUE(second);
  EXPECT_FALSE(first->is_held());
  EXPECT_GT(second->fencing_token(), first->fencing_token());
  EXPECT_EQ(first->renew().error().code(), Errc::condition_failed);
  EXPECT_FALSE(first->release());
  {
    const LockHold given_back = std::move(*first);
  }
  EXPECT_EQ(lock.holder().value().owner, "bob");
  EXPECT_EQ(lock.release("ada").error().code(), Errc::condition_failed);
  EXPECT_EQ(lock.holder().value().owner, "bob");
}

TEST_F(LockTest, TheSameOwnerLaterIsAnotherHold) {
  Lock lock(node(), "job");
  auto first = lock.try_acquire("ada");
  ASSERT_TRUE(node().del(lock.key()));
  const auto second = lock.try_acquire("ada");
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->already_owned());
  EXPECT_EQ(first->release().error().code(), Errc::condition_failed);
  EXPECT_EQ(lock.holder().value().fencing_token, second->fencing_token());
}

TEST_F(LockTest, AFreeLockIsNotFound) {
  Lock lock(node(), "job");
  EXPECT_EQ(lock.holder().error().code(), Errc::not_found);
  EXPECT_EQ(lock.release("ada").error().code(), Errc::not_found);
  auto hold = lock.try_acquire("ada");
  ASSERT_TRUE(hold);
  EXPECT_TRUE(hold->release());
  EXPECT_EQ(hold->release().error().code(), Errc::not_found);
  EXPECT_EQ(hold->renew().error().code(), Errc::not_found);
  EXPECT_FALSE(hold->is_held());
}

TEST_F(LockTest, TheOwnerFindsItsLockAgainAndTheFirstHoldGivesItBack) {
  Lock lock(node(), "job");
  {
    const auto outer = lock.try_acquire("ada");
    ASSERT_TRUE(outer);
    EXPECT_FALSE(outer->already_owned());
    {
      const auto inner = lock.try_acquire("ada");
      ASSERT_TRUE(inner);
      EXPECT_TRUE(inner->already_owned());
      EXPECT_TRUE(inner->is_held());
      EXPECT_EQ(inner->fencing_token(), outer->fencing_token());
    }
    EXPECT_EQ(lock.holder().value().owner, "ada") << "the inner one left it";
  }
  EXPECT_EQ(lock.holder().error().code(), Errc::not_found);
}

TEST_F(LockTest, WithLockGivesBackWhateverHappens) {
  Lock lock(node(), "job");
  EXPECT_EQ(lock.with_lock("ada", [] { return 7; }).value(), 7);
  EXPECT_TRUE(lock.with_lock("ada", [&](const LockHold& hold) { EXPECT_TRUE(hold.is_held()); }));
  const auto failed = lock.with_lock("ada", []() -> Result<int> { return fail(Errc::storage_full, "no"); });
  EXPECT_EQ(failed.error().code(), Errc::storage_full);
  EXPECT_THROW((void)lock.with_lock("ada", [] { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(lock.holder().error().code(), Errc::not_found);
  const auto other = lock.try_acquire("bob");
  bool ran = false;
  EXPECT_EQ(lock.with_lock("ada", 20ms, [&] { ran = true; }).error().code(), Errc::condition_failed);
  EXPECT_FALSE(ran);
}

TEST_F(LockTest, AGuardedWriteHappensOnlyWhileTheLockIsHeld) {
  Lock lock(node(), "job");
  auto hold = lock.try_acquire("ada");
  ASSERT_TRUE(hold->renew());
  EXPECT_TRUE(node().commit({.guards = {hold->guard()}, .then = {Operation::put("x", 1)}}).value().succeeded);
  const Guard late = hold->guard();
  ASSERT_TRUE(hold->release());
  const auto next = lock.try_acquire("bob");
  EXPECT_FALSE(node().commit({.guards = {late}, .then = {Operation::put("x", 2)}}).value().succeeded);
  EXPECT_EQ(node().get<int>("x").value(), 1);
}

TEST_F(LockTest, BadArgumentsAreRefused) {
  EXPECT_EQ(Lock(node(), "job").try_acquire("").error().code(), Errc::invalid_request);
  EXPECT_EQ(Lock(node(), "job").try_acquire("\xff").error().code(), Errc::invalid_request);
  EXPECT_EQ(Lock(node(), "job", {.ttl = 0s}).try_acquire("ada").error().code(), Errc::invalid_request);
  EXPECT_EQ(Lock(node(), "", {.prefix = ""}).try_acquire("ada").error().code(), Errc::invalid_key);
  EXPECT_EQ(node().count().value(), 0U);
}

TEST_F(LockTest, AnOwnerMadeAtRandomIsUnique) {
  std::mt19937_64 random(7);
  const std::string one = unique_owner("worker", random);
  EXPECT_EQ(one.size(), std::string("worker-").size() + 32);
  EXPECT_TRUE(one.starts_with("worker-"));
  EXPECT_NE(one, unique_owner("worker", random));
}

// ---------------------------------------------------------------------------------------------------------------------
// Lost answers.

TEST_F(LockTest, AnAcquisitionWhoseAnswerWasLostIsRecognised) {
  LossyStore store(node());
  Lock lock(store, "job");
  store.lose_next(Fate::done_unanswered);
  {
    const auto hold = lock.try_acquire("ada");
    ASSERT_TRUE(hold) << hold.error().message();
    EXPECT_FALSE(hold->already_owned()) << "it is this hold's to give back";
    EXPECT_EQ(hold->fencing_token(), node().get_entry(lock.key()).value().create_revision);
    EXPECT_TRUE(hold->is_held());
  }
  EXPECT_EQ(lock.holder().error().code(), Errc::not_found);
}

TEST_F(LockTest, AnAcquisitionThatNeverHappenedIsTriedAgain) {
  LossyStore store(node());
  Lock lock(store, "job");
  store.lose_next(Fate::never_done);
  const auto hold = lock.try_acquire("ada");
  ASSERT_TRUE(hold) << hold.error().message();
  EXPECT_EQ(lock.holder().value().owner, "ada");
}

TEST_F(LockTest, AnAcquisitionThatHappensLateTakesNothingFromTheHolder) {
  LossyStore store(node());
  Lock lock(store, "job");
  store.lose_next(Fate::done_late);
  const auto hold = lock.try_acquire("ada");
  ASSERT_TRUE(hold);
  EXPECT_EQ(store.deliver_late(), 0);
  EXPECT_EQ(lock.holder().value().fencing_token, hold->fencing_token());
}

TEST_F(LockTest, WhenAllAnswersAreLostTheErrorSaysThatTheLockMayBeHeld) {
  LossyStore store(node());
  Lock lock(store, "job", {.timeout = 30ms});
  store.fate = [](const Transaction&) { return Fate::done_unanswered; };
  const auto unsure = lock.try_acquire("ada");
  ASSERT_FALSE(unsure);
  EXPECT_TRUE(unsure.error().maybe_committed());
  store.fate = [](const Transaction&) { return Fate::answered; };
  const auto hold = lock.try_acquire("ada");
  ASSERT_TRUE(hold) << "under the same name it is found";
  EXPECT_TRUE(hold->is_held());
}

TEST_F(LockTest, ARenewalWhoseAnswerWasLostDoesNotEndTheHold) {
  LossyStore store(node());
  Lock lock(store, "job");
  auto hold = lock.try_acquire("ada");
  for (const Fate fate : {Fate::done_unanswered, Fate::never_done}) {
    store.lose_next(fate);
    const auto renewed = hold->renew();
    ASSERT_FALSE(renewed);
    EXPECT_TRUE(renewed.error().maybe_committed());
    EXPECT_TRUE(hold->is_held());
    EXPECT_TRUE(hold->renew());
  }
  EXPECT_TRUE(hold->release());
}

TEST_F(LockTest, AReleaseWhoseAnswerWasLostMayBeRepeatedAndNeverFreesTheNext) {
  LossyStore store(node());
  Lock lock(store, "job");
  auto hold = lock.try_acquire("ada");
  store.lose_next(Fate::done_unanswered);
  EXPECT_TRUE(hold->release().error().maybe_committed());
  EXPECT_FALSE(hold->is_held());
  EXPECT_TRUE(hold->release()) << "it was done by the first";

  auto again = lock.try_acquire("ada");
  store.lose_next(Fate::done_late);
  EXPECT_TRUE(again->release().error().maybe_committed());
  EXPECT_TRUE(again->release());
  const auto next = lock.try_acquire("bob");
  EXPECT_EQ(store.deliver_late(), 0);
  EXPECT_EQ(lock.holder().value().owner, "bob");
}

}  // namespace
}  // namespace concord::recipes
