// A node that lives in its host's time.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;

class TestClock final : public Clock {
 public:
  std::uint64_t monotonic_ms() const noexcept override { return now_ms_.load(); }
  std::int64_t wall_ms() const noexcept override {
    return 1'700'000'000'000 + step_ms_.load() + static_cast<std::int64_t>(now_ms_.load());
  }
  void pass(std::chrono::milliseconds time) { now_ms_ += static_cast<std::uint64_t>(time.count()); }
  void step_wall_clock(std::chrono::milliseconds by) { step_ms_ += by.count(); }

 private:
  std::atomic<std::uint64_t> now_ms_{1};
  std::atomic<std::int64_t> step_ms_{0};
};

class ClockTest : public testing::Test {
 protected:
  [[nodiscard]] Node open() {
    Options options = directory_.options();
    options.clock = clock_;
    return StoreDirectory::open(options);
  }
  /// Its threads look at the time now and then.
  static bool goes_away(Store& store, std::string_view key) {
    for (int looks = 0; looks < 500; ++looks) {
      if (!store.get(key)) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  StoreDirectory directory_;
  std::shared_ptr<TestClock> clock_ = std::make_shared<TestClock>();
};

TEST_F(ClockTest, AKeyExpiresWhenTheHostsTimeHasPassedAndNotBefore) {
  Node node = open();
  ASSERT_TRUE(node.put("session", 1, {.ttl = 1h}));
  clock_->pass(59min + 59s);
  EXPECT_EQ(node.ttl("session").value(), 1s);
  std::this_thread::sleep_for(200ms);
  EXPECT_TRUE(node.get("session"));
  clock_->pass(2s);
  EXPECT_TRUE(goes_away(node, "session"));
}

TEST_F(ClockTest, AStepOfTheWallClockExpiresNothingWhileTheNodeRuns) {
  Node node = open();
  ASSERT_TRUE(node.put("session", 1, {.ttl = 1h}));
  clock_->step_wall_clock(48h);
  std::this_thread::sleep_for(200ms);
  EXPECT_TRUE(node.get("session"));
}

TEST_F(ClockTest, OverAStopTheWallClockTellsHowLongItWas) {
  {
    Node node = open();
    ASSERT_TRUE(node.put("long", 1, {.ttl = 5h}));
    ASSERT_TRUE(node.put("short", 1, {.ttl = 1h}));
  }
  clock_->step_wall_clock(2h);
  Node node = open();
  EXPECT_FALSE(node.get("short", {.consistency = ReadConsistency::eventual})) << "the first read does not see it";
  EXPECT_EQ(node.ttl("long").value(), 3h);
}

TEST_F(ClockTest, MoreThanOneCommandRemovesIsGoneBeforeTheFirstReadToo) {
  {
    Node node = open();
    for (int batch = 0; batch < 3; ++batch) {
      std::vector<std::string> keys;
      for (int i = 0; i < 400; ++i) keys.push_back(std::to_string(batch) + "." + std::to_string(i));
      std::vector<PutItem> items;
      for (const std::string& key : keys) items.push_back({.key = key, .value = 1, .ttl = 1h});
      ASSERT_TRUE(node.put_many(items));
    }
  }
  clock_->step_wall_clock(2h);
  Node node = open();
  EXPECT_EQ(node.count({}).value(), 0U);
}

}  // namespace
}  // namespace concord::database
