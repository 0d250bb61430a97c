// The order of keys against a sorted set: keys that come and go one by one, and runs of them behind all others.
#include "store/key_order.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace concord::store {
namespace {

/// An order and what is to be in it.
class Orders {
 public:
  explicit Orders(std::uint64_t seed) : random_(seed) {}

  void insert_one() {
    const std::string key = draw_key();
    if (keys_.insert(key).second) order_.insert(key);
  }
  void erase_one() {
    if (keys_.empty()) return;
    auto at = keys_.lower_bound(draw_key());
    if (at == keys_.end()) at = keys_.begin();
    order_.erase(*at);
    keys_.erase(at);
  }
  void extend() {
    const std::string last = keys_.empty() ? std::string() : *keys_.rbegin();
    std::set<std::string> run;
    for (std::size_t left = random_() % 300; left > 0; --left) {
      std::string key = random_() % 8 == 0 ? last + draw_key() : "z" + draw_key();
      if (key > last) run.insert(std::move(key));
    }
    order_.extend(std::vector<std::string_view>(run.begin(), run.end()));
    keys_.merge(run);
  }
  void compare() const {
    const std::string from = keys_.empty() || shift_ % 2 == 0 ? std::string() : *keys_.begin() + "m";
    std::vector<std::string> seen;
    order_.visit_from(from, [&](std::string_view key) {
      seen.emplace_back(key);
      return true;
    });
    ASSERT_EQ(seen, std::vector<std::string>(keys_.lower_bound(from), keys_.end()));
    ++shift_;
  }
  [[nodiscard]] std::uint64_t draw() { return random_(); }

 private:
  /// Mostly alike; some so long that few fill a block.
  [[nodiscard]] std::string draw_key() {
    std::string key = random_() % 3 == 0 ? "user:" : "k";
    key += std::to_string(random_() % 5000);
    if (random_() % 16 == 0) key.append(1000, static_cast<char>('a' + random_() % 3));
    return key;
  }

  std::mt19937_64 random_;
  Epoch epoch_;
  KeyOrder order_{epoch_};
  std::set<std::string> keys_;
  mutable std::size_t shift_ = 0;
};

TEST(KeyOrderTest, HoldsTheKeysOfASortedSetWhateverComesAndGoes) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Orders orders(seed);
    for (int step = 0; step < 600; ++step) {
      const std::uint64_t kind = orders.draw() % 40;
      if (kind == 0) {
        orders.extend();
      } else if (kind < 24) {
        orders.insert_one();
      } else {
        orders.erase_one();
      }
      if (step % 20 == 0) {
        ASSERT_NO_FATAL_FAILURE(orders.compare());
      }
    }
    ASSERT_NO_FATAL_FAILURE(orders.compare());
  }
}

TEST(KeyOrderTest, KeysThatCameInOrderTakeNoMoreMemoryThanOnesThatCameAtOnce) {
  std::vector<std::string> keys;
  for (int number = 100'000; number < 120'000; ++number) keys.push_back("user:" + std::to_string(number));
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  Epoch epoch;
  KeyOrder at_once(epoch);
  at_once.extend(views);
  KeyOrder in_runs(epoch);
  for (std::size_t at = 0; at < views.size(); at += 7) {
    in_runs.extend(std::span(views).subspan(at, std::min<std::size_t>(7, views.size() - at)));
  }
  EXPECT_EQ(at_once.memory_bytes(), in_runs.memory_bytes());
}

}  // namespace
}  // namespace concord::store
