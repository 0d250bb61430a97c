// Many keys at once: results in the order of the call, one revision, and one bad item refuses all. In every form of the calls.
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
using testing::HasSubstr;

constexpr auto ok = OperationStatus::ok;
constexpr auto not_found = OperationStatus::not_found;

class BulkTest : public FormTest {};

TEST_P(BulkTest, PutManyStoresInOrderAndTheLastOfAKeyWins) {
  const BulkResult done = calls_.put_many({{"a", 1}, {"b", 2}, {"a", 3, 500s}, {"c", Bytes("c")}}).value();
  EXPECT_TRUE(done.changed);
  EXPECT_EQ(done.revision, Revision(1));
  EXPECT_THAT(done.results, ElementsAre(ok, ok, ok, ok));
  EXPECT_EQ(node_.get<int>("a").value(), 3);
  EXPECT_EQ(node_.get_entry("a").value().create_revision, Revision(1));
  EXPECT_EQ(node_.get_entry("b").value().revision, Revision(1));
  EXPECT_TRUE(node_.ttl("a").value());
  EXPECT_FALSE(node_.ttl("b").value());
  EXPECT_EQ(calls_.put_many({{"a", 1}, {"b", 1, 500s}, {"b", 2}}).value().revision, Revision(2));
  EXPECT_FALSE(node_.ttl("a").value()) << "a put without ttl removes it";
  EXPECT_FALSE(node_.ttl("b").value()) << "the last one had none";
}

TEST_P(BulkTest, DeleteManyTellsWhichWereThere) {
  EXPECT_TRUE(node_.put_many({{"a", 1}, {"b", 2}, {"c", 3}}));
  BulkResult done = calls_.delete_many({"c", "none", "a", "c"}).value();
  EXPECT_TRUE(done.changed);
  EXPECT_EQ(done.revision, Revision(2));
  EXPECT_THAT(done.results, ElementsAre(ok, not_found, ok, not_found)) << "each operation sees the earlier ones";
  EXPECT_THAT(node_.keys().value(), ElementsAre("b"));
  done = calls_.delete_many({"c", "none"}).value();
  EXPECT_FALSE(done.changed);
  EXPECT_EQ(done.revision, Revision(2)) << "that of the store";
  EXPECT_THAT(done.results, ElementsAre(not_found, not_found));
}

TEST_P(BulkTest, TouchManySetsEachRemainingTimeAndKeepsTheValues) {
  EXPECT_TRUE(node_.put_many({{"a", 1}, {"b", 2, 50s}, {"c", 3}}));
  BulkResult done = calls_.touch_many({{"a", 500s}, {"none", 9s}, {"b", 900s}, {"a", 300s}}).value();
  EXPECT_TRUE(done.changed);
  EXPECT_EQ(done.revision, Revision(2));
  EXPECT_THAT(done.results, ElementsAre(ok, not_found, ok, ok));
  EXPECT_LE(node_.ttl("a").value().value(), 300s);
  EXPECT_GT(node_.ttl("b").value().value(), 500s);
  EXPECT_FALSE(node_.ttl("c").value());
  EXPECT_EQ(node_.get<int>("a").value(), 1);
  EXPECT_EQ(node_.get_entry("b").value().revision, Revision(2));
  EXPECT_EQ(node_.get_entry("b").value().create_revision, Revision(1));
  done = calls_.touch_many({{"none", 9s}}).value();
  EXPECT_FALSE(done.changed);
  EXPECT_EQ(done.revision, Revision(2));
}

TEST_P(BulkTest, GetManyAnswersInTheOrderOfTheCall) {
  EXPECT_TRUE(node_.put_many({{"a", 1}, {"b", Bytes("b")}, {"n", nullptr}}));
  const auto values = calls_.get_many({"b", "none", "a", "b", "n"}).value();
  ASSERT_EQ(values.size(), 5U);
  EXPECT_EQ(values[0], Value(Bytes("b")));
  EXPECT_EQ(values[1], std::nullopt);
  EXPECT_EQ(values[2], Value(1));
  EXPECT_EQ(values[3], Value(Bytes("b")));
  EXPECT_EQ(values[4], Value(nullptr)) << "null is a value";
  for (const auto consistency : {ReadConsistency::eventual, ReadConsistency::leader, ReadConsistency::strong}) {
    EXPECT_EQ(calls_.get_many({"a"}, {.consistency = consistency}).value().at(0), Value(1));
  }
}

TEST_P(BulkTest, GetEntriesTellsEverythingAboutEachKey) {
  EXPECT_TRUE(node_.put("a", 1, {.ttl = 500s}));
  EXPECT_TRUE(node_.put("b", 1));
  EXPECT_TRUE(node_.put("b", 2));
  const auto check = [](const std::vector<std::optional<Entry>>& entries) {
    ASSERT_EQ(entries.size(), 3U);
    ASSERT_TRUE(entries[0] && entries[2]);
    EXPECT_FALSE(entries[1]);
    EXPECT_EQ(entries[0]->value, Value(2));
    EXPECT_EQ(entries[0]->revision, Revision(3));
    EXPECT_EQ(entries[0]->create_revision, Revision(2));
    EXPECT_EQ(entries[0]->version, 2U);
    EXPECT_FALSE(entries[0]->ttl);
    EXPECT_TRUE(entries[2]->ttl);
  };
  check(node_.get_entries({"b", "none", "a"}).value());
  check(completed<std::vector<std::optional<Entry>>>([&](auto done) {
          node_.async_get_entries({"b", "none", "a"}, {}, std::move(done));
        }).value());
}

