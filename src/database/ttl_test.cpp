// Remaining times: who sets, keeps and removes them, and what is left of a key when its time is over.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::chrono::seconds longest = 3'153'600'000s;

class TtlTest : public FormTest {
 protected:
  void wait_until_gone(std::string_view key) {
    while (node_.get(key)) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(outcome(node_.get(key)), "NOT_FOUND");
  }
};

TEST_P(TtlTest, EveryReadTellsTheRemainingTimeRoundedUp) {
  EXPECT_TRUE(calls_.put("timed", 1, {.ttl = 500s}));
  EXPECT_TRUE(calls_.put("lasting", "x"));
  const auto is_right = [](std::optional<std::chrono::seconds> ttl) { return ttl && *ttl <= 500s && *ttl > 300s; };
  EXPECT_TRUE(is_right(node_.ttl("timed").value()));
  EXPECT_FALSE(node_.ttl("lasting").value());
  EXPECT_EQ(outcome(node_.ttl("none")), "NOT_FOUND");
  EXPECT_EQ(outcome(node_.ttl("")), "INVALID_KEY");
  EXPECT_TRUE(is_right(node_.get_with_ttl("timed").value().ttl));
  EXPECT_EQ(node_.get_with_ttl("timed").value().value, Value(1));
  EXPECT_FALSE(node_.get_with_ttl("lasting").value().ttl);
  EXPECT_EQ(outcome(node_.get_with_ttl("none")), "NOT_FOUND");
  EXPECT_EQ(node_.get_with_ttl<int>("timed").value().value, 1);
  EXPECT_TRUE(is_right(node_.get_with_ttl<int>("timed").value().ttl));
  EXPECT_EQ(outcome(node_.get_with_ttl<int>("lasting")), "INVALID_REQUEST");
  EXPECT_TRUE(is_right(calls_.get_entry("timed").value().ttl));
  EXPECT_FALSE(calls_.get_entry("lasting").value().ttl);
  EXPECT_TRUE(is_right(node_.get_entries({"timed"}).value()[0]->ttl));
  EXPECT_TRUE(is_right(node_.get_all_with_ttl().value().at("timed").ttl));
  EXPECT_FALSE(node_.get_all_with_ttl().value().at("lasting").ttl);
  EXPECT_TRUE(is_right(calls_.where({.prefix = "timed"}).value()[0].entry.ttl));
  EXPECT_TRUE(is_right(node_.where_page({.prefix = "timed"}, {}).value().rows[0].entry.ttl));
}

TEST_P(TtlTest, APutWithoutOneRemovesIt) {
  EXPECT_TRUE(calls_.put("k", 1, {.ttl = 500s}));
  EXPECT_TRUE(calls_.put("k", 2, {.keep_ttl = true}));
  EXPECT_TRUE(node_.ttl("k").value());
  EXPECT_EQ(outcome(calls_.put("k", 3, {.ttl = 5s, .keep_ttl = true})), "INVALID_REQUEST");
  EXPECT_EQ(node_.get<int>("k").value(), 2);
  EXPECT_TRUE(calls_.put("k", 3));
  EXPECT_FALSE(node_.ttl("k").value());
  EXPECT_TRUE(calls_.put("k", 4, {.keep_ttl = true}));
  EXPECT_FALSE(node_.ttl("k").value());
  EXPECT_TRUE(calls_.put("new", 4, {.keep_ttl = true}));
  EXPECT_FALSE(node_.ttl("new").value());
}

TEST_P(TtlTest, ATouchSetsItAndKeepsTheValue) {
  EXPECT_TRUE(node_.put("k", "value"));
  EXPECT_EQ(calls_.touch("k", 500s).value(), Revision(2));
  Entry entry = node_.get_entry("k").value();
  EXPECT_EQ(entry.value, Value("value"));
  EXPECT_EQ(entry.revision, Revision(2));
  EXPECT_EQ(entry.create_revision, Revision(1));
  EXPECT_EQ(entry.version, 2U);
  EXPECT_TRUE(entry.ttl);
  EXPECT_EQ(calls_.touch("k", 20s).value(), Revision(3));
  EXPECT_LE(node_.ttl("k").value().value(), 20s) << "it may get shorter";
  EXPECT_EQ(outcome(calls_.touch("none", 20s)), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.touch("", 20s)), "INVALID_KEY");
  EXPECT_EQ(node_.status().value().storage.revision, Revision(3));
}

TEST_P(TtlTest, OneSecondToAHundredYears) {
  EXPECT_TRUE(node_.put("k", 1));
  for (const auto ttl : {0s, -1s, longest + 1s, std::chrono::seconds::max(), std::chrono::seconds::min()}) {
    EXPECT_EQ(outcome(calls_.put("k", 2, {.ttl = ttl})), "INVALID_REQUEST") << ttl.count();
    EXPECT_EQ(outcome(calls_.touch("k", ttl)), "INVALID_REQUEST") << ttl.count();
    EXPECT_EQ(outcome(calls_.create("new", 2, {.ttl = ttl})), "INVALID_REQUEST") << ttl.count();
  }
  EXPECT_EQ(node_.status().value().storage.revision, Revision(1));
  EXPECT_TRUE(calls_.put("k", 2, {.ttl = longest}));
  EXPECT_LE(node_.ttl("k").value().value(), longest);
  EXPECT_GT(node_.ttl("k").value().value(), longest - 1000s);
  EXPECT_TRUE(calls_.touch("k", longest));
}

