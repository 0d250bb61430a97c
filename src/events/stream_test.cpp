#include "events/stream.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::events {
namespace {

using std::chrono::milliseconds;
using store::ChangeKind;

constexpr milliseconds soon{20};
constexpr milliseconds long_enough{10'000};

struct Done {
  ChangeKind op = ChangeKind::put;
  std::string key;
};

std::string name_of(const EventChange& change) { return std::string(event_type_name(change.op)) + " " + change.key; }

/// What a subscriber is to see of one event, as text.
std::string text_of(Revision revision, EventType type, const std::vector<std::string>& changes) {
  std::string text = std::to_string(revision.value()) + " " + std::string(event_type_name(type)) + ":";
  for (const std::string& change : changes) text += " [" + change + "]";
  return text;
}
std::string text_of(const Event& event) {
  std::vector<std::string> changes;
  for (const EventChange& change : event.changes) changes.push_back(name_of(change));
  return text_of(event.revision, event.type, changes);
}

/// A writer without a store, and a list of all it did.
class Writer {
 public:
  explicit Writer(const store::HistoryLimits& limits = {})
      : history(std::make_shared<store::History>(limits)),
        stream(std::make_unique<Stream>(history, HubSettings{.node = "n1", .buffer_size = 500})) {}

  void write(const std::vector<Done>& changes) {
    const std::string value = std::string(1, '\0') + std::to_string(all.size() + 1);
    history->on_entry({.cluster_time_ms = 1000 + all.size(), .wall_offset_ms = 5});
    for (const Done& change : changes) {
      history->on_change({.kind = change.op,
                          .key = change.key,
                          .value = change.op == ChangeKind::put ? std::string_view(value) : std::string_view(),
                          .previous = Revision(1),
                          .previous_value = std::string_view("\0null", 5)});
    }
    all.push_back(changes);
    history->on_command(command::CommandKind::transaction, true, Revision(all.size()));
  }
  void put(std::string key) { write({{ChangeKind::put, std::move(key)}}); }

  std::unique_ptr<Subscription> subscribe(const SubscribeOptions& options, Viewer viewer = {}) const {
    auto made = stream->subscribe(options, std::move(viewer));
    EXPECT_TRUE(made) << made.error().message();
    return std::make_unique<Subscription>(std::move(*made));
  }

  /// What a subscriber with these options sees of everything behind `after`.
  [[nodiscard]] std::vector<std::string> expected(const SubscribeOptions& options, std::uint64_t after,
                                                  std::uint64_t last) const {
    const auto filter = Filter::make(options, {});
    std::vector<std::string> events;
    for (std::uint64_t revision = after + 1; revision <= last; ++revision) {
      const std::vector<Done>& changes = all[revision - 1];
      std::set<ChangeKind> kinds;
      for (const Done& change : changes) kinds.insert(change.op);
      const EventType type = changes.size() == 1                    ? type_of(changes[0].op)
                             : kinds.size() > 1                     ? EventType::txn
                             : *kinds.begin() == ChangeKind::put    ? EventType::put_many
                             : *kinds.begin() == ChangeKind::remove ? EventType::del_many
                             : *kinds.begin() == ChangeKind::touch  ? EventType::touch_many
                                                                    : EventType::expire;
      std::vector<std::string> shown;
      bool is_wanted = false;
      for (const Done& change : changes) {
        if (!filter->matches_key(change.key)) continue;
        is_wanted = is_wanted || filter->wants(type, type_of(change.op));
        shown.push_back(std::string(event_type_name(type_of(change.op))) + " " + change.key);
      }
      if (is_wanted) events.push_back(text_of(Revision(revision), type, shown));
    }
    return events;
  }

  std::shared_ptr<store::History> history;
  std::unique_ptr<Stream> stream;
  std::vector<std::vector<Done>> all;  // of revision 1, 2, ...
};

/// Takes events until there are `count`, or none comes.
std::vector<std::string> take(Subscription& from, std::size_t count, milliseconds wait = long_enough) {
  std::vector<std::string> events;
  while (events.size() < count) {
    const auto event = from.next(wait);
    if (!event || !*event) break;
    events.push_back(text_of(**event));
  }
  return events;
}

std::vector<Done> random_changes(base::Random& random) {
  std::vector<Done> changes;
  std::set<std::string> keys;
  for (std::uint64_t count = 1 + random.below(random.one_in(3) ? 4 : 1); count > 0; --count) {
    const std::string key = std::string(1, static_cast<char>('a' + random.below(3))) + std::to_string(random.below(20));
    if (keys.insert(key).second) changes.push_back({static_cast<ChangeKind>(random.below(4)), key});
  }
  return changes;
}

SubscribeOptions random_options(base::Random& random) {
  SubscribeOptions options;
  if (random.one_in(2)) options.prefix = random.one_in(2) ? "a" : "b1";
  if (random.one_in(3)) options.key_pattern = random.one_in(2) ? "^c" : "1$";
  if (random.one_in(3)) options.event_types = {static_cast<EventType>(random.below(8))};
  options.max_demand = 1 + random.below(40);
  return options;
}

TEST(Stream, EverySubscriberGetsExactlyWhatItAsksForHoweverItReads) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  base::Random random(seed);
  constexpr std::uint64_t writes = 30'000;
  Writer writer;
  struct Reader {
    SubscribeOptions options;
    std::unique_ptr<Subscription> subscription;
    std::uint64_t pause_one_in = 0;
    std::vector<std::string> events = {};
    std::thread thread = {};
  };
  std::vector<Reader> readers(6);
  std::atomic<bool> is_over{false};
  for (Reader& reader : readers) {
    reader.options = random_options(random);
    reader.subscription = writer.subscribe(reader.options);
    reader.pause_one_in = random.one_in(2) ? 50 : 0;
    reader.thread = std::thread([&reader, &is_over, reader_seed = random.next()] {
      base::Random own(reader_seed);
      for (;;) {
        const bool was_over = is_over.load();
        auto events = reader.subscription->take(1 + own.below(20), soon);
        if (!events) break;
        for (const Event& event : *events) reader.events.push_back(text_of(event));
        if (events->empty() && was_over) break;
        if (reader.pause_one_in != 0 && own.one_in(reader.pause_one_in)) std::this_thread::sleep_for(milliseconds(1));
      }
    });
  }
  for (std::uint64_t i = 0; i < writes; ++i) {
    writer.write(random_changes(random));
    if (random.one_in(300)) std::this_thread::sleep_for(milliseconds(1));
  }
  is_over = true;
  for (Reader& reader : readers) {
    reader.thread.join();
    EXPECT_EQ(reader.subscription->error(), std::nullopt);
    ASSERT_EQ(reader.events, writer.expected(reader.options, 0, writes))
        << "prefix " << reader.options.prefix << ", pattern " << reader.options.key_pattern;
  }
}

TEST(Stream, ResumesBehindEveryRevision) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  base::Random random(seed);
  Writer writer({.max_events = 150, .max_bytes = 64U << 20U});
  for (int i = 0; i < 400; ++i) writer.write(random_changes(random));
  for (std::uint64_t after = 0; after <= 400; ++after) {
    SubscribeOptions options = random_options(random);
    options.after_revision = Revision(after);
    if (after < 250) {
      const auto refused = writer.stream->subscribe(options);
      ASSERT_FALSE(refused) << after;
      EXPECT_EQ(refused.error().code(), Errc::compacted);
      EXPECT_NE(refused.error().message().find("251"), std::string::npos) << "the oldest that is kept";
      continue;
    }
    const auto subscription = writer.subscribe(options);
    const auto expected = writer.expected(options, after, 400);
    ASSERT_EQ(take(*subscription, expected.size()), expected) << "after " << after;
    ASSERT_EQ(take(*subscription, 1, milliseconds(0)).size(), 0U);
    EXPECT_EQ(subscription->position(), Revision(400)) << "nothing that matches is left";
  }
}

