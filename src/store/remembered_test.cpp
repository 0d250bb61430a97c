// A transaction once is done once: on every machine, over snapshots, for 10 minutes, within a bound of memory. Random ones,
// against a model, are in model_test.cpp.
#include "store/remembered.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/wire.hpp"
#include "command/limits.hpp"
#include "store/change.hpp"
#include "store/snapshot.hpp"
#include "store/testing_model.hpp"
#include "store/view.hpp"

namespace concord::store {
namespace {

using base::Index;
using base::Term;
using command::Once;
using command::Repeat;

constexpr ClusterTimeMs ten_minutes_ms = 600'000;

/// A machine that is told one command an entry.
class Machine {
 public:
  Outcome once(const Once& once, const Transaction& transaction) {
    std::string entry = begin();
    command::append_once(entry, {base::NodeId(1), 1, 1}, once, transaction);
    return apply(entry);
  }
  void put(std::string_view key, std::string_view json) {
    std::string entry = begin();
    command::append_put(entry, {base::NodeId(1), 1, 1}, key, stored(json), 0);
    (void)apply(entry);
  }
  [[nodiscard]] std::string text(std::string_view key) const {
    Value value;
    return state->get(key, value) ? std::string(value.stored().substr(1)) : "missing";
  }

  ClusterTimeMs now_ms = 5000;
  std::unique_ptr<StateMachine> state = std::make_unique<StateMachine>();
  std::vector<std::string> log;

 private:
  [[nodiscard]] std::string begin() const {
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = now_ms, .wall_offset_ms = 0});
    return entry;
  }
  Outcome apply(const std::string& entry) {
    log.push_back(entry);
    std::vector<Applied> applied;
    EXPECT_TRUE(state->apply(state->applied_index().next(), Term(1), entry, applied));
    return applied.empty() ? Outcome() : std::move(applied.back().outcome);
  }
};

/// Through the bytes of a snapshot.
Result<std::unique_ptr<StateMachine>> copy_of(const StateMachine& state, std::size_t block_bytes = 100) {
  const auto snapshot = state.begin_snapshot("members");
  auto meta = decode_meta(encode_meta(snapshot->meta()));
  if (!meta) return std::unexpected(std::move(meta.error()));
  SnapshotLoader loader(std::move(*meta));
  for (std::string block; snapshot->next_block(block, block_bytes);) {
    if (auto added = loader.add_block(block); !added) return std::unexpected(std::move(added.error()));
  }
  auto loaded = loader.finish();
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  auto copy = std::make_unique<StateMachine>(Options{99});
  copy->install(std::move(*loaded));
  return copy;
}

const std::string one = stored("1");
const std::string two = stored("2");

Transaction put_of(std::string_view key, std::string_view value) {
  return {.then = {{.kind = OperationKind::put, .key = key, .value = value}}};
}

TEST(Once, ARepeatIsAnsweredAsTheFirstTimeAndChangesNothing) {
  Machine machine;
  machine.put("read", R"({"a":[1]})");
  Transaction transaction = put_of("k", one);
  transaction.then.push_back({.kind = OperationKind::get, .key = "read"});
  transaction.then.push_back({.kind = OperationKind::remove, .key = "nobody"});
  const Once name{.key = "order", .fingerprint = 7};
  const Outcome first = machine.once(name, transaction);
  EXPECT_EQ(first.repeat, Repeat::none);
  EXPECT_TRUE(first.changed);
  machine.put("k", "5");
  machine.put("read", "6");
  const std::uint64_t digest = machine.state->digest();
  machine.now_ms += ten_minutes_ms;

  const Outcome again = machine.once(name, transaction);
  EXPECT_EQ(again.repeat, Repeat::replayed);
  EXPECT_TRUE(again.changed) << "as the first time";
  EXPECT_EQ(again.revision, first.revision);
  ASSERT_EQ(again.results.size(), 3U);
  EXPECT_EQ(again.results[0].revision, first.revision);
  EXPECT_EQ(again.results[1].value.value().stored(), stored(R"({"a":[1]})"));
  EXPECT_EQ(again.results[2].status, OperationStatus::not_found);
  EXPECT_EQ(machine.state->revision(), Revision(4));
  EXPECT_EQ(machine.text("k"), "5");
  EXPECT_EQ(machine.state->digest(), digest);
}

TEST(Once, AFailedGuardIsAnAnswerToo) {
  Machine machine;
  Transaction transaction = put_of("k", one);
  transaction.guards = {{.kind = GuardKind::absent, .key = "x"}, {.kind = GuardKind::exists, .key = "lock"}};
  EXPECT_EQ(machine.once({.key = "a"}, transaction).guard_failure, GuardFailure::key_missing);
  machine.put("lock", "1");
  const Outcome again = machine.once({.key = "a"}, transaction);
  EXPECT_EQ(again.repeat, Repeat::replayed);
  EXPECT_EQ(again.guard_failure, GuardFailure::key_missing);
  EXPECT_EQ(again.failed_guard, 1U);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.revision, Revision());
  EXPECT_EQ(machine.text("k"), "missing");
}

