// Asynchronous calls: outcomes arrive once and where they should, from coroutines and completions, with an executor or without.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::ElementsAre;
using Task = std::move_only_function<void()>;

/// Keeps tasks until somebody runs them.
class TaskQueue {
 public:
  auto executor() {
    return [this](Task task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      added_.notify_one();
    };
  }
  /// Runs what is there and what that brings; tells how many.
  int run_all() {
    int ran = 0;
    for (Task task = take(); task; task = take(), ++ran) task();
    return ran;
  }
  /// Runs tasks as they come, until `stop`.
  void work() {
    is_worker = true;
    for (;;) {
      Task task;
      {
        std::unique_lock lock(mutex_);
        added_.wait(lock, [&] { return stopped_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    added_.notify_all();
  }
  static thread_local bool is_worker;

 private:
  Task take() {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) return {};
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  std::mutex mutex_;
  std::condition_variable added_;
  std::deque<Task> tasks_;
  bool stopped_ = false;
};
thread_local bool TaskQueue::is_worker = false;

class ThreadPool {
 public:
  explicit ThreadPool(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { queue_.work(); });
  }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool() {
    queue_.stop();
    for (std::thread& thread : threads_) thread.join();
  }
  auto executor() { return queue_.executor(); }

 private:
  TaskQueue queue_;
  std::vector<std::thread> threads_;
};

/// A coroutine whose end can be waited for.
struct Job {
  struct promise_type {
    std::promise<void> ended;
    Job get_return_object() { return {ended.get_future()}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() { ended.set_value(); }
    void unhandled_exception() { std::terminate(); }
  };
  std::future<void> done;
};

class AsyncTest : public testing::Test {
 protected:
  [[nodiscard]] Node open_with(std::function<void(Task)> executor) const {
    Options options = directory_.options();
    options.executor = std::move(executor);
    return StoreDirectory::open(options);
  }

  StoreDirectory directory_;
};

/// Every awaitable call once, one after the other.
Job use_every_call(Store& store) {
  EXPECT_EQ((co_await store.async_put("a", 1)).value(), Revision(1));
  EXPECT_EQ((co_await store.async_create("b", 2, {.ttl = 500s})).value(), Revision(2));
  EXPECT_EQ((co_await store.async_create("b", 2)).error().code(), Errc::condition_failed);
  EXPECT_EQ((co_await store.async_update("a", [](int n) { return n + 1; })).value().value, Value(2));
  EXPECT_EQ((co_await store.async_get("a")).value(), Value(2));
  EXPECT_EQ((co_await store.async_get("none")).error().code(), Errc::not_found);
  EXPECT_TRUE((co_await store.async_get_entry("b", {.consistency = ReadConsistency::strong})).value().ttl);
  EXPECT_EQ((co_await store.async_touch("a", 500s)).value(), Revision(4));
  const PutIfOptions put_if{.expected = 2.0};
  EXPECT_EQ((co_await store.async_put_if("a", 3, put_if)).value(), Revision(5));
  const PutIfOptions put_if_predicate{.condition = [](int n) { return n == 4; }};
  EXPECT_EQ((co_await store.async_put_if("a", 3, put_if_predicate)).error().code(), Errc::condition_failed);
  const DeleteIfOptions delete_if{.condition = Filter(R"({"$value":{"$lt":5}})")};
  EXPECT_EQ((co_await store.async_delete_if("b", delete_if)).value(), Revision(6));
  EXPECT_EQ((co_await store.async_del("b")).error().code(), Errc::not_found);
  Transaction transaction;
  transaction.guards.push_back({.key = "b", .exists = false});
  transaction.then.push_back(Operation::put("b", 1));
  transaction.then.push_back(Operation::get("a"));
  const auto committed = co_await store.async_commit(transaction);
  EXPECT_EQ(committed.value().results.at(1).value, Value(3));
  std::vector<PutItem> puts;
  puts.push_back({"c", 1});
  puts.push_back({"d", 1});
  EXPECT_EQ((co_await store.async_put_many(puts)).value().revision, Revision(8));
  const std::vector<TouchItem> touches(1, TouchItem{"c", 500s});
  EXPECT_EQ((co_await store.async_touch_many(touches)).value().revision, Revision(9));
  const std::vector<std::string> names = {"d", "none"};
  const auto deleted = co_await store.async_delete_many(names);
  EXPECT_THAT(deleted.value().results, ElementsAre(OperationStatus::ok, OperationStatus::not_found));
  const auto many = co_await store.async_get_many(names);
  EXPECT_EQ(many.value().size(), 2U);
  const Query all;
  EXPECT_THAT((co_await store.async_keys(all)).value(), ElementsAre("a", "b", "c"));
  EXPECT_EQ((co_await store.async_where(all)).value().size(), 3U);
  EXPECT_EQ((co_await store.async_count(all)).value(), 3U);
  Query some;
  some.filter = [](int n) { return n == 1; };
  EXPECT_EQ((co_await store.async_delete_where(some)).value(), 2U);
  EXPECT_EQ((co_await store.async_delete_where(all)).error().code(), Errc::invalid_request);
  EXPECT_THAT((co_await store.async_keys(all)).value(), ElementsAre("a"));
}

TEST_F(AsyncTest, EveryCallCanBeAwaited) {
  Node node = directory_.open();
  use_every_call(node).done.wait();
}

TEST_F(AsyncTest, EveryCallCanBeAwaitedInAThreadPool) {
  ThreadPool pool(3);
  Node node = open_with(pool.executor());
  use_every_call(node).done.wait();
}

TEST_F(AsyncTest, EveryCallCanBeAwaitedWithAnExecutorThatRunsTasksAtOnce) {
  Node node = open_with([](Task task) { task(); });
  use_every_call(node).done.wait();
}

/// Every call with bad arguments, by `calls`.
void expect_errors(const Calls& calls) {
  EXPECT_EQ(outcome(calls.put("", 1)), "INVALID_KEY");
  EXPECT_EQ(outcome(calls.create("", 1)), "INVALID_KEY");
  EXPECT_EQ(outcome(calls.update("", [](std::optional<int>) { return 1; })), "INVALID_KEY");
  EXPECT_EQ(outcome(calls.del("")), "INVALID_KEY");
  EXPECT_EQ(outcome(calls.touch("k", 0s)), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls.get("")), "INVALID_KEY");
  EXPECT_EQ(outcome(calls.get_entry("none")), "NOT_FOUND");
  EXPECT_EQ(outcome(calls.put_if("k", 1, {})), "MISSING_CONDITION");
  EXPECT_EQ(outcome(calls.delete_if("k", {.expected = 1, .exists = true})), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(outcome(calls.commit({})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls.put_many({})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls.delete_many({""})), "INVALID_KEY");
  EXPECT_EQ(outcome(calls.touch_many({{"k", -1s}})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls.get_many({})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls.keys({.pattern = "("})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls.where({.limit = 0})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls.count({.filter = Filter("{")})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls.delete_where({})), "INVALID_REQUEST");
}

TEST_F(AsyncTest, ErrorsAreDelivered) {
  Node node = directory_.open();
  expect_errors(Calls(node, Form::completion));
  expect_errors(Calls(node, Form::awaited));
}

TEST_F(AsyncTest, ErrorsAreDeliveredInAThreadPool) {
  ThreadPool pool(2);
  Node node = open_with(pool.executor());
  expect_errors(Calls(node, Form::completion));
  expect_errors(Calls(node, Form::awaited));
}

TEST_F(AsyncTest, OverloadIsDelivered) {
  Options options = directory_.options();
  options.limits.max_in_flight = 0;
  Node node = StoreDirectory::open(options);
  for (const Form form : {Form::plain, Form::completion, Form::awaited}) {
    const Calls calls(node, form);
    const auto put = calls.put("k", 1);
    EXPECT_EQ(outcome(put), "TOO_MANY_REQUESTS");
    EXPECT_TRUE(put.error().retryable());
    EXPECT_FALSE(put.error().maybe_committed());
    EXPECT_EQ(outcome(calls.create("k", 1)), "TOO_MANY_REQUESTS");
    EXPECT_EQ(outcome(calls.update("k", [](std::optional<int>) { return 1; })), "TOO_MANY_REQUESTS");
    EXPECT_EQ(outcome(calls.delete_where({.prefix = "k"})), "TOO_MANY_REQUESTS");
    EXPECT_EQ(outcome(calls.get("k")), "NOT_FOUND") << "reads go on";
  }
}

Job await_often(Store& store, int times, int& found) {
  for (int i = 0; i < times; ++i) {
    if (co_await store.async_get("k")) ++found;
  }
}

TEST_F(AsyncTest, ALongLoopOfAwaitsTakesNoStack) {
  constexpr int times = 100'000;
  int found = 0;
  {
    Node node = directory_.open();
    ASSERT_TRUE(node.put("k", 1));
    await_often(node, times, found).done.wait();
  }
  EXPECT_EQ(found, times);
  {
    Node node = open_with([](Task task) { task(); });
    await_often(node, times, found).done.wait();
  }
  EXPECT_EQ(found, 2 * times);
  ThreadPool pool(2);
  Node node = open_with(pool.executor());
  await_often(node, times / 10, found).done.wait();
  EXPECT_EQ(found, 2 * times + times / 10);
}

Job write_often(Store& store, int times, int& written) {
  for (int i = 0; i < times; ++i) {
    if (co_await store.async_put("k", i)) ++written;
    if (!co_await store.async_put("", i)) ++written;
  }
}

TEST_F(AsyncTest, ALongLoopOfAwaitedWritesTakesNoStack) {
  constexpr int times = 20'000;
  int written = 0;
  Node node = directory_.open();
  write_often(node, times, written).done.wait();
  EXPECT_EQ(written, 2 * times);
}

TEST_F(AsyncTest, AWaitingCallInsideACompletionIsDrivenWhoeverElseWrites) {
  Node node = open_with({});
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop.load()) EXPECT_TRUE(node.put("other", 1));
  });
  std::promise<void> all_done;
  std::atomic<int> left{20'000};
  std::function<void()> next = [&] {
    node.async_put("outside", 1, {}, [&](Result<Revision> put) {
      EXPECT_TRUE(put);
      const auto inside = node.put("inside", 1, {.timeout = std::chrono::milliseconds(2000)});
      EXPECT_TRUE(inside) << inside.error().message();
      if (!inside || --left == 0) return all_done.set_value();
      next();
    });
  };
  next();
  all_done.get_future().wait();
  stop.store(true);
  other.join();
}

TEST_F(AsyncTest, AnExecutorRunsQueriesAndWhatWaited) {
  ThreadPool pool(2);
  Node node = open_with(pool.executor());
  std::atomic<int> strangers{0};
  const auto note = [&] { strangers += TaskQueue::is_worker ? 0 : 1; };
  const auto noted = [&]<class T>(std::promise<Result<T>>& promise) {
    return Completion<T>([&promise, note](Result<T> result) {
      note();
      promise.set_value(std::move(result));
    });
  };
  const auto run = [&]<class T>(std::type_identity<T>, auto start) {
    std::promise<Result<T>> promise;
    auto future = promise.get_future();
    start(noted(promise));
    return future.get();
  };
  const std::type_identity<Revision> revision;
  const Predicate predicate = [note](int) { return note(), true; };
  const Predicate any = [](int) { return true; };
  EXPECT_TRUE(run(revision, [&](auto done) { node.async_put("k", 1, {}, std::move(done)); }));
  EXPECT_FALSE(run(revision, [&](auto done) { node.async_del("none", {}, std::move(done)); }));
  EXPECT_TRUE(run(std::type_identity<Rows<Item>>(),
                  [&](auto done) { node.async_where({.filter = predicate}, {}, std::move(done)); }));
  EXPECT_FALSE(run(std::type_identity<Rows<std::string>>(),
                   [&](auto done) { node.async_keys({.limit = 0}, {}, std::move(done)); }));
  EXPECT_TRUE(run(std::type_identity<std::uint64_t>(),
                  [&](auto done) { node.async_delete_where({.filter = predicate}, {}, std::move(done)); }));
  EXPECT_EQ(strangers.load(), 0);
  // Of several steps the last may end before the call has returned: then it is answered inside the call.
  EXPECT_TRUE(run(revision, [&](auto done) { node.async_put("k", 1, {}, std::move(done)); }));
  EXPECT_TRUE(run(revision, [&](auto done) { node.async_put_if("k", 1, {.condition = any}, std::move(done)); }));
  EXPECT_TRUE(run(std::type_identity<Updated>(),
                  [&](auto done) { node.async_update("k", [](int n) { return n; }, {}, std::move(done)); }));
}

TEST_F(AsyncTest, QueriesThatWaitInTheExecutorWhenTheNodeClosesAreAnswered) {
  TaskQueue queue;
  std::vector<std::string> outcomes;
  const auto note = [&](auto result) { outcomes.push_back(outcome(result)); };
  {
    Node node = open_with(queue.executor());
    ASSERT_TRUE(node.put("k", 1));
    node.async_where({}, {}, note);
    node.async_keys({}, {}, note);
    node.async_count({.filter = [](int) { return true; }}, {}, note);
    node.async_delete_where({.filter = [](int) { return true; }}, {}, note);
  }
  queue.run_all();
  EXPECT_THAT(outcomes,
              ElementsAre("CLUSTER_UNAVAILABLE", "CLUSTER_UNAVAILABLE", "CLUSTER_UNAVAILABLE", "CLUSTER_UNAVAILABLE"));
  EXPECT_EQ(queue.run_all(), 0);
  EXPECT_EQ(directory_.open().count().value(), 1U);
}

TEST_F(AsyncTest, WhatWaitsInTheExecutorMayOutliveTheNode) {
  TaskQueue queue;
  std::vector<std::string> outcomes;
  const auto note = [&](auto result) { outcomes.push_back(outcome(result)); };
  const Value large = std::string(50'000, 'v');
  {
    Node node = open_with(queue.executor());
    ASSERT_TRUE(node.put("packed", large));
    ASSERT_TRUE(node.put("plain", large, {.compress = false}));
    ASSERT_TRUE(node.put("n", 1));
    const auto values = [&](Result<TransactionResult> done) {
      note(done);
      for (const OperationResult& result : done.value().results) EXPECT_EQ(result.value, large);
    };
    node.async_commit({.then = {Operation::get("packed"), Operation::get("plain")}}, {}, values);
    node.async_update("n", [](int n) { return n + 1; }, {}, note);
    node.async_update("n", [](int n) { return n + 10; }, {}, note);  // comes too late once and wants to read again
    node.async_put_if("n", 5, {.condition = [](int n) { return n > 0; }}, note);
    node.async_delete_if("n", {.condition = [](int n) { return n > 0; }}, note);
  }
  queue.run_all();
  // The last three wait in the executor, unless their last step ended before the call had returned; then they were answered inside it.
  ASSERT_THAT(outcomes, ElementsAre("OK", "OK", AnyOf("OK", "CLUSTER_UNAVAILABLE"), AnyOf("OK", "CLUSTER_UNAVAILABLE"),
                                    AnyOf("OK", "CLUSTER_UNAVAILABLE")));
  std::optional<int> n = 2;
  if (outcomes[2] == "OK") *n += 10;
  if (outcomes[3] == "OK") n = 5;
  if (outcomes[4] == "OK") n.reset();
  const auto kept = directory_.open().get<int>("n");
  EXPECT_EQ(kept ? std::optional(*kept) : std::nullopt, n) << "what was done, and nothing else";
}

TEST_F(AsyncTest, AQueryThatRunsForLongEndsWhenTheNodeCloses) {
  ThreadPool pool(3);
  std::atomic<int> began{0};
  std::atomic<bool> closing{false};
  std::promise<Result<std::uint64_t>> counted;
  std::promise<Result<std::uint64_t>> deleted;
  {
    Node node = open_with(pool.executor());
    std::vector<PutItem> items;
    std::vector<std::string> keys;
    for (int i = 0; i < 500; ++i) keys.push_back("k" + std::to_string(i));
    for (const std::string& key : keys) items.push_back({key, 1});
    ASSERT_TRUE(node.put_many(items));
    const auto slow = [&, first = true](int) mutable {
      if (std::exchange(first, false)) ++began;
      while (!closing) std::this_thread::sleep_for(1ms);
      std::this_thread::sleep_for(100ms);
      return true;
    };
    node.async_count({.filter = slow}, {.timeout = 1h}, [&](auto result) { counted.set_value(std::move(result)); });
    node.async_delete_where({.filter = slow}, {.timeout = 1h},
                            [&](auto result) { deleted.set_value(std::move(result)); });
    while (began < 2) std::this_thread::sleep_for(1ms);
    closing = true;
  }
  EXPECT_EQ(outcome(counted.get_future().get()), "CLUSTER_UNAVAILABLE");
  EXPECT_EQ(outcome(deleted.get_future().get()), "CLUSTER_UNAVAILABLE");
  EXPECT_EQ(directory_.open().count().value(), 500U);
}

/// Destroys the store it works with, in the executor.
Job use_and_close(std::unique_ptr<Node> node) {
  EXPECT_TRUE(co_await node->async_put("k", 1));
  const Query all;
  EXPECT_EQ((co_await node->async_count(all)).value(), 1U);
  EXPECT_TRUE(co_await node->async_update("k", [](int n) { return n + 1; }));
  const PutIfOptions never{.condition = [](int) { return false; }};
  EXPECT_FALSE(co_await node->async_put_if("k", 1, never));
  node.reset();
}

TEST_F(AsyncTest, TheNodeMayBeClosedInTheExecutor) {
  ThreadPool pool(1);
  use_and_close(std::make_unique<Node>(open_with(pool.executor()))).done.wait();
  EXPECT_EQ(directory_.open().get<int>("k").value(), 2);
}

TEST_F(AsyncTest, QueriesThatRunWhenTheNodeClosesAreAnswered) {
  for (int round = 0; round < 5; ++round) {
    ThreadPool pool(2);
    std::atomic<int> answered{0};
    {
      Node node = open_with(pool.executor());
      ASSERT_TRUE(node.put_many({{"a", 1}, {"b", 2}, {"c", 3}}));
      for (int i = 0; i < 50; ++i) {
        node.async_where({.filter = [](int) { return true; }}, {}, [&](const Result<Rows<Item>>& rows) {
          EXPECT_TRUE(outcome(rows) == "OK" || outcome(rows) == "CLUSTER_UNAVAILABLE") << outcome(rows);
          ++answered;
        });
        node.async_update(
            "a", [](int n) { return n + 1; }, {},
            [&](const Result<Updated>& updated) {
              EXPECT_TRUE(outcome(updated) == "OK" || outcome(updated) == "CLUSTER_UNAVAILABLE") << outcome(updated);
              ++answered;
            });
      }
    }
    while (answered < 100) std::this_thread::sleep_for(1ms);
  }
}

TEST_F(AsyncTest, ClosingFinishesTheWritesInFlight) {
  std::atomic<int> done{0};
  {
    Node node = directory_.open();
    for (int i = 0; i < 1000; ++i) {
      node.async_put("k" + std::to_string(i), i, {}, [&](const Result<Revision>& put) {
        EXPECT_TRUE(put) << message(put);
        ++done;
      });
    }
  }
  EXPECT_EQ(done.load(), 1000) << "their completions ran before the destructor returned";
  EXPECT_EQ(directory_.open().count().value(), 1000U);
}

/// Every call that waits, from wherever this runs.
void call_everything(Store& store) {
  EXPECT_TRUE(store.put("in/a", 1));
  EXPECT_TRUE(store.create("in/b", 1));
  EXPECT_TRUE(store.update("in/a", [](int n) { return n + 1; }));
  EXPECT_TRUE(store.touch("in/a", 500s));
  EXPECT_TRUE(store.get("in/a"));
  EXPECT_TRUE(store.get("in/a", {.consistency = ReadConsistency::strong}));
  EXPECT_TRUE(store.get_entry("in/a", {.consistency = ReadConsistency::eventual}));
  EXPECT_TRUE(store.ttl("in/a").value());
  EXPECT_TRUE(store.put_if("in/a", 3, {.expected = 2}));
  EXPECT_TRUE(store.put_if("in/a", 3, {.condition = [](int n) { return n == 3; }}));
  EXPECT_TRUE(store.delete_if("in/b", {.condition = [](int n) { return n == 1; }}));
  EXPECT_TRUE(store.commit({.guards = {{.key = "in/b", .exists = false}}, .then = {Operation::put("in/b", 1)}}));
  EXPECT_TRUE(store.put_many({{"in/c", 1}, {"in/d", 1}}));
  EXPECT_TRUE(store.touch_many({{"in/c", 500s}}));
  EXPECT_TRUE(store.get_many({"in/c"}, {.consistency = ReadConsistency::strong}));
  EXPECT_TRUE(store.delete_many({"in/d"}));
  EXPECT_EQ(store.keys({.prefix = "in/"}).value().size(), 3U);
  EXPECT_EQ(store.where({.prefix = "in/"}, {.consistency = ReadConsistency::strong}).value().size(), 3U);
  EXPECT_EQ(store.count({.prefix = "in/"}).value(), 3U);
  EXPECT_EQ(store.keys_page({.prefix = "in/"}, {.size = 2}).value().rows.size(), 2U);
  EXPECT_TRUE(store.scan({.prefix = "in/"}, [](const Item&) { return true; }));
  EXPECT_EQ(store.delete_where({.prefix = "in/", .filter = [](int n) { return n == 3; }}).value(), 1U);
  EXPECT_EQ(store.delete_where({.prefix = "in/"}).value(), 2U);
  EXPECT_TRUE(store.status());
}

/// From the completions of a write, a read, a query and a call with a predicate.
void call_everything_in_completions(Store& store) {
  const auto everything = [&](auto) { call_everything(store); };
  const auto run = [&]<class T>(std::type_identity<T>, auto start) {
    EXPECT_TRUE(completed<T>([&](Completion<T> done) {
      start(Completion<T>([&, done = std::move(done)](Result<T> result) mutable {
        everything(0);
        done(std::move(result));
      }));
    }));
  };
  run(std::type_identity<Revision>(), [&](auto done) { store.async_put("k", 1, {}, std::move(done)); });
  run(std::type_identity<Value>(), [&](auto done) { store.async_get("k", {}, std::move(done)); });
  run(std::type_identity<Value>(),
      [&](auto done) { store.async_get("k", {.consistency = ReadConsistency::strong}, std::move(done)); });
  run(std::type_identity<Rows<Item>>(), [&](auto done) { store.async_where({}, {}, std::move(done)); });
  run(std::type_identity<Revision>(),
      [&](auto done) { store.async_put_if("k", 1, {.condition = [](int) { return true; }}, std::move(done)); });
}

TEST_F(AsyncTest, ACompletionMayMakeAnyCall) {
  Node node = directory_.open();
  call_everything_in_completions(node);
}

TEST_F(AsyncTest, ACompletionMayMakeAnyCallInAPoolOfOneThread) {
  ThreadPool pool(1);
  Node node = open_with(pool.executor());
  call_everything_in_completions(node);
}

TEST_F(AsyncTest, ACompletionMayMakeAnyCallWithAnExecutorThatRunsTasksAtOnce) {
  Node node = open_with([](Task task) { task(); });
  call_everything_in_completions(node);
}

TEST_F(AsyncTest, ArgumentsAreCopiedBeforeTheCallReturns) {
  TaskQueue queue;
  Node node = open_with(queue.executor());
  std::vector<std::string> outcomes;
  const auto note = [&](auto result) { outcomes.push_back(outcome(result)); };
  {
    std::vector<std::string> keys = {"key/one/" + std::string(50, 'x'), "key/two/" + std::string(50, 'y')};
    std::string prefix(30, 'p');
    ASSERT_TRUE(node.put_many({{keys[0], 1}, {keys[1], 2}}));
    node.async_put_many({{keys[0], std::string(500, 'v')}, {keys[1], 2}}, {}, note);
    node.async_touch_many({{keys[0], 500s}}, {}, note);
    node.async_update(keys[1], [](int n) { return n + 1; }, {}, note);
    node.async_put_if(keys[1], std::string(500, 'w'), {.condition = [](int) { return true; }}, note);
    node.async_get(keys[0], {}, note);
    node.async_count({.prefix = prefix}, {}, note);
    for (std::string& key : keys) key.assign(key.size(), '-');
    prefix.assign(30, '-');
  }
  while (outcomes.size() < 6) queue.run_all();
  EXPECT_EQ(std::ranges::count(outcomes, "OK"), 6) << testing::PrintToString(outcomes);
  EXPECT_EQ(node.count({.prefix = "key/"}).value(), 2U);
}

TEST_F(AsyncTest, TimeoutsOfEverySizeEndTheCall) {
  Node node = directory_.open();
  for (const Form form : {Form::plain, Form::completion, Form::awaited}) {
    const Calls calls(node, form);
    for (const auto timeout : {std::chrono::milliseconds::max(), std::chrono::milliseconds(24h * 365 * 300)}) {
      EXPECT_EQ(outcome(calls.put("k", 1, {.timeout = timeout})), "OK");
      EXPECT_EQ(outcome(calls.update("k", [](int n) { return n; }, {.timeout = timeout})), "OK");
      EXPECT_EQ(outcome(calls.put_if("k", 1, {.condition = [](int) { return true; }, .timeout = timeout})), "OK");
      EXPECT_EQ(outcome(calls.get("k", {.timeout = timeout})), "OK");
      EXPECT_EQ(outcome(calls.get("k", {.consistency = ReadConsistency::strong, .timeout = timeout})), "OK");
      EXPECT_EQ(outcome(calls.where({}, {.timeout = timeout})), "OK");
      EXPECT_EQ(outcome(calls.where({}, {.consistency = ReadConsistency::strong, .timeout = timeout})), "OK");
      EXPECT_EQ(outcome(calls.delete_where({.filter = [](int) { return true; }}, {.timeout = timeout})), "OK");
    }
    EXPECT_TRUE(node.put("k", 1));
    for (const auto timeout : {0ms, -1ms, std::chrono::milliseconds::min()}) {
      const auto ends = testing::AnyOf("OK", "TIMEOUT", "INVALID_REQUEST", "CONDITION_FAILED");
      EXPECT_THAT(outcome(calls.put("k", 1, {.timeout = timeout})), ends);
      EXPECT_THAT(outcome(calls.update("k", [](int n) { return n; }, {.timeout = timeout})), ends);
      EXPECT_THAT(outcome(calls.put_if("k", 1, {.condition = [](int) { return true; }, .timeout = timeout})), ends);
      EXPECT_THAT(outcome(calls.get("k", {.timeout = timeout})), ends);
      EXPECT_THAT(outcome(calls.get("k", {.consistency = ReadConsistency::strong, .timeout = timeout})), ends);
      EXPECT_THAT(outcome(calls.where({}, {.timeout = timeout})), ends);
      EXPECT_THAT(outcome(calls.delete_where({.prefix = "none"}, {.timeout = timeout})), ends);
    }
  }
}

}  // namespace
}  // namespace concord::database
