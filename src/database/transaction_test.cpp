// Transactions: guards decide which operations run, each sees the earlier ones, and all of it happens at one revision or not at
// all. In every form of the calls.
#include <atomic>
#include <chrono>
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
using testing::HasSubstr;

class TransactionTest : public FormTest {
 protected:
  /// Which guard did not hold; none: all held.
  std::optional<std::size_t> failing(std::vector<Guard> guards) {
    Transaction transaction;
    transaction.guards = std::move(guards);
    transaction.then = {Operation::get("any")};
    transaction.otherwise = {Operation::get("any"), Operation::get("any")};
    const auto done = calls_.commit(transaction);
    EXPECT_TRUE(done) << message(done);
    if (!done) return 999;
    EXPECT_EQ(done->succeeded, !done->failed_guard);
    EXPECT_EQ(done->results.size(), done->succeeded ? 1U : 2U);
    EXPECT_FALSE(done->changed);
    key_missing_ = done->key_missing;
    return done->failed_guard;
  }
  bool key_missing_ = false;
};

TEST_P(TransactionTest, AllGuardsHoldAndThenRuns) {
  EXPECT_TRUE(node_.put_many({{"acct:1", 100}, {"acct:2", 100}}));
  Transaction transfer;
  transfer.guards = {{.key = "acct:1", .expected = 100.0}, {.key = "acct:3", .exists = false}};
  transfer.then = {Operation::put("acct:1", 60), Operation::put("acct:2", 140)};
  transfer.otherwise = {Operation::get("acct:1")};
  const TransactionResult done = calls_.commit(transfer).value();
  EXPECT_TRUE(done.succeeded);
  EXPECT_TRUE(done.changed);
  EXPECT_EQ(done.revision, Revision(2));
  EXPECT_FALSE(done.failed_guard);
  EXPECT_FALSE(done.key_missing);
  ASSERT_EQ(done.results.size(), 2U);
  EXPECT_EQ(done.results[1].revision, Revision(2));
  EXPECT_FALSE(done.results[1].value);

  const TransactionResult again = calls_.commit(transfer).value();
  EXPECT_FALSE(again.succeeded);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.revision, Revision(2)) << "that of the store";
  EXPECT_EQ(again.failed_guard, 0U);
  EXPECT_FALSE(again.key_missing);
  ASSERT_EQ(again.results.size(), 1U);
  EXPECT_EQ(again.results[0].value, Value(60));
  EXPECT_EQ(again.results[0].revision, Revision(2));
}

TEST_P(TransactionTest, OtherwiseMayWrite) {
  Transaction transaction;
  transaction.guards = {{.key = "lock", .exists = true}};
  transaction.then = {Operation::put("then", 1)};
  transaction.otherwise = {Operation::put("otherwise", 1)};
  const TransactionResult done = calls_.commit(transaction).value();
  EXPECT_FALSE(done.succeeded);
  EXPECT_TRUE(done.changed);
  EXPECT_EQ(done.revision, Revision(1));
  EXPECT_TRUE(node_.get("otherwise"));
  EXPECT_FALSE(node_.get("then"));
}

TEST_P(TransactionTest, EachOperationSeesTheEarlierOnes) {
  EXPECT_TRUE(node_.put("old", "old"));
  Transaction transaction;
  transaction.then = {Operation::get("old"),       Operation::put("old", "new"),  Operation::get("old"),
                      Operation::del("old"),       Operation::get("old"),         Operation::del("old"),
                      Operation::touch("old", 9s), Operation::put("old", "last"), Operation::touch("old", 500s),
                      Operation::get("old"),       Operation::get("other")};
  const TransactionResult done = calls_.commit(transaction).value();
  ASSERT_EQ(done.results.size(), 11U);
  const auto is = [&](std::size_t at, OperationStatus status, std::optional<Value> value, Revision revision) {
    EXPECT_EQ(done.results[at].status, status) << at;
    EXPECT_EQ(done.results[at].value, value) << at;
    EXPECT_EQ(done.results[at].revision, revision) << at;
  };
  const auto ok = OperationStatus::ok;
  const auto not_found = OperationStatus::not_found;
  is(0, ok, "old", Revision(1));
  is(1, ok, {}, Revision(2));
  is(2, ok, "new", Revision(2));
  is(3, ok, {}, Revision(0));
  is(4, not_found, {}, Revision(0));
  is(5, not_found, {}, Revision(0));
  is(6, not_found, {}, Revision(0));
  is(7, ok, {}, Revision(2));
  is(8, ok, {}, Revision(2));
  is(9, ok, "last", Revision(2));
  is(10, not_found, {}, Revision(0));
  const Entry entry = node_.get_entry("old").value();
  EXPECT_EQ(entry.revision, Revision(2));
  EXPECT_EQ(entry.create_revision, Revision(2)) << "it was removed and came again";
  EXPECT_TRUE(entry.ttl);
}

