// A transaction that is submitted under a name is done once, whatever happens to the node between the first time and a repeat.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "database/database.hpp"
#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using command::GuardKind;
using command::Once;
using command::OperationKind;
using command::Outcome;
using command::Repeat;

class OnceTest : public testing::Test {
 protected:
  OnceTest() { open(); }

  void open() {
    auto opened = Database::open(options);
    ASSERT_TRUE(opened) << message(opened);
    database = std::move(*opened);
  }
  void restart() {
    database.reset();
    open();
  }

  Result<Outcome> submit(const Once& once, const command::Transaction& transaction) {
    return completed<Outcome>(
        [&](auto done) { database->submit(transaction, &once, acl::Access::everything(), 5s, std::move(done)); });
  }
  /// Puts a number, and reads what is at "read".
  Result<Outcome> put_number(const Once& once, int number) {
    const Value value(number);
    command::Transaction transaction;
    transaction.then = {{.kind = OperationKind::put, .key = "number", .value = value.stored()},
                        {.kind = OperationKind::get, .key = "read"}};
    return submit(once, transaction);
  }
  void put(std::string_view key, const Value& value) {
    command::Transaction transaction;
    transaction.then = {{.kind = OperationKind::put, .key = key, .value = value.stored()}};
    const auto outcome = completed<Outcome>(
        [&](auto done) { database->submit(transaction, acl::Access::everything(), 5s, std::move(done)); });
    ASSERT_TRUE(outcome) << message(outcome);
    EXPECT_EQ(outcome->repeat, Repeat::none);
  }
  int number() {
    const auto entry = database->read("number", ReadConsistency::strong, acl::Access::everything(), 5s);
    return entry ? entry->value.as<int>().value() : -1;
  }

  StoreDirectory directory;
  Options options = directory.options();
  std::unique_ptr<Database> database;
};

TEST_F(OnceTest, ARepeatIsAnsweredAsTheFirstTimeAlsoAfterARestart) {
  const Value text(std::string(5000, 'x'));  // large enough to be packed
  put("read", text);
  const Once once{.scope = "token", .key = "order", .fingerprint = 1};
  const auto first = put_number(once, 1);
  ASSERT_TRUE(first) << message(first);
  EXPECT_EQ(first->repeat, Repeat::none);
  put("number", 2);
  put("read", 3);
  for (int round = 0; round < 2; ++round) {
    const auto again = put_number(once, 1);
    ASSERT_TRUE(again) << message(again);
    EXPECT_EQ(again->repeat, Repeat::replayed);
    EXPECT_TRUE(again->changed);
    EXPECT_EQ(again->revision, first->revision);
    ASSERT_EQ(again->results.size(), 2U);
    EXPECT_EQ(again->results[0].revision, first->results[0].revision);
    EXPECT_EQ(again->results[1].revision, first->results[1].revision);
    EXPECT_EQ(again->results[1].value.value(), text);
    EXPECT_EQ(first->results[1].value.value(), text);
    EXPECT_EQ(number(), 2);
    restart();
  }
}

TEST_F(OnceTest, ASnapshotRemembersIt) {
  database.reset();
  options.snapshot.every_entries = 20;
  open();
  const Once once{.key = "order", .fingerprint = 1};
  const auto first = put_number(once, 1);
  ASSERT_TRUE(first) << message(first);
  const auto end = std::chrono::steady_clock::now() + 20s;
  std::uint64_t snapshot_index = 0;
  while (snapshot_index == 0 && std::chrono::steady_clock::now() < end) {
    put("number", 2);
    snapshot_index = database->status().value().storage.snapshot_index;
  }
  ASSERT_GT(snapshot_index, 0U) << "no snapshot was taken";
  restart();
  const auto again = put_number(once, 1);
  ASSERT_TRUE(again) << message(again);
  EXPECT_EQ(again->repeat, Repeat::replayed);
  EXPECT_EQ(again->revision, first->revision);
  EXPECT_EQ(number(), 2);
}

TEST_F(OnceTest, AnotherRequestUnderTheSameNameConflicts) {
  ASSERT_TRUE(put_number({.key = "order", .fingerprint = 1}, 1));
  const auto other = put_number({.key = "order", .fingerprint = 2}, 2);
  ASSERT_TRUE(other) << message(other);
  EXPECT_EQ(other->repeat, Repeat::conflict);
  EXPECT_FALSE(other->changed);
  EXPECT_EQ(number(), 1);
}

TEST_F(OnceTest, AGuardThatFailedIsRemembered) {
  const Value one(1);
  command::Transaction transaction;
  transaction.guards = {{.kind = GuardKind::exists, .key = "lock"}};
  transaction.then = {{.kind = OperationKind::put, .key = "number", .value = one.stored()}};
  const Once once{.key = "order"};
  EXPECT_EQ(submit(once, transaction).value().guard_failure, command::GuardFailure::key_missing);
  put("lock", true);
  const auto again = submit(once, transaction);
  ASSERT_TRUE(again) << message(again);
  EXPECT_EQ(again->repeat, Repeat::replayed);
  EXPECT_EQ(again->guard_failure, command::GuardFailure::key_missing);
  EXPECT_EQ(number(), -1);
}

TEST_F(OnceTest, WhatWasRefusedIsNotRemembered) {
  const Once once{.key = "order", .fingerprint = 1};
  EXPECT_EQ(outcome(submit(once, {})), "INVALID_REQUEST");
  database->close(1s);
  EXPECT_EQ(outcome(put_number(once, 1)), "CLUSTER_UNAVAILABLE");
  restart();
  const auto done = put_number(once, 1);
  ASSERT_TRUE(done) << message(done);
  EXPECT_EQ(done->repeat, Repeat::none);
  EXPECT_EQ(number(), 1);
}

TEST_F(OnceTest, ANameThatIsNoneIsRefused) {
  const std::string too_long(129, 'k');
  EXPECT_EQ(outcome(put_number({.key = ""}, 1)), "INVALID_REQUEST");
  EXPECT_EQ(outcome(put_number({.key = too_long}, 1)), "INVALID_REQUEST");
  EXPECT_EQ(outcome(put_number({.scope = too_long, .key = "k"}, 1)), "INVALID_REQUEST");
  EXPECT_EQ(number(), -1);
}

}  // namespace
}  // namespace concord::database