TEST(Once, AnotherRequestUnderTheSameNameIsAConflict) {
  Machine machine;
  (void)machine.once({.key = "a", .fingerprint = 1}, put_of("k", one));
  const Outcome other = machine.once({.key = "a", .fingerprint = 2}, put_of("k", two));
  EXPECT_EQ(other.repeat, Repeat::conflict);
  EXPECT_FALSE(other.changed);
  EXPECT_TRUE(other.results.empty());
  EXPECT_EQ(machine.text("k"), "1");
  EXPECT_EQ(machine.once({.key = "a", .fingerprint = 1}, put_of("k", one)).repeat, Repeat::replayed)
      << "a conflict is not remembered";
}

TEST(Once, NamesOfOneScopeAreNotThoseOfAnother) {
  Machine machine;
  EXPECT_EQ(machine.once({.scope = "ab", .key = "c"}, put_of("k", one)).repeat, Repeat::none);
  EXPECT_EQ(machine.once({.scope = "a", .key = "bc"}, put_of("k", two)).repeat, Repeat::none);
  EXPECT_EQ(machine.once({.scope = "", .key = "c"}, put_of("k", two)).repeat, Repeat::none);
  EXPECT_EQ(machine.state->revision(), Revision(3));
}

TEST(Once, After10MinutesOfClusterTimeItIsDoneAnew) {
  Machine machine;
  const std::uint64_t empty_bytes = machine.state->memory_bytes();
  (void)machine.once({.key = "a", .fingerprint = 1}, {.then = {{.kind = OperationKind::get, .key = "k"}}});
  EXPECT_GT(machine.state->memory_bytes(), empty_bytes);
  machine.now_ms += ten_minutes_ms + 1;
  const Outcome anew = machine.once({.key = "a", .fingerprint = 2}, put_of("k", two));
  EXPECT_EQ(anew.repeat, Repeat::none);
  EXPECT_EQ(machine.text("k"), "2");
  machine.now_ms += ten_minutes_ms;
  EXPECT_EQ(machine.once({.key = "a", .fingerprint = 2}, put_of("k", two)).repeat, Repeat::replayed)
      << "the second time counts from when it was done";
}

TEST(Once, WhatIsTooOldIsFreedByAnyEntryAFewAtATime) {
  Machine machine;
  machine.put("k", "1");
  machine.put("k", "2");  // one that was changed takes a little more
  const std::uint64_t before_bytes = machine.state->memory_bytes();
  for (int i = 0; i < 100; ++i) {
    (void)machine.once({.key = std::to_string(i)}, {.then = {{.kind = OperationKind::get, .key = "none"}}});
  }
  machine.now_ms += ten_minutes_ms + 1;
  machine.put("k", "3");
  EXPECT_GT(machine.state->memory_bytes(), before_bytes);
  machine.put("k", "4");
  EXPECT_EQ(machine.state->memory_bytes(), before_bytes);
}

TEST(Once, ALogAppliedAgainGivesTheSameState) {
  Machine machine;
  for (int i = 0; i < 300; ++i) {
    const std::string key = std::to_string(i % 40);
    (void)machine.once({.key = key, .fingerprint = i % 3 == 0 ? 1U : 2U}, put_of(key, one));
    machine.now_ms += 9000;
  }
  StateMachine again(Options{12345});
  std::vector<Applied> applied;
  for (const std::string& entry : machine.log) {
    ASSERT_TRUE(again.apply(again.applied_index().next(), Term(1), entry, applied));
  }
  EXPECT_EQ(again.digest(), machine.state->digest());
  EXPECT_EQ(again.revision(), machine.state->revision());
  EXPECT_EQ(again.begin_snapshot("")->meta().remembered, machine.state->begin_snapshot("")->meta().remembered);
}

TEST(Once, ASnapshotCarriesWhatIsRemembered) {
  Machine machine;
  machine.put("read", "1");
  Transaction transaction = put_of("k", one);
  transaction.then.push_back({.kind = OperationKind::get, .key = "read"});
  std::vector<Outcome> first;
  for (int i = 0; i < 50; ++i) first.push_back(machine.once({.scope = "t", .key = std::to_string(i)}, transaction));
  machine.now_ms += ten_minutes_ms / 2;
  (void)machine.once({.key = "late"}, put_of("k", two));
  auto copy = copy_of(*machine.state);
  ASSERT_TRUE(copy) << copy.error().message();
  EXPECT_EQ((*copy)->digest(), machine.state->digest());
  EXPECT_EQ((*copy)->begin_snapshot("")->meta().remembered, 51U);
  machine.state = std::move(*copy);
  const Revision revision = machine.state->revision();
  for (int i = 0; i < 50; ++i) {
    const Outcome again = machine.once({.scope = "t", .key = std::to_string(i)}, transaction);
    ASSERT_EQ(again.repeat, Repeat::replayed);
    ASSERT_EQ(again.revision, first[static_cast<std::size_t>(i)].revision);
    ASSERT_EQ(again.results.at(1).value.value().stored(), stored("1"));
  }
  EXPECT_EQ(machine.once({.key = "late", .fingerprint = 1}, transaction).repeat, Repeat::conflict);
  EXPECT_EQ(machine.state->revision(), revision);
}

