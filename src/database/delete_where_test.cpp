// `delete_where` beyond what the query tests compare: its bounds, and C++ predicates among concurrent writers.
#include <atomic>
#include <chrono>
#include <set>
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

class DeleteWhereTest : public FormTest {
 protected:
  void fill(std::size_t size, const Value& value = 1) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < size; ++i) {
      keys.push_back("key" + std::to_string(1'000'000 + i));
      if (keys.size() == 500 || i + 1 == size) {
        std::vector<PutItem> items;
        for (const std::string& key : keys) items.push_back({key, value});
        ASSERT_TRUE(node_.put_many(items));
        keys.clear();
      }
    }
  }
};

TEST_P(DeleteWhereTest, ASelectorIsNeededAndAnOffsetIsNot) {
  EXPECT_TRUE(node_.put_many({{"a", 1}, {"b", 2}}));
  EXPECT_EQ(outcome(calls_.delete_where({})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_where({.limit = 5})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_where({.offset = 1})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_where({.prefix = "a", .offset = 1})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_where({.filter = [](int) { return true; }, .offset = 1})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_where({.prefix = "a", .limit = 0})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_where({.filter = [](int) { return true; }, .limit = 0})), "INVALID_REQUEST");
  EXPECT_EQ(node_.count().value(), 2U);
  EXPECT_EQ(calls_.delete_where({.prefix = "none"}).value(), 0U);
  EXPECT_EQ(calls_.delete_where({.filter = [](int n) { return n > 2; }}).value(), 0U);
  EXPECT_EQ(node_.status().value().storage.revision, Revision(1)) << "nothing was changed";
}

TEST_P(DeleteWhereTest, TheLimitIsInKeyOrder) {
  fill(1500);
  EXPECT_EQ(calls_.delete_where({.prefix = "key", .limit = 1200}).value(), 1200U);
  EXPECT_EQ(node_.keys().value().front(), "key1001200");
  EXPECT_EQ(calls_.delete_where({.filter = [](int) { return true; }, .limit = 100}).value(), 100U);
  EXPECT_EQ(node_.keys().value().front(), "key1001300");
  EXPECT_EQ(calls_.delete_where({.filter = [](int) { return true; }, .limit = 100'000}).value(), 200U);
  EXPECT_EQ(node_.count().value(), 0U);
}

TEST_P(DeleteWhereTest, MoreThanAHundredThousandIsTooMuchAtOnce) {
  fill(100'001);
  const Revision before = node_.status().value().storage.revision;
  const auto refused = calls_.delete_where({.prefix = "key"}, {.timeout = 60s});
  EXPECT_EQ(outcome(refused), "BATCH_TOO_LARGE");
  EXPECT_FALSE(refused.error().maybe_committed());
  EXPECT_EQ(outcome(calls_.delete_where({.filter = Filter(R"({"$value":1})")}, {.timeout = 60s})), "BATCH_TOO_LARGE");
  EXPECT_EQ(node_.count().value(), 100'001U);
  EXPECT_EQ(node_.status().value().storage.revision, before);
  EXPECT_EQ(calls_.delete_where({.prefix = "key", .limit = 100'000}, {.timeout = 60s}).value(), 100'000U);
  EXPECT_EQ(node_.status().value().storage.revision, before.next());
  EXPECT_EQ(calls_.delete_where({.prefix = "key"}).value(), 1U);
}

TEST_P(DeleteWhereTest, APredicateRemovesInSeveralTransactions) {
  fill(3000, 1);
  EXPECT_TRUE(node_.put("key1000100", "kept"));
  EXPECT_TRUE(node_.put("key1002999", 2));
  EXPECT_EQ(calls_.delete_where({.prefix = "key", .filter = [](int n) { return n == 1; }}).value(), 2998U);
  EXPECT_THAT(node_.keys().value(), ElementsAre("key1000100", "key1002999"));
}

TEST_P(DeleteWhereTest, APredicateThatThrowsWhenItIsAskedAgainEndsIt) {
  EXPECT_TRUE(node_.put_many({{"a", 1}, {"b", 1}}));
  const Query query{.prefix = "", .filter = [&](int n) -> bool {
                      if (n == 2) throw 7;
                      EXPECT_TRUE(node_.put("b", 2));
                      return true;
                    }};
  EXPECT_EQ(outcome(calls_.delete_where(query)), "INVALID_REQUEST");
  EXPECT_EQ(node_.count().value(), 2U);
}

TEST_P(DeleteWhereTest, WhatNoLongerMatchesIsNeverRemoved) {
  constexpr std::uint64_t seed = 12;
  constexpr int keys = 400;
  const auto name = [](std::uint64_t i) { return "key" + std::to_string(1'000'000 + i); };
  for (int round = 0; round < 5; ++round) {
    fill(keys, "dead");
    std::set<std::string> revived;
    std::atomic<bool> stop{false};
    std::thread writer([&] {
      base::Random random(seed);
      while (!stop) {
        const std::string key = name(random.below(keys));
        const auto put = node_.put_if(key, "alive", {.expected = "dead"});
        if (put) {
          revived.insert(key);
        } else {
          ASSERT_THAT(outcome(put), testing::AnyOf("NOT_FOUND", "CONDITION_FAILED"));
        }
        if (random.one_in(3)) {
          const auto touched = node_.touch(name(random.below(keys)), 5000s);  // another revision, the same value
          ASSERT_THAT(outcome(touched), testing::AnyOf("OK", "NOT_FOUND"));
        }
      }
    });
    std::uint64_t removed = 0;
    const Query dead{.prefix = "key", .filter = [](const std::string& state) { return state == "dead"; }};
    while (node_.count(dead).value() > 0) removed += calls_.delete_where(dead).value();
    stop = true;
    writer.join();
    EXPECT_EQ(removed + revived.size(), static_cast<std::uint64_t>(keys)) << "seed " << seed;
    const auto left = node_.keys({.prefix = "key"}).value();
    EXPECT_TRUE(std::ranges::equal(left, revived)) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, DeleteWhereTest, testing::Values(Form::plain, Form::completion), form_name);

}  // namespace
}  // namespace concord::database
