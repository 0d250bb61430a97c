#include <concord/recipes/rate_limiter.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "recipes/testing_store.hpp"

namespace concord::recipes {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

using RateLimiterTest = WithNode;

/// A clock that goes when it is told to.
struct HandClock {
  std::atomic<std::int64_t> now_ms{1'700'000'000'000};
  [[nodiscard]] system_clock::time_point operator()() const {
    return system_clock::time_point(std::chrono::milliseconds(now_ms.load()));
  }
};

TEST_F(RateLimiterTest, ManyThreadsGetNoMoreThanTheLimit) {
  constexpr int threads = 8;
  constexpr int each = 20;
  for (const RateWindow kind : {RateWindow::fixed, RateWindow::sliding}) {
    const std::string prefix = kind == RateWindow::fixed ? "fixed/" : "sliding/";
    std::atomic<int> allowed{0};
    on_threads(threads, [&](int /*number*/) {
      RateLimiter limiter(node(), {.limit = 50, .window = 1h, .kind = kind, .prefix = prefix});
      for (int i = 0; i < each; ++i) {
        const auto decision = limiter.allow("user");
        ASSERT_TRUE(decision) << decision.error().message();
        if (decision->allowed) ++allowed;
        EXPECT_LT(decision->remaining, 50U);
        EXPECT_EQ(decision->retry_after > 0ms, !decision->allowed);
      }
    });
    EXPECT_EQ(allowed, 50);
  }
}

TEST_F(RateLimiterTest, AFixedWindowEndsAsLongAfterItBeganWhateverIsAskedMeanwhile) {
  RateLimiter limiter(node(), {.limit = 2, .window = 1s});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(limiter.allow("user").value().remaining, 1U);
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(limiter.allow("user").value().remaining, 0U);
  RateDecision denied = limiter.allow("user").value();
  EXPECT_FALSE(denied.allowed);
  EXPECT_LE(denied.retry_after, 1s);
  EXPECT_TRUE(limiter.allow("another user").value().allowed);
  while (!limiter.allow("user").value().allowed) std::this_thread::sleep_for(5ms);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 990ms);
}

TEST_F(RateLimiterTest, DeniedCallsWriteNothing) {
  RateLimiter limiter(node(), {.limit = 1});
  ASSERT_TRUE(limiter.allow("user").value().allowed);
  const Revision before = node().status().value().storage.revision;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limiter.allow("user").value().allowed);
  EXPECT_EQ(node().status().value().storage.revision, before);
}

TEST_F(RateLimiterTest, ACostCountsWholeOrNotAtAll) {
  for (const RateWindow kind : {RateWindow::fixed, RateWindow::sliding}) {
    RateLimiter limiter(node(), {.limit = 10, .window = 1h, .kind = kind});
    EXPECT_EQ(limiter.allow("user", 7).value().remaining, 3U);
    const RateDecision denied = limiter.allow("user", 4).value();
    EXPECT_FALSE(denied.allowed);
    EXPECT_EQ(denied.remaining, 3U);
    EXPECT_EQ(limiter.allow("user", 3).value().remaining, 0U);
    EXPECT_TRUE(limiter.reset("user"));
    EXPECT_TRUE(limiter.reset("user"));
    EXPECT_TRUE(limiter.allow("user", 10).value().allowed);
    EXPECT_TRUE(limiter.reset("user"));
  }
}

TEST_F(RateLimiterTest, NoStretchOfASlidingWindowHoldsMoreThanTheLimit) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 10; ++round) {
    const std::int64_t window_ms = 100 + random() % 1000;
    const std::uint64_t limit = 1 + random() % 20;
    const auto slices = static_cast<std::uint32_t>(1 + random() % 30);
    HandClock clock;
    RateLimiter limiter(node(), {.limit = limit,
                                 .window = std::chrono::milliseconds(window_ms),
                                 .kind = RateWindow::sliding,
                                 .slices = slices,
                                 .clock = std::cref(clock)});
    const std::string subject = "user" + std::to_string(round);
    std::vector<std::int64_t> allowed_ms;
    for (int i = 0; i < 200; ++i) {
      clock.now_ms += random() % 3 == 0 ? random() % (window_ms / 4) : 0;
      const std::int64_t now_ms = clock.now_ms;
      const auto in_stretch = [&](std::int64_t stretch_ms) {
        return static_cast<std::uint64_t>(
            std::ranges::count_if(allowed_ms, [&](std::int64_t at) { return at > now_ms - stretch_ms; }));
      };
      const RateDecision decision = limiter.allow(subject).value();
      if (decision.allowed) {
        ASSERT_LT(in_stretch(window_ms), limit);
        allowed_ms.push_back(now_ms);
      } else {
        const std::int64_t slice_ms = window_ms / slices + 1;
        ASSERT_GE(in_stretch(window_ms + slice_ms), limit) << "not stricter than by a slice";
        clock.now_ms += decision.retry_after.count() - 1;
        ASSERT_FALSE(limiter.allow(subject).value().allowed) << "not before retry_after has passed";
        clock.now_ms += 1;
        ASSERT_TRUE(limiter.allow(subject).value().allowed);
        allowed_ms.push_back(clock.now_ms);
      }
    }
  }
}