TEST(Once, ASnapshotIsFixedWhileTransactionsGoOn) {
  Machine machine;
  for (int i = 0; i < 20; ++i) (void)machine.once({.key = std::to_string(i)}, put_of("k", one));
  const auto snapshot = machine.state->begin_snapshot("");
  machine.now_ms += ten_minutes_ms + 1;
  for (int i = 0; i < 20; ++i) (void)machine.once({.key = std::to_string(i)}, put_of("k", two));
  SnapshotLoader loader(snapshot->meta());
  for (std::string block; snapshot->next_block(block, 60);) ASSERT_TRUE(loader.add_block(block));
  const auto loaded = loader.finish();
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ((*loaded)->remembered.count(), 20U);
}

TEST(Once, AStateThatRemembersNothingIsWrittenInFormat1) {
  Machine machine;
  machine.put("k", "1");
  EXPECT_EQ(encode_meta(machine.state->begin_snapshot("m")->meta()).front(), '\1');
  const auto copy = copy_of(*machine.state);
  ASSERT_TRUE(copy);
  EXPECT_EQ((*copy)->begin_snapshot("m")->meta().remembered, 0U);
  (void)machine.once({.key = "a"}, put_of("k", one));
  EXPECT_EQ(encode_meta(machine.state->begin_snapshot("m")->meta()).front(), '\2');
}

TEST(Once, ADamagedAnswerInASnapshotIsRefused) {
  Machine machine;
  machine.put("read", "1");
  (void)machine.once({.scope = "t", .key = "a"}, {.then = {{.kind = OperationKind::get, .key = "read"}}});
  (void)machine.once({.scope = "t", .key = "b"}, put_of("k", one));
  const auto snapshot = machine.state->begin_snapshot("");
  std::string intact;
  ASSERT_TRUE(snapshot->next_block(intact, 1U << 20U));
  const auto loads = [&](const std::string& block) {
    SnapshotLoader loader(snapshot->meta());
    return loader.add_block(block) && loader.finish();
  };
  ASSERT_TRUE(loads(intact));
  for (std::size_t at = 0; at < intact.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = intact;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      EXPECT_FALSE(loads(damaged)) << at;
    }
    EXPECT_FALSE(loads(intact.substr(0, at))) << at;
  }
}

TEST(Once, WhatDeleteWhereRefusedIsNotRemembered) {
  Machine machine;
  machine.put("a", "1");
  machine.put("b", "1");
  command::Operation where{.kind = OperationKind::delete_where};
  where.selector->prefix = "";
  where.selector->max_removed = 1;
  EXPECT_EQ(machine.once({.key = "x"}, {.then = {where}}).results.at(0).status, OperationStatus::too_large);
  (void)machine.once({.key = "less"}, {.then = {{.kind = OperationKind::remove, .key = "b"}}});
  const Outcome retried = machine.once({.key = "x"}, {.then = {where}});
  EXPECT_EQ(retried.repeat, Repeat::none);
  EXPECT_EQ(retried.results.at(0).count, 1U);
}

TEST(Once, ListenersHearOfNoChangeWhenItIsRepeated) {
  class Count final : public ChangeListener {
   public:
    void on_change(const Change&) override { ++changes; }
    void on_command(command::CommandKind kind, bool changed, Revision at) override {
      EXPECT_EQ(kind, command::CommandKind::once);
      changed_commands += changed ? 1 : 0;
      revision = at;
    }
    int changes = 0;
    int changed_commands = 0;
    Revision revision;
  };
  Machine machine;
  Count count;
  machine.state->set_listener(&count);
  (void)machine.once({.key = "a"}, put_of("k", one));
  (void)machine.once({.key = "b"}, put_of("k", two));
  (void)machine.once({.key = "a"}, put_of("k", one));
  EXPECT_EQ(count.changes, 2);
  EXPECT_EQ(count.changed_commands, 2);
  EXPECT_EQ(count.revision, Revision(2)) << "the store's, not that of the first time";
}

// ---------------------------------------------------------------------------------------------------------------------
// What is kept, and its bound.

