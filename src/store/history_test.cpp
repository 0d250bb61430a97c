#include "store/history.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "store/state_machine.hpp"
#include "store/testing_model.hpp"
#include "store/view.hpp"

namespace concord::store {
namespace {

using base::Index;
using base::Term;

struct Told {
  ChangeKind op = ChangeKind::put;
  std::string value;
  std::string previous;
  std::uint64_t ttl_s = 0;
  friend bool operator==(const Told&, const Told&) = default;
};
struct ToldEvent {
  EventType type = EventType::put;
  std::int64_t time_ms = 0;
  std::map<std::string, Told> changes;
  friend bool operator==(const ToldEvent&, const ToldEvent&) = default;
};

/// Of an event whose keys are all different.
ToldEvent parse(HistoryEvent event) {
  ToldEvent told{.type = event.type(), .time_ms = event.time_ms(), .changes = {}};
  HistoryEvent::Change change;
  while (event.next(change)) {
    told.changes[std::string(change.key)] = {.op = change.op,
                                             .value = std::string(change.value),
                                             .previous = std::string(change.previous),
                                             .ttl_s = change.ttl_s};
  }
  EXPECT_TRUE(event.ok());
  EXPECT_EQ(told.changes.size(), event.count()) << "a key is in an event once";
  return told;
}

ToldEvent event_of(const History& history, std::uint64_t revision) {
  const auto block = history.find(Revision(revision));
  if (!block) {
    ADD_FAILURE() << "revision " << revision << " is not kept";
    return {};
  }
  return parse(HistoryEvent(block->event(revision - block->first().value())));
}

/// A state machine with a history, and what the events of its life have to be: from looking at the state before and behind.
class Machine {
 public:
  explicit Machine(const HistoryLimits& limits = {}) : history(limits) { state.set_listener(&history); }

  void apply(const command::Transaction& transaction) {
    std::string entry = begin();
    command::append_transaction(entry, request(), transaction);
    apply_entry(entry);
  }
  void put(std::string_view key, std::string_view json) {
    std::string entry = begin();
    command::append_put(entry, request(), key, stored(json), 0);
    apply_entry(entry);
  }
  void expire(std::uint64_t limit) {
    std::string entry = begin();
    command::append_expire(entry, request(), now_ms, limit);
    apply_entry(entry);
  }

  [[nodiscard]] std::uint64_t revision() const { return state.revision().value(); }

  StateMachine state;
  History history;
  std::uint64_t now_ms = 1000;
  std::vector<ToldEvent> expected;  ///< of revision 1, 2, ...

 private:
  struct Known {
    std::string value;
    std::uint64_t revision = 0;
    std::optional<ClusterTimeMs> deadline_ms;
  };
  using Picture = std::map<std::string, Known>;

  [[nodiscard]] std::string begin() const {
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = now_ms, .wall_offset_ms = 7});
    return entry;
  }
  base::RequestId request() { return {base::NodeId(1), 1, ++sequence_}; }

  [[nodiscard]] Picture picture() const {
    Picture all;
    const View view = state.view();
    view.visit_from("", [&](const Record& record) {
      all[std::string(record.key())] = {std::string(record.value()), record.revision().value(), record.deadline_ms()};
      return true;
    });
    return all;
  }

  void apply_entry(const std::string& entry) {
    const Picture before = picture();
    const std::uint64_t revision_before = revision();
    std::vector<Applied> applied;
    ASSERT_TRUE(state.apply(index_ = index_.next(), Term(1), entry, applied));
    if (revision() == revision_before) return;
    const bool expires = applied.back().kind == command::CommandKind::expire;
    expected.push_back(difference(before, picture(), expires));
  }

  [[nodiscard]] ToldEvent difference(const Picture& before, const Picture& after, bool expires) const {
    ToldEvent event{.type = EventType::txn, .time_ms = static_cast<std::int64_t>(now_ms) + 7, .changes = {}};
    const auto value_before = [&](const std::string& key) {
      const auto found = before.find(key);
      return found == before.end() ? std::string() : found->second.value;
    };
    for (const auto& [key, known] : after) {
      if (known.revision != revision()) continue;
      const std::uint64_t ttl_s = known.deadline_ms ? (*known.deadline_ms - now_ms + 999) / 1000 : 0;
      event.changes[key] = {ChangeKind::put, known.value, value_before(key), ttl_s};
    }
    for (const auto& [key, known] : before) {
      if (!after.contains(key)) {
        event.changes[key] = {expires ? ChangeKind::expire : ChangeKind::remove, "", known.value, 0};
      }
    }
    return event;
  }

