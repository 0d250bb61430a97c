#include <concord/recipes/counter.hpp>

#include <atomic>
#include <cstdint>
#include <limits>

#include "recipes/testing_store.hpp"

namespace concord::recipes {
namespace {

using CounterTest = WithNode;

TEST_F(CounterTest, EveryCountIsCountedOnce) {
  constexpr int threads = 8;
  constexpr int each = 50;
  std::atomic<std::int64_t> expected{0};
  on_threads(threads, [&](int number) {
    Counter counter(node(), "visits");
    for (int i = 0; i < each; ++i) {
      const std::int64_t delta = number % 2 == 0 ? i : -2;
      const auto sum = counter.add(delta);
      ASSERT_TRUE(sum) << sum.error().message();
      expected += delta;
    }
  });
  EXPECT_EQ(Counter(node(), "visits").get().value(), expected.load());
  EXPECT_EQ(node().get_entry("counters/visits").value().version, threads * each);
}

TEST_F(CounterTest, WhatAResetGivesAndWhatIsLeftAreAllThatWasCounted) {
  constexpr int adders = 4;
  constexpr int each = 60;
  std::atomic<std::int64_t> taken{0};
  on_threads(adders + 1, [&](int number) {
    Counter counter(node(), "visits");
    for (int i = 0; i < each; ++i) {
      if (number < adders) {
        EXPECT_TRUE(counter.add());
      } else {
        taken += counter.reset().value();
      }
    }
  });
  EXPECT_EQ(taken + Counter(node(), "visits").get().value(), adders * each);
}

TEST_F(CounterTest, ACounterBeginsAtItsInitialNumber) {
  Counter counter(node(), "places", {.initial = 100});
  EXPECT_EQ(counter.get().value(), 100);
  EXPECT_EQ(counter.add(-1).value(), 99);
  EXPECT_TRUE(counter.set(7));
  EXPECT_EQ(counter.get().value(), 7);
  EXPECT_EQ(counter.reset().value(), 7);
  EXPECT_EQ(counter.get().value(), 100);
}

TEST_F(CounterTest, AnOverflowIsAnErrorAndChangesNothing) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  Counter counter(node(), "big", {.initial = most});
  EXPECT_EQ(counter.add(1).error().code(), Errc::invalid_request);
  EXPECT_EQ(node().get(counter.key()).error().code(), Errc::not_found);
  EXPECT_TRUE(counter.set(least));
  EXPECT_EQ(counter.add(-1).error().code(), Errc::invalid_request);
  EXPECT_EQ(counter.get().value(), least);
  EXPECT_EQ(counter.add(most).value(), -1);
}

TEST_F(CounterTest, AKeyThatHoldsSomethingElseIsNotTouched) {
  ASSERT_TRUE(node().put("counters/text", "seven"));
  Counter counter(node(), "text");
  EXPECT_EQ(counter.add().error().code(), Errc::invalid_request);
  EXPECT_EQ(counter.get().error().code(), Errc::invalid_request);
  EXPECT_EQ(node().get<std::string>("counters/text").value(), "seven");
}

TEST_F(CounterTest, ALostAnswerIsAnErrorAndNeverCountedTwice) {
  LossyStore store(node());
  Counter counter(store, "visits");
  store.lose_next(Fate::done_unanswered);
  EXPECT_TRUE(counter.add().error().maybe_committed());
  EXPECT_EQ(counter.get().value(), 1);
  store.lose_next(Fate::done_late);
  EXPECT_TRUE(counter.add().error().maybe_committed());
  EXPECT_EQ(counter.add().value(), 2);
  EXPECT_EQ(store.deliver_late(), 0) << "it was overtaken";
}

}  // namespace
}  // namespace concord::recipes
