#include "security/last_use.hpp"

#include <gtest/gtest.h>

namespace concord::security {
namespace {

using command::TokenId;

TEST(LastUse, IsTheNewestToASecond) {
  LastUse use;
  EXPECT_EQ(use.of(TokenId(5)), std::nullopt);
  use.note(TokenId(5), 10'000);
  EXPECT_EQ(use.of(TokenId(5)), 10'000U);
  use.note(TokenId(5), 10'900);
  use.note(TokenId(5), 9'000);
  EXPECT_EQ(use.of(TokenId(5)), 10'000U);
  use.note(TokenId(5), 12'000);
  EXPECT_EQ(use.of(TokenId(5)), 12'000U);
  EXPECT_EQ(use.of(TokenId(6)), std::nullopt);
}

TEST(LastUse, HoldsAsManyAsThereMayBeAndForgetsTheOldestFirst) {
  LastUse use;
  for (std::uint64_t id = 1; id <= 200'000; ++id) use.note(TokenId(id), id * 2000);
  std::uint64_t kept = 0;
  for (std::uint64_t id = 190'001; id <= 200'000; ++id) kept += use.of(TokenId(id)) == id * 2000 ? 1 : 0;
  EXPECT_GT(kept, 9'900U);
  EXPECT_EQ(use.of(TokenId(1)), std::nullopt);
}

}  // namespace
}  // namespace concord::security