TEST_P(TtlTest, AnExpiredKeyIsGoneForEveryCall) {
  EXPECT_TRUE(calls_.put("k", 1, {.ttl = 1s}));
  EXPECT_EQ(node_.ttl("k").value(), 1s) << "a living key never shows 0";
  wait_until_gone("k");
  EXPECT_EQ(outcome(calls_.get("k", {.consistency = ReadConsistency::strong})), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.get_entry("k")), "NOT_FOUND");
  EXPECT_EQ(outcome(node_.ttl("k")), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.touch("k", 5s)), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.del("k")), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.put_if("k", 2, {.expected = 1})), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.delete_if("k", {.expected = 1})), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.update("k", [](int n) { return n; })), "NOT_FOUND");
  EXPECT_EQ(calls_.get_many({"k"}).value()[0], std::nullopt);
  EXPECT_EQ(calls_.count({}).value(), 0U);
  EXPECT_TRUE(calls_.keys({}).value().empty());
  EXPECT_TRUE(node_.get_all_with_ttl().value().empty());
  EXPECT_THAT(calls_.touch_many({{"k", 5s}}).value().results, ElementsAre(OperationStatus::not_found));
  EXPECT_EQ(calls_.delete_where({.prefix = "k"}).value(), 0U);
  EXPECT_TRUE(calls_.put("k", 2, {.keep_ttl = true}));
  EXPECT_FALSE(node_.ttl("k").value());
  EXPECT_EQ(node_.get_entry("k").value().version, 1U) << "it is a new key";
}

TEST_P(TtlTest, WhoProlongsItInTimeKeepsTheKey) {
  EXPECT_TRUE(node_.put_many({{"touched", 1, 1s}, {"put", 1, 1s}, {"gone", 1, 1s}, {"kept", 1, 1s}}));
  EXPECT_TRUE(calls_.touch_many({{"touched", 500s}}));
  EXPECT_TRUE(calls_.put("put", 2));
  EXPECT_TRUE(calls_.update("kept", [](int n) { return n + 1; }));
  wait_until_gone("gone");
  wait_until_gone("kept");
  EXPECT_TRUE(node_.get("touched"));
  EXPECT_TRUE(node_.get("put"));
}

TEST_P(TtlTest, ARestartKeepsWhatRemains) {
  Options options = directory_.options();
  options.data_dir += ".restart";
  {
    const auto tested = open_tested(options);
    Store& node = tested->store();
    EXPECT_TRUE(Calls(node, GetParam()).put("timed", 1, {.ttl = 500s}));
    EXPECT_TRUE(node.put("soon", 1, {.ttl = 1s}));
    EXPECT_TRUE(node.put("lasting", 1));
  }
  {
    const auto tested = open_tested(options);
    Store& node = tested->store();
    EXPECT_LE(node.ttl("timed").value().value(), 500s);
    EXPECT_GT(node.ttl("timed").value().value(), 300s);
    EXPECT_FALSE(node.ttl("lasting").value());
    while (node.get("soon")) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(node.count().value(), 2U);
  }
  std::filesystem::remove_all(options.data_dir);
}

INSTANTIATE_TEST_SUITE_P(Forms, TtlTest, testing::Values(Form::plain, Form::completion, Form::awaited), form_name);

TEST(TtlMassTest, TwentyThousandExpireWhileWritesGoOn) {
  constexpr int keys = 20'000;
  StoreDirectory directory;
  const auto tested = open_tested(directory.options());
  Store& node = tested->store();
  std::atomic<bool> stop{false};
  std::uint64_t writes = 0;
  std::thread writer([&] {
    Revision last;
    for (; !stop; ++writes) {
      const auto put = node.put("busy/" + std::to_string(writes % 1000), writes);
      ASSERT_TRUE(put) << message(put);
      ASSERT_GT(*put, last);
      last = *put;
    }
  });
  for (int i = 0; i < keys;) {
    std::vector<std::string> names;
    std::vector<PutItem> items;
    for (int end = i + 500; i < end; ++i) names.push_back("timed/" + std::to_string(i));
    for (const std::string& name : names) items.push_back({name, std::string(100, 'v'), 1s});
    ASSERT_TRUE(node.put_many(items));
  }
  while (node.count({.prefix = "timed/"}).value() > 0) std::this_thread::sleep_for(20ms);
  stop = true;
  writer.join();
  EXPECT_EQ(node.count({.prefix = "timed/"}).value(), 0U);
  const Status status = node.status().value();
  EXPECT_EQ(status.storage.size, std::min<std::uint64_t>(writes, 1000)) << "they hold no memory either";
  EXPECT_LT(status.storage.memory_bytes, 2U << 20U);
}

}  // namespace
}  // namespace concord::database