TEST(Stream, WhoFallsBehindTheHistoryIsToldSo) {
  Writer writer({.max_events = 100, .max_bytes = 64U << 20U});
  const auto narrow = writer.subscribe({.prefix = "a", .max_demand = 3});
  const auto broad = writer.subscribe({});
  ASSERT_EQ(take(*narrow, 1, soon).size(), 0U);
  for (int i = 0; i < 400; ++i) writer.put("a");
  for (Subscription* subscription : {narrow.get(), broad.get()}) {
    Result<std::optional<Event>> event;
    for (int i = 0; event && i < 10; ++i) event = subscription->next(soon);
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code(), Errc::compacted);
    EXPECT_EQ(subscription->oldest_revision(), Revision(301));
    ASSERT_TRUE(subscription->error());
    EXPECT_EQ(subscription->error()->code(), Errc::compacted);
    EXPECT_FALSE(subscription->next(soon)) << "the end is the end";
  }
}

TEST(Stream, ASlowSubscriberLosesNothingAndHoldsNoMoreThanItsDemand) {
  Writer writer;
  const auto slow = writer.subscribe({.prefix = "a", .max_demand = 5});
  ASSERT_EQ(take(*slow, 1, soon).size(), 0U);
  for (int i = 0; i < 1000; ++i) writer.put(i % 2 == 0 ? "a" : "b");
  EXPECT_LE(writer.stream->stats().queue_size, 5U);
  EXPECT_EQ(take(*slow, 500), writer.expected({.prefix = "a"}, 0, 1000));
}

