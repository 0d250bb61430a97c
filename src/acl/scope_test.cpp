// Goal: a scope covers what begins with one of its prefixes, and walking by it misses nothing. Method: all short keys over a small
// alphabet, against the plain rule.
#include "acl/scope.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::acl {
namespace {

std::vector<std::string> all_keys() {
  std::vector<std::string> keys = {""};
  for (std::size_t at = 0; at < keys.size(); ++at) {
    if (keys[at].size() == 4) continue;
    for (const char c : {'a', 'b', '\xff'}) keys.push_back(keys[at] + c);
  }
  std::erase(keys, "");
  std::ranges::sort(keys);
  return keys;
}

TEST(Scope, CoversWhatBeginsWithAPrefixAndTheWalkFindsAllOfIt) {
  const std::vector<std::string> keys = all_keys();
  constexpr std::uint64_t seed = 11;
  base::Random random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> prefixes;
    for (std::uint64_t n = 1 + random.below(5); n > 0; --n) prefixes.push_back(keys[random.below(keys.size())]);
    const Scope scope(prefixes);
    std::vector<std::string> wanted;
    for (const std::string& key : keys) {
      const bool is_covered =
          std::ranges::any_of(prefixes, [&](const auto& prefix) { return key.starts_with(prefix); });
      ASSERT_EQ(scope.covers(key), is_covered) << "seed " << seed << " round " << round;
      if (is_covered) wanted.push_back(key);
    }
    std::vector<std::string> walked;
    for (auto at = keys.begin(); at != keys.end();) {
      if (scope.covers(*at)) {
        walked.push_back(*at++);
        continue;
      }
      const auto next = scope.next_behind(*at);
      at = next ? std::ranges::lower_bound(keys, *next) : keys.end();
    }
    ASSERT_EQ(walked, wanted) << "seed " << seed << " round " << round;
  }
}

TEST(Scope, AnIntersectionCoversWhatBothCover) {
  const std::vector<std::string> keys = all_keys();
  constexpr std::uint64_t seed = 12;
  base::Random random(seed);
  const auto draw = [&] {
    if (random.one_in(8)) return random.one_in(2) ? Scope() : Scope::nothing();
    std::vector<std::string> prefixes;
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) prefixes.push_back(keys[random.below(keys.size())]);
    return Scope(prefixes);
  };
  for (int round = 0; round < 1000; ++round) {
    const Scope one = draw();
    const Scope other = draw();
    const Scope both = intersection(one, other);
    for (const std::string& key : keys) {
      ASSERT_EQ(both.covers(key), one.covers(key) && other.covers(key)) << "seed " << seed << " round " << round;
    }
  }
}

TEST(Scope, NothingIsNotEverything) {
  EXPECT_FALSE(Scope::nothing().is_everything());
  EXPECT_FALSE(Scope::nothing().covers("any"));
  EXPECT_EQ(Scope::nothing().next_behind("any"), std::nullopt);
}

TEST(Scope, WithoutPrefixesItIsEverything) {
  EXPECT_TRUE(Scope().is_everything());
  EXPECT_TRUE(Scope().covers("any"));
  EXPECT_FALSE(Scope({"a"}).is_everything());
}

TEST(Scope, APrefixThatAnotherOneCoversGoes) {
  EXPECT_EQ(Scope({"b", "a/b", "a/", "b"}).prefixes(), (std::vector<std::string>{"a/", "b"}));
}

}  // namespace
}  // namespace concord::acl