/// An outcome with one value of so many bytes.
Outcome read_of(std::size_t value_bytes) {
  Outcome outcome;
  outcome.results.resize(1);
  outcome.results[0].value = Value::from_stored(stored('"' + std::string(value_bytes, 'v') + '"'));
  return outcome;
}

TEST(Remembered, BeyondItsBoundTheOldestAreForgottenFirst) {
  Remembered remembered;
  std::uint64_t added = 0;
  while (remembered.count() == added) {
    remembered.remember({.key = std::to_string(added)}, 1000, read_of(1000U << 10U));
    ++added;
    ASSERT_LE(remembered.size_bytes(), Remembered::max_bytes);
    ASSERT_LT(added, 100U);
  }
  EXPECT_GT(remembered.count(), 50U);
  EXPECT_FALSE(remembered.find({.key = "0"}, 1000));
  EXPECT_TRUE(remembered.find({.key = "1"}, 1000));
  EXPECT_TRUE(remembered.find({.key = std::to_string(added - 1)}, 1000));
}

TEST(Remembered, SmallAnswersAreBoundedToo) {
  Remembered remembered;
  constexpr std::uint64_t more_than_fit = Remembered::max_bytes / 256 + 10;
  for (std::uint64_t i = 0; i < more_than_fit; ++i) remembered.remember({.key = std::to_string(i)}, 1000, Outcome());
  EXPECT_LE(remembered.size_bytes(), Remembered::max_bytes);
  EXPECT_GT(remembered.count(), 180'000U);
  EXPECT_EQ(remembered.pin().size(), remembered.count());
  EXPECT_FALSE(remembered.find({.key = "0"}, 1000));
}

TEST(Remembered, ValuesThatAreTooLargeAreLeftOutAndTheAnswerSaysSo) {
  Remembered remembered;
  remembered.remember({.key = "fits"}, 1000, read_of(Remembered::max_values_bytes - 3));
  remembered.remember({.key = "large"}, 1000, read_of(Remembered::max_values_bytes - 2));
  EXPECT_EQ(remembered.find({.key = "fits"}, 1000).value().repeat, Repeat::replayed);
  const auto large = remembered.find({.key = "large"}, 1000);
  ASSERT_TRUE(large);
  EXPECT_EQ(large->repeat, Repeat::replayed_without_values);
  ASSERT_EQ(large->results.size(), 1U);
  EXPECT_FALSE(large->results[0].value);
}

TEST(Remembered, ANameUsedAgainAfterItsTimeStandsAtItsNewPlace) {
  Remembered remembered;
  for (int i = 0; i < 10; ++i) remembered.remember({.key = std::to_string(i)}, 1000, read_of(10));
  const ClusterTimeMs later_ms = 1001 + ten_minutes_ms;
  remembered.remember({.key = "9", .fingerprint = 5}, later_ms, read_of(20));
  EXPECT_EQ(remembered.count(), 8U) << "two were freed";
  const auto pinned = remembered.pin();
  ASSERT_EQ(pinned.size(), 8U);
  EXPECT_EQ(pinned.back()->decided_ms, later_ms);
  Remembered loaded;
  for (const auto& item : pinned) ASSERT_TRUE(loaded.load(item->bytes, later_ms));
  EXPECT_FALSE(loaded.load(pinned.back()->bytes, later_ms)) << "it is there already";
  EXPECT_EQ(loaded.digest(), remembered.digest());
  EXPECT_EQ(loaded.size_bytes(), remembered.size_bytes());
  for (Remembered* each : {&remembered, &loaded}) {
    EXPECT_EQ(each->find({.key = "9", .fingerprint = 5}, later_ms).value().repeat, Repeat::replayed);
    each->forget_old(later_ms, 100);
    EXPECT_EQ(each->count(), 1U);
    EXPECT_TRUE(each->find({.key = "9", .fingerprint = 5}, later_ms));
  }
}

TEST(Remembered, WhatIsForgottenLeavesNothingBehind) {
  Remembered remembered;
  for (int i = 0; i < 10; ++i) {
    remembered.remember({.key = std::to_string(i)}, 1000 + static_cast<ClusterTimeMs>(i), read_of(10));
  }
  remembered.forget_old(1000 + ten_minutes_ms, 100);
  EXPECT_EQ(remembered.count(), 10U) << "10 minutes are not over";
  remembered.forget_old(2000 + ten_minutes_ms, 4);
  EXPECT_EQ(remembered.count(), 6U);
  remembered.forget_old(2000 + ten_minutes_ms, 100);
  EXPECT_TRUE(remembered.is_empty());
  EXPECT_EQ(remembered.count(), 0U);
  EXPECT_EQ(remembered.size_bytes(), 0U);
  EXPECT_EQ(remembered.digest(), 0U);
}

}  // namespace
}  // namespace concord::store
