// Cursors: valid while data changes, and nothing but a cursor is taken for one.
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class QueryPagesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* key : {"a", "b", "c", "d", "e", "f", "g"}) ASSERT_TRUE(node_.put(key, 1));
  }
  std::string cursor(const Query& query = {}) {
    return node_.keys_page(query, {.size = 3}).value().next_cursor.value();
  }
  std::string outcome_of(const Query& query, const std::string& cursor) {
    const auto keys = node_.keys_page(query, {.size = 3, .cursor = cursor});
    const auto items = node_.where_page(query, {.size = 3, .cursor = cursor});
    EXPECT_EQ(outcome(keys), outcome(items));
    return outcome(keys);
  }

  StoreDirectory directory_;
  std::unique_ptr<TestedStore> tested_ = open_tested(directory_.options());
  Store& node_ = tested_->store();
};

TEST_F(QueryPagesTest, PagesFollowEachOtherToTheEnd) {
  auto page = node_.keys_page({}, {.size = 3}).value();
  EXPECT_THAT(page.rows, ElementsAre("a", "b", "c"));
  page = node_.keys_page({}, {.size = 3, .cursor = page.next_cursor}).value();
  EXPECT_THAT(page.rows, ElementsAre("d", "e", "f"));
  page = node_.keys_page({}, {.size = 3, .cursor = page.next_cursor}).value();
  EXPECT_THAT(page.rows, ElementsAre("g"));
  EXPECT_FALSE(page.next_cursor);
  page = node_.keys_page({.prefix = "none"}, {}).value();
  EXPECT_TRUE(page.rows.empty());
  EXPECT_FALSE(page.next_cursor);
  EXPECT_FALSE(node_.keys_page({}, {.size = 7}).value().next_cursor) << "nothing comes after the last";
}

TEST_F(QueryPagesTest, TheOffsetCountsForTheFirstPageAndTheLimitNotAtAll) {
  const Query query{.limit = 2, .offset = 2};
  auto page = node_.keys_page(query, {.size = 3}).value();
  EXPECT_THAT(page.rows, ElementsAre("c", "d", "e"));
  page = node_.keys_page(query, {.size = 3, .cursor = page.next_cursor}).value();
  EXPECT_THAT(page.rows, ElementsAre("f", "g"));
  EXPECT_FALSE(page.next_cursor);
}

TEST_F(QueryPagesTest, TheSizeIsOneToAThousand) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1001}, UINT64_MAX}) {
    EXPECT_EQ(outcome(node_.keys_page({}, {.size = size})), "INVALID_REQUEST") << size;
    EXPECT_EQ(outcome(node_.where_page({}, {.size = size})), "INVALID_REQUEST") << size;
  }
  EXPECT_EQ(node_.keys_page({}, {.size = 1}).value().rows.size(), 1U);
  EXPECT_EQ(node_.keys_page({}, {.size = 1000}).value().rows.size(), 7U);
}

TEST_F(QueryPagesTest, ACursorBelongsToItsQuery) {
  const std::string of_all = cursor();
  EXPECT_EQ(outcome_of({}, of_all), "OK");
  EXPECT_EQ(outcome_of({.prefix = "a"}, of_all), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({.prefix = ""}, of_all), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({.suffix = "a"}, of_all), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({.contains = "a"}, of_all), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({.pattern = "a"}, of_all), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({.range = {{"a", "z"}}}, of_all), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({.filter = Filter("{}")}, of_all), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({.range = {{"a", "y"}}}, cursor({.range = {{"a", "z"}}})), "INVALID_REQUEST");
  const Filter ones(R"({"$value":1})");
  EXPECT_EQ(outcome_of({.filter = ones}, cursor({.filter = ones})), "OK");
  EXPECT_EQ(outcome_of({.filter = Filter(R"({"$value":2})")}, cursor({.filter = ones})), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({.suffix = "a"}, cursor({.pattern = "."})), "INVALID_REQUEST");
  const Predicate predicate = [](int) { return true; };
  EXPECT_EQ(outcome_of({.filter = predicate}, cursor({.filter = predicate})), "OK");
}

