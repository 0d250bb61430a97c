#include "base/nearest.hpp"

#include <gtest/gtest.h>

namespace concord::base {
namespace {

TEST(EditDistance, CountsInsertedRemovedExchangedAndSwappedLetters) {
  EXPECT_EQ(edit_distance("port", "port"), 0U);
  EXPECT_EQ(edit_distance("", "port"), 4U);
  EXPECT_EQ(edit_distance("port", ""), 4U);
  EXPECT_EQ(edit_distance("por", "port"), 1U);
  EXPECT_EQ(edit_distance("portt", "port"), 1U);
  EXPECT_EQ(edit_distance("pork", "port"), 1U);
  EXPECT_EQ(edit_distance("prot", "port"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, IsTheWordThatWasMeant) {
  const std::string words[] = {"api.host", "api.port", "log.level"};
  EXPECT_EQ(nearest("api.prot", words), "api.port");
  EXPECT_EQ(nearest("log.levl", words), "log.level");
  EXPECT_EQ(nearest("api.port", words), "api.port");
}

TEST(Nearest, IsTheFirstOfWordsAsNear) {
  const std::string words[] = {"cat", "car"};
  EXPECT_EQ(nearest("cab", words), "cat");
}

TEST(Nearest, IsNothingWhenNothingIsNear) {
  const std::string words[] = {"api.host", "api.port", "x"};
  EXPECT_EQ(nearest("nonsense.value", words), std::nullopt);
  EXPECT_EQ(nearest("y", words), std::nullopt);
  EXPECT_EQ(nearest("", words), std::nullopt);
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), words), std::nullopt);
  EXPECT_EQ(nearest("api.port", {}), std::nullopt);
}

TEST(DidYouMean, IsPutBehindAMessage) {
  const std::string words[] = {"api.port"};
  EXPECT_EQ(did_you_mean("api.prot", words), "; did you mean api.port?");
  EXPECT_EQ(did_you_mean("nonsense", words), "");
}

}  // namespace
}  // namespace concord::base
