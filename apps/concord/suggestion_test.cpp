#include "suggestion.hpp"

#include <gtest/gtest.h>

namespace concord::app {
namespace {

const std::vector<std::string> words = {"start", "kv", "query", "cluster", "completion", "get", "put"};

TEST(Suggestion, TheNearestWordIsFound) {
  EXPECT_EQ(nearest_word("strat", words), "start");
  EXPECT_EQ(nearest_word("clutser", words), "cluster");
  EXPECT_EQ(nearest_word("complete", words), "completion");
  EXPECT_EQ(nearest_word("kvs", words), "kv");
  EXPECT_EQ(nearest_word("gte", words), "get");
}

TEST(Suggestion, WhatIsFarFromAllHasNone) {
  EXPECT_EQ(nearest_word("banana", words), std::nullopt);
  EXPECT_EQ(nearest_word(std::string(1000, 'k'), words), std::nullopt);
}

}  // namespace
}  // namespace concord::app