  Index index_;
  std::uint64_t sequence_ = 0;
};

/// The picture can't tell a touch from a put of the same value: of an event both are taken for what it says, if they fit.
void settle_touches(ToldEvent& expected, const ToldEvent& found) {
  for (auto& [key, told] : expected.changes) {
    const auto other = found.changes.find(key);
    if (other == found.changes.end() || other->second.op != ChangeKind::touch) continue;
    if (told.op == ChangeKind::put && told.value == told.previous) {
      told.op = ChangeKind::touch;
      told.value.clear();
    }
  }
  std::set<ChangeKind> kinds;
  for (const auto& [key, told] : expected.changes) kinds.insert(told.op);
  const bool is_single = expected.changes.size() == 1;
  if (kinds.size() != 1) return;
  switch (*kinds.begin()) {
    case ChangeKind::put: expected.type = is_single ? EventType::put : EventType::put_many; return;
    case ChangeKind::remove: expected.type = is_single ? EventType::del : EventType::del_many; return;
    case ChangeKind::touch: expected.type = is_single ? EventType::touch : EventType::touch_many; return;
    case ChangeKind::expire: expected.type = EventType::expire; return;
  }
}

void compare(const Machine& machine, const History& history) {
  const std::uint64_t oldest = history.oldest().value();
  ASSERT_EQ(history.newest().value(), machine.revision());
  for (std::uint64_t revision = oldest; revision <= machine.revision(); ++revision) {
    const ToldEvent found = event_of(history, revision);
    ToldEvent expected = machine.expected[revision - 1];
    settle_touches(expected, found);
    ASSERT_EQ(found, expected) << "revision " << revision;
  }
  EXPECT_EQ(history.find(Revision(oldest - 1)), nullptr);
  EXPECT_EQ(history.find(Revision(machine.revision() + 1)), nullptr);
}

void random_life(Machine& machine, base::Random& random, int steps) {
  const auto key = [&] { return std::string(1, static_cast<char>('a' + random.below(6))); };
  for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
    machine.now_ms += random.below(900);
    if (random.one_in(8)) {
      machine.expire(1 + random.below(4));
      continue;
    }
    std::vector<std::string> keys;
    std::vector<std::string> values;
    command::Transaction transaction;
    const std::uint64_t count = 1 + random.below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      keys.push_back(key());
      // Long ones stay in the records of the store.
      const std::string text = '"' + std::string(500 + random.below(1000), 'x') + '"';
      values.push_back(stored(random.one_in(3) ? text : std::to_string(random.below(1000))));
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t what = random.below(4);
      const auto kind = what < 2    ? command::OperationKind::put
                        : what == 2 ? command::OperationKind::remove
                                    : command::OperationKind::touch;
      const std::uint32_t ttl_s = kind == command::OperationKind::touch || random.one_in(3) ? 1 + random.below(4) : 0;
      transaction.then.push_back({.kind = kind, .key = keys[i], .value = values[i], .ttl_s = ttl_s});
    }
    machine.apply(transaction);
  }
}

TEST(History, HoldsExactlyWhatEachRevisionChanged) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  base::Random random(seed);
  Machine machine;
  random_life(machine, random, 6000);
  EXPECT_EQ(machine.history.oldest(), Revision(1));
  compare(machine, machine.history);
}

TEST(History, ShowsExactlySoManyEvents) {
  Machine machine({.max_events = 10, .max_bytes = 64U << 20U});
  for (int i = 0; i < 7; ++i) machine.put("k", "1");
  EXPECT_EQ(machine.history.oldest(), Revision(1));
  for (int i = 0; i < 5000; ++i) machine.put("k", "1");
  EXPECT_EQ(machine.history.oldest(), Revision(machine.revision() - 9));
  compare(machine, machine.history);
}

