// The event stream of an embedded node.
#include <chrono>
#include <coroutine>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <concord/concord.hpp>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;

Event next(Subscription& subscription) {
  auto event = subscription.next(10s);
  EXPECT_TRUE(event) << message(event);
  if (!event || !*event) {
    ADD_FAILURE() << "no event";
    return {};
  }
  return std::move(**event);
}

Subscription subscribe(Node& node, const SubscribeOptions& options = {}) {
  auto subscription = node.subscribe(options);
  EXPECT_TRUE(subscription) << message(subscription);
  return std::move(*subscription);
}

class Events : public testing::Test {
 protected:
  StoreDirectory directory_;
};

TEST_F(Events, EveryKindOfWriteIsToldAsWhatItIs) {
  Node node = directory_.open();
  Subscription all = subscribe(node);
  ASSERT_TRUE(node.put("a", 1, {.ttl = 60s}));
  ASSERT_TRUE(node.touch("a", 90s));
  ASSERT_TRUE(node.del("a"));
  ASSERT_TRUE(node.put_many({{.key = "x", .value = 1}, {.key = "y", .value = 2}}));
  ASSERT_TRUE(node.touch_many({{.key = "x", .ttl = 50s}, {.key = "y", .ttl = 50s}}));
  ASSERT_TRUE(node.delete_many({"x", "y"}));
  ASSERT_TRUE(node.put_many({{.key = "z", .value = 3}}));
  ASSERT_TRUE(node.commit({.then = {Operation::put("p", 1), Operation::del("z")}}));
  ASSERT_TRUE(node.create("p2", 5));

  const Event put = next(all);
  EXPECT_EQ(put.type, EventType::put);
  EXPECT_EQ(put.key(), "a");
  EXPECT_EQ(put.revision, Revision(1));
  EXPECT_EQ(put.changes[0].value, Value(1));
  EXPECT_EQ(put.changes[0].ttl, 60s);
  EXPECT_EQ(put.node, node.status()->node);
  const Event touch = next(all);
  EXPECT_EQ(touch.type, EventType::touch);
  EXPECT_EQ(touch.changes[0].ttl, 90s);
  EXPECT_EQ(next(all).type, EventType::del);
  const Event put_many = next(all);
  EXPECT_EQ(put_many.type, EventType::put_many);
  EXPECT_EQ(put_many.changes.size(), 2U);
  EXPECT_EQ(next(all).type, EventType::touch_many);
  EXPECT_EQ(next(all).type, EventType::del_many);
  EXPECT_EQ(next(all).type, EventType::put) << "one change has its own type";
  const Event transaction = next(all);
  EXPECT_EQ(transaction.type, EventType::txn);
  EXPECT_EQ(transaction.changes.size(), 2U);
  EXPECT_EQ(next(all).type, EventType::put);
  EXPECT_FALSE(*all.next(0ms));
  EXPECT_EQ(all.position(), node.status()->storage.revision);
}

TEST_F(Events, WhatExpiresIsTold) {
  Node node = directory_.open();
  Subscription ends = subscribe(node, {.event_types = {EventType::expire}, .with_previous = true});
  ASSERT_TRUE(node.put("short", "lived", {.ttl = 1s}));
  const Event event = next(ends);
  EXPECT_EQ(event.type, EventType::expire);
  EXPECT_EQ(event.key(), "short");
  EXPECT_EQ(event.changes[0].previous, Value("lived"));
}

TEST_F(Events, ValuesThatWereCompressedComePlain) {
  Node node = directory_.open();
  Subscription all = subscribe(node, {.with_previous = true});
  const std::string text(100'000, 'x');
  ASSERT_TRUE(node.put("k", text, {.compress = true}));
  ASSERT_TRUE(node.put("k", 2));
  EXPECT_EQ(next(all).changes[0].value, Value(text));
  EXPECT_EQ(next(all).changes[0].previous, Value(text));
}

TEST_F(Events, ARestartForgetsNothingThatIsKept) {
  std::vector<std::uint64_t> expected;
  for (int life = 0; life < 4; ++life) {
    Node node = directory_.open();
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(node.put("k" + std::to_string(i), life));
      expected.push_back(expected.size() + 1);
    }
    if (life % 2 == 0) {  // the log behind it begins anew, twice: only what is saved beside it tells of before
      const std::uint64_t before = node.status()->storage.snapshot_index;
      ASSERT_TRUE(node.trigger_snapshot());
      while (node.status()->storage.snapshot_index == before) std::this_thread::sleep_for(1ms);
    }
    for (const std::uint64_t after : {std::uint64_t{0}, expected.back() - 45 % expected.back(), expected.back()}) {
      Subscription resumed = subscribe(node, {.after_revision = Revision(after)});
      for (std::uint64_t revision = after + 1; revision <= expected.back(); ++revision) {
        ASSERT_EQ(next(resumed).revision, Revision(revision)) << "life " << life;
      }
      EXPECT_FALSE(*resumed.next(0ms));
    }
  }
}