TEST_P(TransactionTest, GuardsSeeWhatWasThereBeforeTheOperations) {
  EXPECT_TRUE(node_.put("a", 1));
  Transaction transaction;
  transaction.guards = {
      {.key = "a", .expected = 1}, {.key = "a", .revision = Revision(1)}, {.key = "b", .exists = false}};
  transaction.then = {Operation::put("a", 2), Operation::put("b", 1), Operation::del("a")};
  EXPECT_TRUE(calls_.commit(transaction).value().succeeded);
  EXPECT_FALSE(node_.get("a"));
}

TEST_P(TransactionTest, TheFirstGuardThatDoesNotHoldIsNamed) {
  EXPECT_TRUE(node_.put("n", json(R"({"a":1,"b":2})")));
  const Guard holds{.key = "n", .exists = true};
  EXPECT_EQ(failing({}), std::nullopt);
  EXPECT_EQ(failing({holds, {.key = "n", .expected = json(R"({"b":2.0,"a":1})")}}), std::nullopt);
  EXPECT_EQ(failing({holds, {.key = "n", .revision = Revision(1)}}), std::nullopt);
  EXPECT_EQ(failing({holds, {.key = "n", .condition = Filter(R"({"a":{"$lt":2}})")}}), std::nullopt);
  EXPECT_EQ(failing({holds, {.key = "none", .exists = false}}), std::nullopt);
  EXPECT_EQ(failing({holds, {.key = "n", .exists = false}}), 1U);
  EXPECT_FALSE(key_missing_);
  EXPECT_EQ(failing({{.key = "n", .expected = 1}, {.key = "none", .exists = true}}), 0U);
  EXPECT_FALSE(key_missing_);
  EXPECT_EQ(failing({holds, holds, {.key = "n", .revision = Revision(2)}}), 2U);
  EXPECT_EQ(failing({holds, {.key = "n", .condition = Filter(R"({"a":{"$gt":2}})")}}), 1U);
  EXPECT_FALSE(key_missing_);
  EXPECT_EQ(failing({holds, {.key = "none", .exists = true}}), 1U);
  EXPECT_TRUE(key_missing_);
  EXPECT_EQ(failing({{.key = "none", .expected = nullptr}, {.key = "n", .expected = 1}}), 0U);
  EXPECT_TRUE(key_missing_);
  EXPECT_EQ(failing({{.key = "none", .revision = Revision(0)}}), 0U);
  EXPECT_TRUE(key_missing_) << "of a key that is missing only exists = false holds";
  EXPECT_EQ(failing({{.key = "none", .condition = Filter("{}")}}), 0U);
  EXPECT_TRUE(key_missing_);
}

TEST_P(TransactionTest, ARevisionIsTakenOnlyWhenSomethingChanged) {
  EXPECT_TRUE(node_.put("n", 1));
  Transaction nothing;
  nothing.then = {Operation::get("n"), Operation::del("none"), Operation::touch("none", 9s)};
  TransactionResult done = calls_.commit(nothing).value();
  EXPECT_TRUE(done.succeeded);
  EXPECT_FALSE(done.changed);
  EXPECT_EQ(done.revision, Revision(1));
  Transaction same;
  same.then = {Operation::put("n", 1)};
  done = calls_.commit(same).value();
  EXPECT_TRUE(done.changed) << "an identical put is a change";
  EXPECT_EQ(done.revision, Revision(2));
  same.then = {Operation::touch("n", 9s)};
  EXPECT_EQ(calls_.commit(same).value().revision, Revision(3));
}