TEST(History, TakesNoMoreThanItsBytes) {
  constexpr std::uint64_t most_bytes = 2U << 20U;
  Machine machine({.max_events = 100'000, .max_bytes = most_bytes});
  const std::string text = '"' + std::string(20'000, 'x') + '"';
  for (int i = 0; i < 300; ++i) machine.put("key" + std::to_string(i), text);
  const std::uint64_t kept = machine.revision() + 1 - machine.history.oldest().value();
  EXPECT_LT(kept * text.size(), most_bytes);
  EXPECT_GT(kept * text.size(), most_bytes / 2);
  compare(machine, machine.history);
}

TEST(History, KeepsTheNewestEventWhateverItsSize) {
  Machine machine({.max_events = 100, .max_bytes = 1U << 20U});
  machine.put("small", "1");
  const std::string text = '"' + std::string(3U << 20U, 'x') + '"';
  machine.put("large", text);
  EXPECT_EQ(machine.history.newest(), Revision(2));
  machine.put("large", text);
  machine.put("small", "2");
  EXPECT_GE(machine.history.oldest(), Revision(2));
  compare(machine, machine.history);
}

TEST(History, ATransactionOfManyLargeValuesIsOneEvent) {
  Machine machine;
  machine.put("before", "1");
  std::vector<std::string> keys;
  const std::string value = stored('"' + std::string(60'000, 'y') + '"');
  command::Transaction transaction;
  for (int i = 0; i < 30; ++i) keys.push_back("key" + std::to_string(i));
  for (const std::string& key : keys) {
    transaction.then.push_back({.kind = command::OperationKind::put, .key = key, .value = value});
  }
  transaction.then.push_back({.kind = command::OperationKind::put, .key = keys[3], .value = value});
  machine.apply(transaction);
  machine.put("behind", "1");
  compare(machine, machine.history);
  EXPECT_EQ(event_of(machine.history, 2).changes.size(), 30U);
}

/// Writes the last of the keys, then removes all of them, in one transaction.
void replace_one_and_remove(Machine& machine, const std::vector<std::string>& keys, const std::string& value) {
  command::Transaction transaction;
  transaction.then.push_back({.kind = command::OperationKind::put, .key = keys.back(), .value = value});
  for (const std::string& key : keys) transaction.then.push_back({.kind = command::OperationKind::remove, .key = key});
  machine.apply(transaction);
}

TEST(History, WhatManyKeysHeldBeforeIsLeftOutBeyondALimit) {
  Machine machine({.max_previous_bytes = 1000});
  const std::string text = '"' + std::string(400, 'x') + '"';
  const std::vector<std::string> keys = {"a", "b", "c", "d", "e"};
  for (const std::string& key : keys) machine.put(key, text);
  replace_one_and_remove(machine, keys, stored("1"));
  const ToldEvent event = event_of(machine.history, 6);
  EXPECT_EQ(event.type, EventType::del_many);
  ASSERT_EQ(event.changes.size(), 5U) << "whatever is left out, each key is told of";
  EXPECT_EQ(event.changes.at("e").previous, stored(text)) << "it was the first";
  EXPECT_EQ(event.changes.at("a").previous, stored(text));
  EXPECT_EQ(event.changes.at("b").previous, "");
  machine.put("a", text);
  machine.put("a", "1");
  EXPECT_EQ(event_of(machine.history, 8).changes.at("a").previous, stored(text)) << "each event has the limit anew";
}

TEST(History, AKeyThatWasThereIsToldOfThoughWhatItHeldIsLeftOut) {
  Machine machine({.max_previous_bytes = 0});
  machine.put("k", "1");
  machine.apply({.then = {{.kind = command::OperationKind::put, .key = "k", .value = stored("2")},
                          {.kind = command::OperationKind::put, .key = "new", .value = stored("2")},
                          {.kind = command::OperationKind::remove, .key = "new"},
                          {.kind = command::OperationKind::remove, .key = "k"}}});
  const ToldEvent event = event_of(machine.history, 2);
  EXPECT_EQ(event.type, EventType::del);
  ASSERT_EQ(event.changes.size(), 1U);
  EXPECT_EQ(event.changes.at("k").op, ChangeKind::remove);
}

TEST(History, AnEventThatWouldBeTooLargeNamesNoKey) {
  Machine machine({.max_event_bytes = 1000});
  std::vector<std::string> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(std::string(100, 'k') + std::to_string(i));
  for (const std::string& key : keys) machine.put(key, "1");
  machine.put("small", "1");
  replace_one_and_remove(machine, keys, stored("2"));
  EXPECT_EQ(event_of(machine.history, 22).type, EventType::restored);
  EXPECT_TRUE(event_of(machine.history, 22).changes.empty());
  machine.put("small", "2");
  const ToldEvent behind = event_of(machine.history, 23);
  EXPECT_EQ(behind.type, EventType::put);
  EXPECT_EQ(behind.changes.at("small").previous, stored("1"));
}

TEST(History, WhatTurnsOutToBeNoChangeIsNoEvent) {
  Machine machine;
  machine.put("k", "1");
  machine.apply({.then = {{.kind = command::OperationKind::put, .key = "gone", .value = stored("1")},
                          {.kind = command::OperationKind::remove, .key = "gone"}}});
  EXPECT_EQ(machine.history.newest(), Revision(1));
  machine.apply({.then = {{.kind = command::OperationKind::put, .key = "gone", .value = stored("1")},
                          {.kind = command::OperationKind::put, .key = "k", .value = stored("2")},
                          {.kind = command::OperationKind::remove, .key = "gone"}}});
  const ToldEvent event = event_of(machine.history, 2);
  EXPECT_EQ(event.type, EventType::put) << "of what is left";
  ASSERT_EQ(event.changes.size(), 1U);
  EXPECT_EQ(event.changes.at("k").previous, stored("1"));
}

TEST(History, AnImageBroughtBackIsTheSameHistory) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  base::Random random(seed);
  const HistoryLimits limits{.max_events = 700, .max_bytes = 64U << 20U};
  Machine machine(limits);
  random_life(machine, random, 3000);
  HistoryImage image = machine.history.image();
  const std::uint64_t newest = machine.revision();
  machine.put("later", "1");  // the image does not know
  History restored(limits);
  restored.reset(image.first().previous());
  std::string block;
  while (image.next_block(block, 4096)) {
    base::Reader reader(block);
    while (reader.remaining() > 0) ASSERT_TRUE(restored.add(reader.bytes()));
  }
  ASSERT_EQ(restored.newest().value(), newest);
  for (std::uint64_t revision = restored.oldest().value(); revision <= newest; ++revision) {
    ToldEvent expected = machine.expected[revision - 1];
    const ToldEvent found = event_of(restored, revision);
    settle_touches(expected, found);
    ASSERT_EQ(found, expected);
  }
  EXPECT_EQ(restored.oldest().value(), newest - 699);
}

TEST(History, BytesThatAreNoEventAreNotTakenIn) {
  History history;
  EXPECT_FALSE(history.add(""));
  EXPECT_FALSE(history.add("x"));
  Machine machine;
  machine.put("k", "1");
  const auto block = machine.history.find(Revision(1));
  ASSERT_TRUE(block);
  const std::string good = block->event(0).plain();
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(history.add(good.substr(0, size))) << size;
  constexpr std::size_t first_op = 1 + 4 + 8;
  for (const unsigned flag : {HistoryEvent::value_in_record, HistoryEvent::previous_in_record}) {
    std::string naming = good;  // an address that nobody gave
    naming[first_op] = static_cast<char>(static_cast<unsigned char>(good[first_op]) | flag);
    EXPECT_FALSE(history.add(naming));
    naming[0] = static_cast<char>(static_cast<unsigned char>(good[0]) | HistoryEvent::names_records);
    EXPECT_FALSE(history.add(naming));
  }
  EXPECT_TRUE(history.add(good));
  EXPECT_EQ(history.newest(), Revision(1));
}

TEST(History, AStateThatWasReplacedHasNoPast) {
  Machine machine;
  for (int i = 0; i < 5; ++i) machine.put("k", "1");
  machine.history.reset(Revision(40));
  EXPECT_EQ(machine.history.newest(), Revision(40));
  EXPECT_EQ(machine.history.oldest(), Revision(41));
  EXPECT_EQ(machine.history.find(Revision(3)), nullptr);
  EXPECT_EQ(machine.history.find(Revision(40)), nullptr);
}

TEST(History, TheWakerIsCalledOnceForEachTimeItIsAskedFor) {
  Machine machine;
  int wakes = 0;
  machine.history.set_waker([&] { ++wakes; });
  machine.put("k", "1");
  EXPECT_EQ(wakes, 0);
  EXPECT_FALSE(machine.history.want_wake(Revision(0))) << "there is one already";
  EXPECT_TRUE(machine.history.want_wake(Revision(1)));
  machine.put("k", "1");
  machine.put("k", "1");
  EXPECT_EQ(wakes, 1);
}

}  // namespace
}  // namespace concord::store