TEST_F(RateLimiterTest, ClocksThatDifferCostNoMoreThanTheirDifference) {
  constexpr std::int64_t window_ms = 1000;
  constexpr std::int64_t difference_ms = 300;
  constexpr std::uint64_t limit = 5;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::int64_t real_ms = 1'700'000'000'000;
  std::vector<std::int64_t> allowed_ms;
  RateLimiter limiter(
      node(), {.limit = limit, .window = 1s, .kind = RateWindow::sliding, .clock = [&] {
                 return system_clock::time_point(std::chrono::milliseconds(real_ms + random() % (difference_ms + 1)));
               }});
  for (int i = 0; i < 1000; ++i) {
    real_ms += random() % 100;
    if (!limiter.allow("user").value().allowed) continue;
    const auto recent =
        std::ranges::count_if(allowed_ms, [&](std::int64_t at) { return at > real_ms - (window_ms - difference_ms); });
    ASSERT_LT(static_cast<std::uint64_t>(recent), limit);
    allowed_ms.push_back(real_ms);
  }
  EXPECT_GT(allowed_ms.size(), 100U);
}

TEST_F(RateLimiterTest, AClockFarAheadHoldsTheOthersUpOnlyUntilTheKeyExpires) {
  HandClock ahead;
  HandClock right;
  ahead.now_ms += 1'000'000'000;
  const auto with = [](HandClock& clock) {
    return RateLimiterOptions{.limit = 2, .window = 500ms, .kind = RateWindow::sliding, .clock = std::cref(clock)};
  };
  RateLimiter wrong(node(), with(ahead));
  RateLimiter limiter(node(), with(right));
  EXPECT_TRUE(wrong.allow("user").value().allowed);
  EXPECT_TRUE(limiter.allow("user").value().allowed);
  EXPECT_FALSE(limiter.allow("user").value().allowed);
  while (!limiter.allow("user").value().allowed) std::this_thread::sleep_for(5ms);
}

TEST_F(RateLimiterTest, BadRulesAreRefused) {
  const auto code = [&](RateLimiterOptions options, std::uint64_t cost = 1) {
    return RateLimiter(node(), std::move(options)).allow("user", cost).error().code();
  };
  EXPECT_EQ(code({.limit = 0}), Errc::invalid_request);
  EXPECT_EQ(code({.window = 1500ms}), Errc::invalid_request);
  EXPECT_EQ(code({.window = 0ms}), Errc::invalid_request);
  EXPECT_EQ(code({.window = 10ms, .kind = RateWindow::sliding}), Errc::invalid_request);
  EXPECT_EQ(code({.kind = RateWindow::sliding, .slices = 0}), Errc::invalid_request);
  EXPECT_EQ(code({.kind = RateWindow::sliding, .slices = 1001}), Errc::invalid_request);
  EXPECT_EQ(code({}, 0), Errc::invalid_request);
  EXPECT_EQ(code({.limit = 5}, 6), Errc::invalid_request);
  ASSERT_TRUE(node().put("rate/user", "text"));
  EXPECT_EQ(code({}), Errc::invalid_request);
  EXPECT_EQ(code({.kind = RateWindow::sliding}), Errc::invalid_request);
  ASSERT_TRUE(node().put("rate/user", 1));
  EXPECT_EQ(code({}), Errc::invalid_request) << "a count that never expires is none of ours";
}

TEST_F(RateLimiterTest, ALostAnswerIsNoPermissionAndNeverAllowsMore) {
  LossyStore store(node());
  RateLimiter limiter(store, {.limit = 3});
  int allowed = 0;
  for (const Fate fate : {Fate::done_unanswered, Fate::done_late, Fate::never_done}) {
    store.lose_next(fate);
    EXPECT_TRUE(limiter.allow("user").error().maybe_committed());
    allowed += limiter.allow("user").value().allowed ? 1 : 0;
  }
  EXPECT_EQ(store.deliver_late(), 0);
  EXPECT_EQ(allowed, 2) << "one of the three was counted for an answer that was lost";
}

}  // namespace
}  // namespace concord::recipes