TEST_P(BulkTest, FiveHundredAreTakenAndOneMoreIsNot) {
  std::vector<std::string> keys;
  for (int i = 0; i <= 500; ++i) keys.push_back("k" + std::to_string(i));
  std::vector<PutItem> puts;
  std::vector<TouchItem> touches;
  for (const std::string& key : keys) {
    puts.push_back({key, 1});
    touches.push_back({key, 500s});
  }
  EXPECT_EQ(outcome(calls_.put_many(puts)), "BATCH_TOO_LARGE");
  EXPECT_EQ(outcome(calls_.touch_many(touches)), "BATCH_TOO_LARGE");
  EXPECT_EQ(outcome(calls_.delete_many(keys)), "BATCH_TOO_LARGE");
  EXPECT_EQ(outcome(calls_.get_many(keys)), "BATCH_TOO_LARGE");
  EXPECT_EQ(outcome(node_.get_entries({keys.begin(), keys.end()})), "BATCH_TOO_LARGE");
  EXPECT_EQ(node_.status().value().storage.size, 0U);
  puts.pop_back();
  touches.pop_back();
  keys.pop_back();
  EXPECT_EQ(calls_.put_many(puts).value().results.size(), 500U);
  EXPECT_EQ(calls_.touch_many(touches).value().results.size(), 500U);
  EXPECT_EQ(calls_.get_many(keys).value().size(), 500U);
  EXPECT_EQ(calls_.delete_many(keys).value().revision, Revision(3));
}

TEST_P(BulkTest, AnEmptyBatchIsRefused) {
  EXPECT_EQ(outcome(calls_.put_many({})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.touch_many({})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_many({})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.get_many({})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(node_.get_entries({})), "INVALID_REQUEST");
}

TEST_P(BulkTest, ABadItemRefusesTheBatchAndIsNamed) {
  const auto put = [&](const PutItem& bad) {
    const auto done = calls_.put_many({{"k0", 1}, {"k1", 1}, bad, {"k3", 1}});
    EXPECT_THAT(message(done), HasSubstr("[2]"));
    return outcome(done);
  };
  EXPECT_EQ(put({"", 1}), "INVALID_KEY");
  EXPECT_EQ(put({std::string_view(), 1}), "INVALID_KEY");
  const std::string long_key(1025, 'k');
  EXPECT_EQ(put({long_key, 1}), "INVALID_KEY");
  EXPECT_EQ(put({"k", "\xff"}), "INVALID_REQUEST");
  EXPECT_EQ(put({"k", std::string((8U << 20U) + 1, 'v')}), "PAYLOAD_TOO_LARGE");
  for (const auto ttl : {0s, -1s, 3'153'600'001s, std::chrono::seconds::max(), std::chrono::seconds::min()}) {
    EXPECT_EQ(put({"k", 1, ttl}), "INVALID_REQUEST") << ttl.count();
    const auto touched = calls_.touch_many({{"k0", 9s}, {"k", ttl}});
    EXPECT_EQ(outcome(touched), "INVALID_REQUEST") << ttl.count();
    EXPECT_THAT(message(touched), HasSubstr("[1]"));
  }
  const auto touched = calls_.touch_many({{"k0", 9s}, {"", 9s}});
  EXPECT_EQ(outcome(touched), "INVALID_KEY");
  EXPECT_THAT(message(touched), HasSubstr("[1]"));
  const auto deleted = calls_.delete_many({"k0", "k1", ""});
  EXPECT_EQ(outcome(deleted), "INVALID_KEY");
  EXPECT_THAT(message(deleted), HasSubstr("[2]"));
  const auto got = calls_.get_many({"k0", long_key});
  EXPECT_EQ(outcome(got), "INVALID_KEY");
  EXPECT_THAT(message(got), HasSubstr("[1]"));
  EXPECT_EQ(node_.status().value().storage.revision, Revision(0));
  EXPECT_EQ(node_.status().value().storage.size, 0U);
}

TEST_P(BulkTest, ReadersNeverSeeHalfABatch) {
  constexpr int rounds = 150;
  const std::vector<std::string> keys = {"x", "a", "m", "b", "z"};
  std::atomic<bool> done{false};
  const auto write = [&](int round) {
    std::vector<PutItem> items;
    for (const std::string& key : keys) items.push_back({key, round});
    EXPECT_TRUE(calls_.put_many(items));
  };
  write(0);
  std::thread writer([&] {
    for (int round = 1; round <= rounds; ++round) {
      write(round);
      if (round % 5 == 0) {
        EXPECT_TRUE(calls_.delete_many(keys));
      }
    }
    done = true;
  });
  while (!done) {
    const auto values = calls_.get_many(keys).value();
    const auto rows = calls_.where({}).value();
    for (const auto& value : values) ASSERT_EQ(value, values.front());
    ASSERT_TRUE(rows.empty() || rows.size() == keys.size());
    for (const Item& row : rows) ASSERT_EQ(row.entry.value, rows.front().entry.value);
  }
  writer.join();
}

INSTANTIATE_TEST_SUITE_P(Forms, BulkTest, testing::Values(Form::plain, Form::completion, Form::awaited), form_name);

}  // namespace
}  // namespace concord::database
