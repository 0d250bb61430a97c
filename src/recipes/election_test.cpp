#include <concord/recipes/election.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "recipes/testing_store.hpp"

namespace concord::recipes {
namespace {

using namespace std::chrono_literals;

using ElectionTest = WithNode;

std::string name_of(int number) { return "candidate-" + std::to_string(number); }

TEST_F(ElectionTest, EachTermHasOneLeaderAndTermsRise) {
  constexpr int threads = 6;
  constexpr int terms_each = 8;
  std::mutex mutex;
  std::map<Revision, std::string> leader_of;
  Revision last;
  std::atomic<int> leading{0};
  on_threads(threads, [&](int number) {
    Election election(node(), "scheduler", {.longest_pause = 2ms});
    for (int i = 0; i < terms_each; ++i) {
      auto leadership = election.campaign(name_of(number), 60s);
      ASSERT_TRUE(leadership) << leadership.error().message();
      EXPECT_EQ(++leading, 1);
      {
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(leader_of.emplace(leadership->term(), name_of(number)).second);
        EXPECT_GT(leadership->term(), last);
        last = leadership->term();
      }
      EXPECT_TRUE(leadership->renew());
      const auto seen = election.leader();
      ASSERT_TRUE(seen);
      EXPECT_EQ(seen->candidate, name_of(number));
      EXPECT_EQ(seen->term, leadership->term());
      --leading;
      EXPECT_TRUE(leadership->resign());
    }
  });
  EXPECT_EQ(leader_of.size(), static_cast<std::size_t>(threads * terms_each));
}

TEST_F(ElectionTest, WhileOneLeadsNobodyElseDoes) {
  Election election(node(), "scheduler");
  EXPECT_EQ(election.leader().error().code(), Errc::not_found);
  {
    const auto leadership = election.try_campaign("ada");
    ASSERT_TRUE(leadership);
    EXPECT_TRUE(leadership->is_leader());
    EXPECT_EQ(election.try_campaign("bob").error().code(), Errc::condition_failed);
    EXPECT_EQ(election.campaign("bob", 20ms).error().code(), Errc::condition_failed);
    EXPECT_EQ(election.leader().value().candidate, "ada");
  }
  EXPECT_EQ(election.leader().error().code(), Errc::not_found) << "the destructor resigns";
  EXPECT_TRUE(election.try_campaign("bob"));
}

TEST_F(ElectionTest, ALeaderThatComesBackLeadsOnInTheSameTerm) {
  Election election(node(), "scheduler");
  const Revision term = node().create(election.key(), "ada", {.ttl = 60s}).value();  // of the earlier life
  {
    const auto leadership = election.try_campaign("ada");
    ASSERT_TRUE(leadership);
    EXPECT_EQ(leadership->term(), term);
  }
  EXPECT_EQ(election.leader().error().code(), Errc::not_found) << "and resigns";
}

TEST_F(ElectionTest, ALeaderThatSleptIsSucceededByOneAndFencedOff) {
  Election election(node(), "scheduler", {.ttl = 1s});
  auto sleeper = election.try_campaign("sleeper");
  ASSERT_TRUE(sleeper);
  const Guard stale = sleeper->guard();
  std::atomic<int> won{0};
  std::atomic<int> finished{0};
  on_threads(4, [&](int number) {
    Election same(node(), "scheduler", {.ttl = 60s, .longest_pause = 5ms});
    auto leadership = same.campaign(name_of(number), 20ms);
    while (!leadership && won.load() == 0) leadership = same.campaign(name_of(number), 20ms);
    if (leadership) {
      EXPECT_GT(leadership->term(), sleeper->term());
      ++won;
    } else {
      EXPECT_EQ(same.try_campaign(name_of(number)).error().code(), Errc::condition_failed);
    }
    ++finished;
    while (finished.load() < 4) std::this_thread::sleep_for(1ms);
    if (leadership) {
      EXPECT_FALSE(sleeper->is_leader());
      EXPECT_EQ(sleeper->renew().error().code(), Errc::condition_failed);
      EXPECT_FALSE(node().commit({.guards = {stale}, .then = {Operation::put("order", 1)}}).value().succeeded);
      EXPECT_TRUE(
          node().commit({.guards = {leadership->guard()}, .then = {Operation::put("order", 2)}}).value().succeeded);
    }
  });
  EXPECT_EQ(won, 1);
  EXPECT_EQ(node().get<int>("order").value(), 2);
}

TEST_F(ElectionTest, ACampaignWhoseAnswerWasLostIsWon) {
  LossyStore store(node());
  Election election(store, "scheduler");
  store.lose_next(Fate::done_unanswered);
  const auto leadership = election.try_campaign("ada");
  ASSERT_TRUE(leadership);
  EXPECT_TRUE(leadership->is_leader());
  EXPECT_EQ(election.leader().value().term, leadership->term());
}

}  // namespace
}  // namespace concord::recipes