TEST_F(QueryPagesTest, NothingElseIsTakenForACursor) {
  constexpr std::uint64_t seed = 9;
  base::Random random(seed);
  EXPECT_TRUE(node_.put("a/long/key/that/is/in/the/cursor", 1));
  const std::string whole = node_.keys_page({}, {.size = 2}).value().next_cursor.value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(outcome_of({}, whole.substr(0, size)), "INVALID_REQUEST") << "the first " << size << " bytes";
  }
  EXPECT_EQ(outcome_of({}, whole + "A"), "INVALID_REQUEST");
  EXPECT_EQ(outcome_of({}, whole + whole), "INVALID_REQUEST");
  for (int round = 0; round < 500; ++round) {
    std::string garbage(random.below(80), ' ');
    const bool text = random.one_in(2);
    for (char& c : garbage) c = static_cast<char>(text ? ' ' + random.below(95) : random.below(256));
    EXPECT_EQ(outcome_of({}, garbage), "INVALID_REQUEST") << "seed " << seed << " " << testing::PrintToString(garbage);
  }
  for (int round = 0; round < 500; ++round) {
    std::string damaged = whole;
    damaged[random.below(damaged.size())] ^= static_cast<char>(1 + random.below(255));
    const auto result = outcome_of({}, damaged);
    EXPECT_TRUE(result == "OK" || result == "INVALID_REQUEST") << result;
  }
}

TEST_F(QueryPagesTest, ACursorOutlivesTheKeyItStandsAt) {
  const std::string at_c = cursor();
  EXPECT_TRUE(node_.delete_where({.range = {{"b", "d"}}}));
  EXPECT_TRUE(node_.put("ca", 1));
  EXPECT_TRUE(node_.put("aa", 1));
  EXPECT_THAT(node_.keys_page({}, {.size = 3, .cursor = at_c}).value().rows, ElementsAre("ca", "e", "f"));
  EXPECT_TRUE(node_.delete_where({.prefix = ""}));
  const auto page = node_.keys_page({}, {.size = 3, .cursor = at_c}).value();
  EXPECT_TRUE(page.rows.empty());
  EXPECT_FALSE(page.next_cursor);
}

TEST_F(QueryPagesTest, WhatIsThereAllTheTimeComesOnceAndInOrder) {
  constexpr std::uint64_t seed = 10;
  const auto stays = [](std::uint64_t i) { return "k" + std::to_string(10'000 + 10 * i); };
  std::vector<std::string> staying;
  for (std::uint64_t i = 0; i < 400; ++i) {
    staying.push_back(stays(i));
    ASSERT_TRUE(node_.put(staying.back(), 1));
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (std::uint64_t writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      base::Random random(seed + writer);
      while (!stop) {
        const std::string key = "k" + std::to_string(10'000 + random.below(4000));
        if (key.ends_with("0")) {
          ASSERT_TRUE(node_.put(key, 2));  // a new value for one that stays
        } else if (random.one_in(2)) {
          ASSERT_TRUE(node_.put(key, 1));
        } else {
          const auto removed = node_.del(key);
          ASSERT_TRUE(removed || removed.error().code() == Errc::not_found);
        }
      }
    });
  }
  base::Random random(seed);
  for (int walk = 0; walk < 20; ++walk) {
    const Query query = walk % 2 == 0 ? Query{.prefix = "k"} : Query{.filter = [](int n) { return n > 0; }};
    std::vector<std::string> seen;
    PageOptions page;
    do {
      page.size = 1 + random.below(50);
      const auto part = node_.keys_page(query, page).value();
      seen.insert(seen.end(), part.rows.begin(), part.rows.end());
      page.cursor = part.next_cursor;
    } while (page.cursor);
    ASSERT_TRUE(std::ranges::is_sorted(seen)) << "seed " << seed;
    ASSERT_EQ(std::ranges::adjacent_find(seen), seen.end()) << "seed " << seed;
    std::erase_if(seen, [](const std::string& key) { return !key.ends_with("0") || !key.starts_with("k"); });
    ASSERT_EQ(seen, staying) << "seed " << seed;
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace concord::database
