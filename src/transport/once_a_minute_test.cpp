#include "transport/once_a_minute.hpp"

#include <gtest/gtest.h>

namespace concord::transport {
namespace {

TEST(OnceAMinute, EveryKeyHasItsOwnMinute) {
  OnceAMinute limit;
  EXPECT_TRUE(limit.allows("a", 1000));
  EXPECT_FALSE(limit.allows("a", 1000));
  EXPECT_TRUE(limit.allows("b", 2000));
  EXPECT_FALSE(limit.allows("a", 60'999));
  EXPECT_TRUE(limit.allows("a", 61'000));
  EXPECT_FALSE(limit.allows("b", 61'000));
}

TEST(OnceAMinute, IsBoundedAndRecovers) {
  OnceAMinute limit;
  for (std::size_t i = 0; i < OnceAMinute::max_keys; ++i) EXPECT_TRUE(limit.allows(std::to_string(i), 0));
  EXPECT_FALSE(limit.allows("one more", 59'999));
  EXPECT_TRUE(limit.allows("one more", 60'000));
}

}  // namespace
}  // namespace concord::transport