TEST(Stream, AnEventHoldsWhatIsAskedFor) {
  Writer writer;
  const auto plain = writer.subscribe({});
  const auto lean = writer.subscribe({.keys_only = true});
  const auto full = writer.subscribe({.with_previous = true});
  writer.put("k");
  const auto value = plain->next(long_enough);
  ASSERT_TRUE(value && *value);
  EXPECT_EQ((*value)->key(), "k");
  EXPECT_EQ((*value)->node, "n1");
  EXPECT_EQ((*value)->timestamp, std::chrono::system_clock::time_point(milliseconds(1005)));
  EXPECT_EQ((*value)->changes[0].value, Value(1));
  EXPECT_FALSE((*value)->changes[0].previous);
  const auto key = lean->next(long_enough);
  ASSERT_TRUE(key && *key);
  EXPECT_FALSE((*key)->changes[0].value);
  const auto both = full->next(long_enough);
  ASSERT_TRUE(both && *both);
  EXPECT_EQ((*both)->changes[0].previous, Value(nullptr));
}

TEST(Stream, RevisionsToComeAndDemandsForNothingAreRefused) {
  Writer writer;
  writer.put("k");
  const auto refusal = [&](const SubscribeOptions& options) {
    const auto refused = writer.stream->subscribe(options);
    return refused ? "accepted" : std::string(error_name(refused.error().code()));
  };
  EXPECT_EQ(refusal({.after_revision = Revision(2)}), "INVALID_REQUEST");
  EXPECT_EQ(refusal({.after_revision = Revision(~std::uint64_t{0})}), "INVALID_REQUEST");
  EXPECT_EQ(refusal({.max_demand = 0}), "INVALID_REQUEST");
  EXPECT_EQ(refusal({.key_pattern = "("}), "INVALID_REQUEST");
  EXPECT_EQ(refusal({.after_revision = Revision(1)}), "accepted");
}

TEST(Stream, UnsubscribingEndsAWaitOfAnotherThread) {
  Writer writer;
  const auto subscription = writer.subscribe({.prefix = "a"});
  auto waiting = std::async(std::launch::async, [&] { return subscription->next(long_enough); });
  std::this_thread::sleep_for(soon);
  subscription->unsubscribe();
  const auto event = waiting.get();
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code(), Errc::cluster_not_ready);
}

TEST(Stream, ClosingItEndsEverySubscription) {
  Writer writer;
  const auto subscription = writer.subscribe({});
  std::promise<Errc> ended;
  const auto called = writer.subscribe({});
  called->deliver([](const Event&) {}, [&](const Error& why) { ended.set_value(why.code()); });
  writer.stream->close();
  EXPECT_EQ(ended.get_future().get(), Errc::cluster_not_ready);
  EXPECT_FALSE(subscription->next(soon));
  EXPECT_FALSE(writer.stream->subscribe({}));
}

TEST(Stream, TheSubscriptionsOfAnOwnerAreEndedWithAReason) {
  Writer writer;
  const auto own = writer.subscribe({}, {.owner = "token-1", .may_show = {}});
  const auto other = writer.subscribe({}, {.owner = "token-2", .may_show = {}});
  writer.stream->finish_those_of("token-1", Error(Errc::forbidden, "the token was revoked"));
  writer.put("k");
  const auto refused = own->next(soon);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::forbidden);
  EXPECT_EQ(take(*other, 1).size(), 1U);
}