TEST_P(TransactionTest, PutsSetKeepAndRemoveTheTtl) {
  EXPECT_TRUE(node_.put_many({{"a", 1, 500s}, {"b", 1, 500s}, {"c", 1, 500s}, {"d", 1}}));
  Transaction transaction;
  transaction.then = {{.kind = Operation::Kind::put, .key = "a", .value = 2, .keep_ttl = true},
                      Operation::put("b", 2),
                      Operation::put("c", 2, 900s),
                      {.kind = Operation::Kind::put, .key = "d", .value = 2, .keep_ttl = true},
                      {.kind = Operation::Kind::put, .key = "new", .value = 2, .keep_ttl = true}};
  EXPECT_TRUE(calls_.commit(transaction));
  EXPECT_LE(node_.ttl("a").value().value(), 500s);
  EXPECT_FALSE(node_.ttl("b").value());
  EXPECT_GT(node_.ttl("c").value().value(), 500s);
  EXPECT_FALSE(node_.ttl("d").value());
  EXPECT_FALSE(node_.ttl("new").value());
}

TEST_P(TransactionTest, LimitsAreFiveHundredOfEach) {
  const std::vector<Operation> operations(500, Operation::put("k", 1));
  const std::vector<Guard> guards(500, Guard{.key = "k", .exists = false});
  Transaction full{.guards = guards, .then = operations, .otherwise = operations};
  const auto done = calls_.commit(full);
  ASSERT_EQ(outcome(done), "OK");
  EXPECT_EQ(done->results.size(), 500U);
  EXPECT_EQ(done->revision, Revision(1));
  EXPECT_EQ(node_.get_entry("k").value().version, 500U);
  Transaction over = full;
  over.then.push_back(Operation::get("k"));
  EXPECT_EQ(outcome(calls_.commit(over)), "BATCH_TOO_LARGE");
  over = full;
  over.otherwise.push_back(Operation::get("k"));
  EXPECT_EQ(outcome(calls_.commit(over)), "BATCH_TOO_LARGE");
  over = full;
  over.guards.push_back({.key = "k", .exists = true});
  EXPECT_EQ(outcome(calls_.commit(over)), "BATCH_TOO_LARGE");
  EXPECT_EQ(outcome(calls_.commit({})), "INVALID_REQUEST") << "an empty one";
  EXPECT_EQ(node_.status().value().storage.revision, Revision(1));
}

