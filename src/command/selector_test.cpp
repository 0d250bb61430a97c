// Goal: a selector matches what its parts say, and its bounds leave out no key that matches. Method: random selectors over
// random short keys of few bytes (0x00 and 0xff among them), against the parts tested one by one.
#include "command/selector.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::command {
namespace {

using namespace std::string_view_literals;

std::string random_key(base::Random& random, std::size_t most) {
  std::string key(random.below(most + 1), '\0');
  for (char& c : key) c = "\0ab\xff"[random.below(4)];
  return key;
}

TEST(Selector, MatchesWhatItsPartsSayAndOnlyWithinItsBounds) {
  constexpr std::uint64_t seed = 70;
  base::Random random(seed);
  int matched = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::string texts[] = {random_key(random, 2), random_key(random, 1), random_key(random, 1),
                                 random_key(random, 3), random_key(random, 3)};
    Selector selector;
    if (random.one_in(2)) selector.prefix = texts[0];
    if (random.one_in(4)) selector.suffix = texts[1];
    if (random.one_in(4)) selector.contains = texts[2];
    if (random.one_in(2)) selector.start = texts[3];
    if (random.one_in(2)) selector.end = texts[4];
    const auto compiled = CompiledSelector::compile(selector);
    if (selector.start && selector.end && *selector.start > *selector.end) {
      ASSERT_FALSE(compiled);
      continue;
    }
    ASSERT_TRUE(compiled);
    for (int i = 0; i < 10; ++i) {
      const std::string key = random_key(random, 4);
      const bool expected = (!selector.prefix || key.starts_with(*selector.prefix)) &&
                            (!selector.suffix || key.ends_with(*selector.suffix)) &&
                            (!selector.contains || key.find(*selector.contains) != std::string::npos) &&
                            (!selector.start || key >= *selector.start) && (!selector.end || key <= *selector.end);
      ASSERT_EQ(compiled->matches_key(key), expected) << "seed " << seed << " round " << round;
      if (expected) {
        ++matched;
        ASSERT_TRUE(compiled->bounds().contain(key));
        ASSERT_FALSE(compiled->bounds().empty());
      }
    }
  }
  EXPECT_GT(matched, 10000);
}

TEST(Selector, BoundsAreTight) {
  EXPECT_EQ(prefix_bounds("ab").low, "ab");
  EXPECT_EQ(prefix_bounds("ab").high, "ac");
  EXPECT_EQ(prefix_bounds("a\xff\xff").high, "b");
  EXPECT_EQ(prefix_bounds("\xff").high, std::nullopt);
  EXPECT_EQ(prefix_bounds("").high, std::nullopt);
  Selector selector;
  selector.prefix = "ab";
  selector.start = "abc";
  selector.end = "abd";
  const auto compiled = CompiledSelector::compile(selector);
  EXPECT_EQ(compiled->bounds().low, "abc");
  EXPECT_EQ(compiled->bounds().high, "abd\0"sv);
  selector.end = "b";
  EXPECT_EQ(CompiledSelector::compile(selector)->bounds().high, "ac");
  selector = {};
  selector.prefix = "b";
  selector.end = "a";
  EXPECT_TRUE(CompiledSelector::compile(selector)->bounds().empty());
}

TEST(Selector, PatternIsSearchedAndFilterLooksAtTheValue) {
  Selector selector;
  selector.pattern = "^user:[0-9]+$";
  selector.filter = R"({"age":{"$gte":18}})";
  selector.limit = 5;
  const auto compiled = CompiledSelector::compile(selector);
  ASSERT_TRUE(compiled);
  EXPECT_TRUE(compiled->has_filter());
  EXPECT_EQ(compiled->limit(), 5U);
  EXPECT_TRUE(compiled->matches({.value = "\0{\"age\":20}"sv, .key = "user:1"}));
  EXPECT_FALSE(compiled->matches({.value = "\0{\"age\":17}"sv, .key = "user:1"}));
  EXPECT_FALSE(compiled->matches({.value = "\0{\"age\":20}"sv, .key = "user:x"}));
}

TEST(Selector, WhatDoesNotCompileIsRefused) {
  Selector selector;
  selector.pattern = "a(";
  EXPECT_EQ(CompiledSelector::compile(selector).error().code(), Errc::invalid_request);
  EXPECT_NE(CompiledSelector::compile(selector).error().message().find("a("), std::string::npos);
  selector.pattern = R"(((\pL{100}){10}){10})";  // small to write, huge compiled
  EXPECT_FALSE(CompiledSelector::compile(selector));
  selector = {};
  selector.filter = R"({"a":{"$near":1}})";
  EXPECT_FALSE(CompiledSelector::compile(selector));
}

TEST(Pattern, KeysThatAreNotUtf8AreSearchedWithoutHarm) {
  const auto pattern = Pattern::compile("b$");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE(pattern->search("\xff\xfe\0b"sv));
  EXPECT_FALSE(pattern->search("b\xff"sv));
}

}  // namespace
}  // namespace concord::command