TEST(Stream, ACallbackGetsAllInOrderAndNoneAfterTheEnd) {
  Writer writer;
  std::vector<std::string> events;
  std::promise<void> all;
  auto subscription = writer.subscribe({.prefix = "a"});
  subscription->deliver([&](const Event& event) {
    events.push_back(text_of(event));
    if (events.size() == 300) all.set_value();
  });
  for (int i = 0; i < 300; ++i) writer.put("a");
  ASSERT_EQ(all.get_future().wait_for(long_enough), std::future_status::ready);
  subscription.reset();
  const std::size_t count = events.size();
  writer.put("a");
  std::this_thread::sleep_for(soon);
  EXPECT_EQ(events.size(), count);
  EXPECT_EQ(events, writer.expected({.prefix = "a"}, 0, 300));
}

TEST(Stream, ACallbackMayEndItsOwnSubscription) {
  Writer writer;
  auto subscription = writer.subscribe({});
  std::promise<void> done;
  subscription->deliver([&](const Event&) {
    subscription.reset();
    done.set_value();
  });
  writer.put("k");
  ASSERT_EQ(done.get_future().wait_for(long_enough), std::future_status::ready);
  writer.put("k");
}

TEST(Stream, WhatACallbackThrowsEndsItsSubscriptionAndNothingElse) {
  Writer writer;
  auto subscription = writer.subscribe({});
  auto other = writer.subscribe({});
  int calls = 0;
  std::promise<std::string> ended;
  subscription->deliver(
      [&](const Event&) {
        ++calls;
        throw std::runtime_error("not mine");
      },
      [&](const Error& why) { ended.set_value(why.message()); });
  writer.put("a");
  writer.put("b");
  EXPECT_EQ(ended.get_future().get(), "the callback of a subscription threw: not mine");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(take(*other, 2).size(), 2U);
}

TEST(Stream, ThousandsOfPrefixesEachGetTheirOwn) {
  Writer writer;
  constexpr int count = 2000;
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  for (int i = 0; i < count; ++i) {
    subscriptions.push_back(writer.subscribe({.key_pattern = "^user:" + std::to_string(i) + ":"}));
  }
  for (int i = 0; i < count; ++i) writer.put("user:" + std::to_string(i) + ":name");
  for (int i = 0; i < count; ++i) {
    const auto event = subscriptions[static_cast<std::size_t>(i)]->next(long_enough);
    ASSERT_TRUE(event && *event) << i;
    ASSERT_EQ((*event)->revision, Revision(static_cast<std::uint64_t>(i) + 1));
  }
  EXPECT_EQ(writer.stream->stats().subscribers, static_cast<std::uint64_t>(count));
  EXPECT_EQ(writer.stream->stats().queue_size, 0U);
  subscriptions.clear();
  EXPECT_EQ(writer.stream->stats().subscribers, 0U);
}

TEST(Stream, AStateThatCameFromElsewhereHasAGap) {
  Writer writer;
  const auto narrow = writer.subscribe({.prefix = "a"});
  ASSERT_EQ(take(*narrow, 1, soon).size(), 0U);
  writer.history->reset(Revision(1'000'000));
  auto event = narrow->next(milliseconds(200));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code(), Errc::compacted);
  EXPECT_EQ(narrow->oldest_revision(), Revision(1'000'001));
}

TEST(Stream, ReadsComeToThoseWhoAskForThem) {
  Writer writer;
  const auto reads = writer.subscribe({.prefix = "a", .event_types = {EventType::get, EventType::put}});
  const auto others = writer.subscribe({});
  EXPECT_TRUE(writer.stream->wants_reads());
  writer.stream->publish_reads({"a1"}, {Value(7)});
  writer.stream->publish_reads({"b1", "a2"}, {Value(1), std::nullopt});
  writer.stream->publish_reads({"b1"}, {Value(1)});
  const auto first = reads->next(long_enough);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->type, EventType::get);
  EXPECT_EQ((*first)->changes[0].value, Value(7));
  const auto second = reads->next(long_enough);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->type, EventType::get_many);
  EXPECT_EQ((*second)->key(), "a2");
  EXPECT_EQ((*second)->change_count, 2U);
  EXPECT_EQ(take(*others, 1, soon).size(), 0U);
  writer.put("a3");
  EXPECT_EQ(take(*reads, 1).size(), 1U);
}

}  // namespace
}  // namespace concord::events