TEST_P(TransactionTest, ABadOperationRefusesTheWholeAndNamesItsPlace) {
  const auto refused = [&](const Operation& bad) {
    Transaction transaction;
    transaction.then = {Operation::put("good", 1), Operation::put("good", 2), bad};
    const auto then = calls_.commit(transaction);
    EXPECT_THAT(message(then), HasSubstr("then[2]"));
    transaction.guards = {{.key = "good", .exists = false}};  // holds, so that `otherwise` would not run
    transaction.then.pop_back();
    transaction.otherwise = {Operation::get("good"), bad};
    const auto otherwise = calls_.commit(transaction);
    EXPECT_THAT(message(otherwise), HasSubstr("else[1]"));
    EXPECT_EQ(outcome(then), outcome(otherwise));
    return outcome(then);
  };
  EXPECT_EQ(refused(Operation::put("", 1)), "INVALID_KEY");
  EXPECT_EQ(refused(Operation::del(std::string(1025, 'k'))), "INVALID_KEY");
  EXPECT_EQ(refused(Operation::put("k", "\xff")), "INVALID_REQUEST");
  EXPECT_EQ(refused(Operation::put("k", std::string((8U << 20U) + 1, 'v'))), "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(refused(Operation::put("k", 1, 0s)), "INVALID_REQUEST");
  EXPECT_EQ(refused(Operation::put("k", 1, -1s)), "INVALID_REQUEST");
  EXPECT_EQ(refused(Operation::put("k", 1, 3'153'600'001s)), "INVALID_REQUEST");
  EXPECT_EQ(refused(Operation::put("k", 1, std::chrono::seconds::max())), "INVALID_REQUEST");
  EXPECT_EQ(refused(Operation::touch("k", 0s)), "INVALID_REQUEST");
  EXPECT_EQ(refused(Operation::touch("k", std::chrono::seconds::min())), "INVALID_REQUEST");
  EXPECT_EQ(refused({.kind = Operation::Kind::touch, .key = "k"}), "INVALID_REQUEST") << "touch needs a ttl";
  EXPECT_EQ(refused({.kind = Operation::Kind::put, .key = "k", .value = 1, .ttl = 9s, .keep_ttl = true}),
            "INVALID_REQUEST");
  EXPECT_EQ(node_.status().value().storage.revision, Revision(0));
}

TEST_P(TransactionTest, ABadGuardRefusesTheWholeAndNamesItsPlace) {
  const auto refused = [&](const Guard& bad) {
    Transaction transaction;
    transaction.guards = {{.key = "k", .exists = true}, bad};
    transaction.otherwise = {Operation::put("k", 1)};
    const auto done = calls_.commit(transaction);
    EXPECT_THAT(message(done), HasSubstr("guards[1]"));
    return outcome(done);
  };
  EXPECT_EQ(refused({.key = "k"}), "MISSING_CONDITION");
  EXPECT_EQ(refused({.key = "k", .expected = 1, .exists = true}), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(refused({.key = "k", .revision = Revision(1), .condition = Filter("{}")}), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(refused({.key = "", .exists = true}), "INVALID_KEY");
  EXPECT_EQ(refused({.key = "k", .expected = "\xff"}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.key = "k", .condition = Filter("[]")}), "INVALID_REQUEST");
  EXPECT_EQ(refused({.key = "k", .condition = Filter(R"({"a":{"$near":1}})")}), "INVALID_REQUEST");
  EXPECT_EQ(node_.status().value().storage.revision, Revision(0));
}

TEST_P(TransactionTest, ConcurrentTransfersKeepTheSum) {
  constexpr int accounts = 5;
  constexpr int threads = 3;
  constexpr int each = 60;
  constexpr std::uint64_t seed = 11;
  const auto account = [](std::uint64_t i) { return "acct:" + std::to_string(i); };
  for (int i = 0; i < accounts; ++i) EXPECT_TRUE(node_.put(account(static_cast<std::uint64_t>(i)), 100));
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      base::Random random(seed + static_cast<std::uint64_t>(thread));
      for (int done = 0; done < each;) {
        const std::uint64_t from = random.below(accounts);
        const std::uint64_t to = (from + 1 + random.below(accounts - 1)) % accounts;
        const auto seen = node_.get_entries({account(from), account(to)}).value();
        Transaction transfer;
        transfer.guards = {{.key = account(from), .revision = seen[0]->revision},
                           {.key = account(to), .revision = seen[1]->revision}};
        transfer.then = {Operation::put(account(from), seen[0]->value.as<int>().value() - 1),
                         Operation::put(account(to), seen[1]->value.as<int>().value() + 1)};
        const auto result = calls_.commit(transfer);
        ASSERT_TRUE(result) << message(result);
        if (result->succeeded) ++done;
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  int sum = 0;
  for (std::uint64_t i = 0; i < accounts; ++i) sum += node_.get<int>(account(i)).value();
  EXPECT_EQ(sum, accounts * 100) << "seed " << seed;
  EXPECT_EQ(node_.status().value().storage.revision, Revision(accounts + threads * each));
}

INSTANTIATE_TEST_SUITE_P(Forms, TransactionTest, testing::Values(Form::plain, Form::completion, Form::awaited),
                         form_name);

}  // namespace
}  // namespace concord::database