TEST_F(Events, BoundsOfTheHistoryCanBeChosen) {
  Options options = directory_.options();
  options.event_stream.history = 10;
  {
    Node node = StoreDirectory::open(options);
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(node.put("k", i));
    EXPECT_EQ(node.event_stats()->oldest_revision, Revision(41));
    const auto refused = node.subscribe({.after_revision = Revision(39)});
    EXPECT_EQ(outcome(refused), "COMPACTED");
    EXPECT_TRUE(node.subscribe({.after_revision = Revision(40)}));
    EXPECT_EQ(outcome(node.subscribe({.after_revision = Revision(51)})), "INVALID_REQUEST");
  }
  Options bad = options;
  bad.event_stream.history = 0;
  EXPECT_EQ(outcome(Node::open(bad)), "INVALID_REQUEST");
}

TEST_F(Events, SwitchedOffThereAreNone) {
  Options options = directory_.options();
  options.event_stream.enabled = false;
  Node node = StoreDirectory::open(options);
  ASSERT_TRUE(node.put("k", 1));
  EXPECT_EQ(outcome(node.subscribe()), "NOT_FOUND");
  EXPECT_FALSE(node.event_stats()->enabled);
}

TEST_F(Events, StatisticsCountSubscribersAndWhatWaitsForThem) {
  Node node = directory_.open();
  Subscription idle = subscribe(node, {.max_demand = 10});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(node.put("k", i));
  const EventStats stats = *node.event_stats();
  EXPECT_TRUE(stats.enabled);
  EXPECT_EQ(stats.subscribers, 1U);
  EXPECT_EQ(stats.queue_size, 4U);
  EXPECT_EQ(stats.pending_demand, 6U);
  EXPECT_EQ(stats.events_published, 4U);
  EXPECT_EQ(stats.oldest_revision, Revision(1));
}

TEST_F(Events, ARangeForEndsWithTheSubscription) {
  Node node = directory_.open();
  Subscription all = subscribe(node);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(node.put("k", i));
  std::vector<std::uint64_t> revisions;
  for (const Event& event : all) {
    revisions.push_back(event.revision.value());
    if (revisions.size() == 5) all.unsubscribe();
  }
  EXPECT_EQ(revisions, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(all.error()->code(), Errc::cluster_not_ready);
}

TEST_F(Events, ReadsAreToldToWhoAsksForThem) {
  Node node = directory_.open();
  ASSERT_TRUE(node.put("k", 5));
  ASSERT_TRUE(node.get("k"));  // nobody asks yet
  Subscription reads = subscribe(node, {.event_types = {EventType::get, EventType::get_many}});
  ASSERT_TRUE(node.get("k"));
  ASSERT_TRUE(node.get_many({"k", "missing"}));
  const Event get = next(reads);
  EXPECT_EQ(get.type, EventType::get);
  EXPECT_EQ(get.changes[0].value, Value(5));
  EXPECT_EQ(get.revision, Revision(0));
  const Event get_many = next(reads);
  EXPECT_EQ(get_many.type, EventType::get_many);
  EXPECT_EQ(get_many.changes.size(), 2U);
}

/// Runs until its first wait, and then by itself.
struct Started {
  struct promise_type {
    Started get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Started count_events(Subscription& subscription, int count, std::promise<std::uint64_t>& last) {
  std::uint64_t revision = 0;
  for (int i = 0; i < count; ++i) {
    const auto event = co_await subscription.async_next();
    if (!event) break;
    revision = event->revision.value();
  }
  last.set_value(revision);
}

TEST_F(Events, ACoroutineAwaitsThem) {
  Node node = directory_.open();
  Subscription all = subscribe(node);
  std::promise<std::uint64_t> last;
  count_events(all, 20, last);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(node.put("k", i));
  auto done = last.get_future();
  ASSERT_EQ(done.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(done.get(), 20U);
}

TEST_F(Events, ASubscriptionOutlivesItsNode) {
  std::optional<Subscription> left;
  {
    Node node = directory_.open();
    left.emplace(subscribe(node));
    ASSERT_TRUE(node.put("k", 1));
  }
  EXPECT_EQ(outcome(left->next(0ms)), "CLUSTER_UNAVAILABLE");
}

}  // namespace
}  // namespace concord::database
