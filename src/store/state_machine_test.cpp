// The state machine against a model of the contract, with views and snapshots open at random moments.
#include "store/state_machine.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/wire.hpp"
#include "store/snapshot.hpp"
#include "store/view.hpp"

namespace concord::store {
namespace {

using base::ClusterTimeMs;
using base::Index;
using base::RequestId;
using base::Term;
using command::Guard;
using command::GuardFailure;
using command::GuardKind;
using command::Operation;
using command::OperationKind;
using command::OperationStatus;
using command::Outcome;
using command::Transaction;

std::string stored(std::string_view json) { return std::string(1, '\0') + std::string(json); }

struct ModelEntry {
  std::string value;
  std::uint64_t revision = 0;
  std::uint64_t create_revision = 0;
  std::uint64_t version = 0;
  std::optional<ClusterTimeMs> deadline_ms;
  friend bool operator==(const ModelEntry&, const ModelEntry&) = default;
};
using ModelMap = std::map<std::string, ModelEntry>;

/// What the contract says, in the plainest form.
struct Model {
  ModelMap map;
  std::uint64_t revision = 0;

  Outcome apply(const Transaction& transaction, ClusterTimeMs now_ms) {
    Outcome outcome;
    for (std::size_t at = 0; at < transaction.guards.size() && outcome.guard_failure == GuardFailure::none; ++at) {
      outcome.guard_failure = check(transaction.guards[at]);
      outcome.failed_guard = static_cast<std::uint32_t>(at);
    }
    const ModelMap before = map;
    const bool holds = outcome.guard_failure == GuardFailure::none;
    if (holds) outcome.failed_guard = 0;
    for (const Operation& operation : holds ? transaction.then : transaction.otherwise) run(operation, now_ms, outcome);
    outcome.changed = map != before;
    if (outcome.changed) ++revision;
    outcome.revision = Revision(revision);
    return outcome;
  }

  GuardFailure check(const Guard& guard) const {
    const auto found = map.find(std::string(guard.key));
    if (guard.kind == GuardKind::absent)
      return found == map.end() ? GuardFailure::none : GuardFailure::condition_failed;
    if (found == map.end()) return GuardFailure::key_missing;
    bool holds = true;
    if (guard.kind == GuardKind::value_equals) holds = found->second.value == guard.value;
    if (guard.kind == GuardKind::revision) holds = found->second.revision == guard.revision.value();
    if (guard.kind == GuardKind::filter) holds = found->second.value == stored("1");
    return holds ? GuardFailure::none : GuardFailure::condition_failed;
  }

  void run(const Operation& operation, ClusterTimeMs now_ms, Outcome& outcome) {
    command::OperationResult result;
    const std::string key(operation.key);
    const auto found = map.find(key);
    const std::uint64_t next = revision + 1;
    std::optional<ClusterTimeMs> deadline_ms;
    if (operation.ttl_s != 0) deadline_ms = now_ms + operation.ttl_s * 1000ULL;
    if (operation.kind == OperationKind::put) {
      const ModelEntry before = found == map.end() ? ModelEntry{"", 0, next, 0, {}} : found->second;
      map[key] = {std::string(operation.value), next, before.create_revision, before.version + 1, deadline_ms};
    } else if (operation.kind == OperationKind::delete_where) {
      result.count =
          std::erase_if(map, [&](const auto& item) { return item.first.starts_with(*operation.selector.prefix); });
    } else if (found == map.end()) {
      result.status = OperationStatus::not_found;
    } else if (operation.kind == OperationKind::remove) {
      map.erase(found);
    } else if (operation.kind == OperationKind::touch) {
      found->second = {found->second.value, next, found->second.create_revision, found->second.version + 1,
                       deadline_ms};
    }
    outcome.results.push_back(std::move(result));
  }

  Outcome expire(ClusterTimeMs due_ms, std::uint64_t limit) {
    std::vector<std::tuple<ClusterTimeMs, std::uint64_t, std::string>> due;
    for (const auto& [key, entry] : map) {
      if (entry.deadline_ms && *entry.deadline_ms <= due_ms) due.emplace_back(*entry.deadline_ms, entry.revision, key);
    }
    std::ranges::sort(due);
    if (due.size() > limit) due.resize(static_cast<std::size_t>(limit));
    for (const auto& [deadline, at, key] : due) map.erase(key);
    Outcome outcome;
    outcome.changed = !due.empty();
    if (outcome.changed) ++revision;
    outcome.revision = Revision(revision);
    return outcome;
  }
};

ModelMap contents(const View& view) {
  ModelMap all;
  view.visit_from("", [&](const Record& record) {
    all[std::string(record.key())] = {std::string(record.value()), record.revision().value(),
                                      record.create_revision().value(), record.version(), record.deadline_ms()};
    return true;
  });
  return all;
}

/// Keeps the strings that a transaction views.
struct RandomTransaction {
  std::vector<std::string> texts;
  Transaction transaction;

  std::string_view keep(std::string text) {
    texts.push_back(std::move(text));
    return texts.back();
  }
};

std::string random_key(base::Random& random) {
  return std::string(1, static_cast<char>('a' + random.below(3))) + std::to_string(random.below(12));
}

void add_operation(base::Random& random, RandomTransaction& made, std::vector<Operation>& to) {
  Operation operation;
  operation.key = made.keep(random_key(random));
  switch (random.below(9)) {
    case 0:
    case 1: operation.kind = OperationKind::remove; break;
    case 2:
      operation.kind = OperationKind::touch;
      operation.ttl_s = static_cast<std::uint32_t>(1 + random.below(4));
      break;
    case 3: operation.kind = OperationKind::get; break;
    case 4:
      if (random.one_in(4)) {
        operation.kind = OperationKind::delete_where;
        operation.selector.prefix = made.keep(random_key(random).substr(0, 1 + random.below(2)));
        break;
      }
      [[fallthrough]];
    default:
      operation.kind = OperationKind::put;
      operation.value = made.keep(stored(random.one_in(3) ? "1" : "\"" + std::string(random.below(200), 'v') + "\""));
      if (random.one_in(3)) operation.ttl_s = static_cast<std::uint32_t>(1 + random.below(4));
  }
  to.push_back(operation);
}

void add_guard(base::Random& random, const Model& model, RandomTransaction& made) {
  Guard guard{.kind = static_cast<GuardKind>(1 + random.below(5)), .key = made.keep(random_key(random))};
  const auto found = model.map.find(std::string(guard.key));
  const bool right = found != model.map.end() && !random.one_in(3);
  guard.value = made.keep(right ? found->second.value : stored("1"));
  guard.revision = Revision(right ? found->second.revision : 1);
  guard.filter = R"({"$value":1})";
  made.transaction.guards.push_back(guard);
}

class Machines {
 public:
  explicit Machines(std::uint64_t seed)
      : random_(seed), first_(std::make_unique<StateMachine>(Options{seed})), second_(Options{~seed}) {}

  void run(int entries) {
    for (int i = 0; i < entries && !testing::Test::HasFailure(); ++i) {
      if (random_.one_in(4) && views_.size() < 4) views_.emplace_back(first_->view(), model_.map);
      if (random_.one_in(4) && !views_.empty()) check_and_close_view();
      apply_entry();
      compare();
    }
    while (!views_.empty()) check_and_close_view();
  }

 private:
  void apply_entry() {
    now_ms_ += random_.below(800);
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = now_ms_, .wall_offset_ms = 5});
    std::vector<Outcome> expected;
    for (std::uint64_t count = random_.below(4); count > 0; --count) expected.push_back(add_command(entry));
    index_ = index_.next();
    std::vector<Applied> applied;
    std::vector<Applied> applied_too;
    ASSERT_TRUE(first_->apply(index_, Term(1), entry, applied));
    ASSERT_TRUE(second_.apply(index_, Term(1), entry, applied_too));
    ASSERT_EQ(applied.size(), expected.size());
    ASSERT_EQ(applied_too.size(), expected.size());
    for (std::size_t at = 0; at < expected.size(); ++at) {
      same(applied[at], expected[at]);
      same(applied_too[at], expected[at]);
    }
  }

  Outcome add_command(std::string& entry) {
    const RequestId request{base::NodeId(1), 1, ++sequence_};
    if (random_.one_in(6)) {
      const std::uint64_t limit = 1 + random_.below(5);
      command::append_expire(entry, request, now_ms_, limit);
      return model_.expire(now_ms_, limit);
    }
    RandomTransaction made;
    made.texts.reserve(64);  // views into them must stay
    if (random_.one_in(3)) {
      add_operation(random_, made, made.transaction.then);
      const Operation& operation = made.transaction.then.front();
      if (operation.kind == OperationKind::put)
        command::append_put(entry, request, operation.key, operation.value, operation.ttl_s);
      if (operation.kind == OperationKind::remove) command::append_remove(entry, request, operation.key);
      if (operation.kind == OperationKind::put || operation.kind == OperationKind::remove) {
        Outcome outcome = model_.apply(made.transaction, now_ms_);
        if (outcome.changed) outcome.results.clear();
        return outcome;
      }
    }
    for (std::uint64_t count = random_.below(3); count > 0; --count) add_guard(random_, model_, made);
    for (std::uint64_t count = random_.below(6); count > 0; --count)
      add_operation(random_, made, made.transaction.then);
    for (std::uint64_t count = random_.below(3); count > 0; --count)
      add_operation(random_, made, made.transaction.otherwise);
    command::append_transaction(entry, request, made.transaction);
    return model_.apply(made.transaction, now_ms_);
  }

  static void same(const Applied& applied, const Outcome& expected) {
    const Outcome& found = applied.outcome;
    EXPECT_EQ(found.changed, expected.changed);
    EXPECT_EQ(found.revision, expected.revision);
    EXPECT_EQ(found.guard_failure, expected.guard_failure);
    EXPECT_EQ(found.failed_guard, expected.failed_guard);
    ASSERT_EQ(found.results.size(), expected.results.size());
    for (std::size_t at = 0; at < expected.results.size(); ++at) {
      EXPECT_EQ(found.results[at].status, expected.results[at].status);
      EXPECT_EQ(found.results[at].count, expected.results[at].count);
    }
  }

  void compare() {
    ASSERT_EQ(first_->revision().value(), model_.revision);
    ASSERT_EQ(first_->size(), model_.map.size());
    ASSERT_EQ(first_->digest(), second_.digest());
    std::optional<ClusterTimeMs> due;
    for (const auto& [key, entry] : model_.map) {
      if (entry.deadline_ms && (!due || *entry.deadline_ms < *due)) due = entry.deadline_ms;
    }
    ASSERT_EQ(first_->next_due(), due);
    ASSERT_EQ(contents(first_->view()), model_.map);
    const std::string key = random_key(random_);
    Value value;
    ASSERT_EQ(first_->get(key, value), model_.map.contains(key));
    if (model_.map.contains(key)) {
      ASSERT_EQ(value.stored(), model_.map.at(key).value);
    }
  }

  void check_and_close_view() {
    const auto at = views_.begin() + static_cast<std::ptrdiff_t>(random_.below(views_.size()));
    ASSERT_EQ(contents(at->first), at->second) << "a view changed while it was open";
    std::vector<std::pair<View, ModelMap>> rest;
    for (auto view = views_.begin(); view != views_.end(); ++view) {
      if (view != at) rest.emplace_back(std::move(view->first), std::move(view->second));
    }
    views_.swap(rest);
  }

  base::Random random_;
  std::unique_ptr<StateMachine> first_;
  StateMachine second_;
  Model model_;
  std::vector<std::pair<View, ModelMap>> views_;
  Index index_;
  ClusterTimeMs now_ms_ = 1000;
  std::uint64_t sequence_ = 0;
};

TEST(StateMachine, DoesWhatTheContractSaysOnEveryMachineAlike) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Machines machines(seed);
    machines.run(200);
    if (HasFailure()) return;
  }
}

// ---------------------------------------------------------------------------------------------------------------------

class Writer {
 public:
  void put(std::string_view key, std::string_view json, std::uint32_t ttl_s = 0) {
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = 1000, .wall_offset_ms = 0});
    command::append_put(entry, {base::NodeId(1), 1, 1}, key, stored(json), ttl_s);
    apply(entry);
  }
  void apply(const std::string& entry) {
    index = index.next();
    applied.clear();
    ASSERT_TRUE(state.apply(index, Term(1), entry, applied));
  }

  StateMachine state;
  Index index;
  std::vector<Applied> applied;
};

Result<std::unique_ptr<LoadedState>> load(const SnapshotMeta& meta, const std::vector<std::string>& blocks) {
  SnapshotLoader loader(meta);
  for (const std::string& block : blocks) {
    if (auto added = loader.add_block(block); !added) return std::unexpected(std::move(added.error()));
  }
  return loader.finish();
}

std::vector<std::string> blocks_of(Snapshot& snapshot, std::size_t target_bytes) {
  std::vector<std::string> blocks;
  std::string block;
  while (snapshot.next_block(block, target_bytes)) blocks.push_back(block);
  return blocks;
}

TEST(Snapshot, HoldsTheStateOfItsMomentWhileWritesGoOn) {
  Writer writer;
  for (int i = 0; i < 2000; ++i) writer.put("key" + std::to_string(i), std::to_string(i), i % 3 == 0 ? 60 : 0);
  const ModelMap before = contents(writer.state.view());
  const std::uint64_t digest = writer.state.digest();
  const auto snapshot = writer.state.begin_snapshot("members");
  std::vector<std::string> blocks;
  std::string block;
  for (int i = 0; snapshot->next_block(block, 700); i += 3) {
    blocks.push_back(block);
    writer.put("key" + std::to_string(i), "\"changed\"");
    writer.put("new" + std::to_string(i), "true");
  }
  const auto meta = decode_meta(encode_meta(snapshot->meta()));
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->conf_state, "members");
  EXPECT_EQ(meta->digest, digest);
  auto loaded = load(*meta, blocks);
  ASSERT_TRUE(loaded) << loaded.error().message();
  StateMachine restored(Options{99});
  restored.install(std::move(*loaded));
  EXPECT_EQ(contents(restored.view()), before);
  EXPECT_EQ(restored.digest(), digest);
  EXPECT_EQ(restored.applied_index(), Index(2000));
  EXPECT_EQ(restored.revision(), Revision(2000));
  std::vector<Applied> applied;
  ASSERT_TRUE(restored.apply(Index(2001), Term(2), "", applied));
}

TEST(Snapshot, EveryFlippedByteAndTruncationOfABlockIsRefused) {
  Writer writer;
  for (int i = 0; i < 5; ++i) writer.put("key" + std::to_string(i), "[1,2,3]", i == 2 ? 60 : 0);
  writer.put("key1", "2");
  const auto snapshot = writer.state.begin_snapshot("");
  const std::vector<std::string> blocks = blocks_of(*snapshot, 1 << 20);
  ASSERT_EQ(blocks.size(), 1U);
  ASSERT_TRUE(load(snapshot->meta(), blocks));
  for (std::size_t at = 0; at < blocks[0].size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = blocks[0];
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      EXPECT_FALSE(load(snapshot->meta(), {bad})) << "bit " << bit << " of byte " << at;
    }
    EXPECT_FALSE(load(snapshot->meta(), {blocks[0].substr(0, at)})) << "cut to " << at;
  }
}

TEST(Snapshot, AnEntryThatNoMachineWritesIsRefused) {
  const auto loads = [](std::string_view value, std::uint64_t flags, std::uint64_t created, std::uint64_t version) {
    std::string block;
    base::append_bytes(block, "key");
    base::append_bytes(block, value);
    base::append_varint(block, 5);
    block += static_cast<char>(flags);
    if (flags != 0) base::append_varint(block, created);
    if (flags != 0) base::append_varint(block, version);
    SnapshotMeta meta;
    meta.revision = Revision(9);
    return SnapshotLoader(meta).add_block(block).has_value();
  };
  const std::string json("\0null", 5);
  EXPECT_TRUE(loads(json, 0, 0, 0));
  EXPECT_TRUE(loads("\1bytes", 1, 4, 2));
  EXPECT_TRUE(loads(json, 1, 5, 2)) << "made and changed in one transaction";
  EXPECT_FALSE(loads("", 0, 0, 0)) << "no type";
  EXPECT_FALSE(loads("\2null", 0, 0, 0)) << "an unknown type";
  EXPECT_FALSE(loads(json, 1, 4, 1)) << "changed, in its first version";
  EXPECT_FALSE(loads(json, 1, 4, 0));
  EXPECT_FALSE(loads(json, 1, 6, 2)) << "created after its last change";
}

TEST(StateMachine, MemoryIsGivenBackWhenValuesGo) {
  Writer writer;
  const std::uint64_t empty = writer.state.memory_bytes();
  for (int i = 0; i < 3000; ++i) writer.put("key" + std::to_string(i), "\"" + std::string(100, 'x') + "\"");
  EXPECT_GT(writer.state.memory_bytes(), empty + 3000 * 100);
  Transaction transaction;
  transaction.then.push_back({.kind = OperationKind::delete_where, .selector = {.prefix = "key"}});
  std::string entry;
  command::begin_entry(entry, {.cluster_time_ms = 1000, .wall_offset_ms = 0});
  command::append_transaction(entry, {base::NodeId(1), 1, 2}, transaction);
  writer.apply(entry);
  EXPECT_EQ(writer.applied.front().outcome.results.front().count, 3000U);
  EXPECT_EQ(writer.state.size(), 0U);
  for (int i = 0; i < 10; ++i) writer.state.tidy();
  EXPECT_LT(writer.state.memory_bytes(), empty + 20'000);
}

TEST(StateMachine, AnEntryThatCannotBeDecodedIsRefused) {
  Writer writer;
  std::vector<Applied> applied;
  const auto done = writer.state.apply(Index(1), Term(1), "\x7f garbage", applied);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::storage_failed);
}

TEST(StateMachine, ReadersSeeTransactionsAsAWhole) {
  constexpr int accounts = 16;
  constexpr int total = accounts * 100;
  Writer writer;
  std::vector<std::string> names;
  std::vector<int> balances(accounts, 100);
  for (int i = 0; i < accounts; ++i) {
    names.push_back("account" + std::to_string(i));
    writer.put(names.back(), "100");
  }
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> reads{0};
  const auto read = [&] {
    const std::vector<std::string_view> keys(names.begin(), names.end());
    std::vector<std::optional<Value>> values;
    while (!stop.load()) {
      writer.state.get_many(keys, values);
      int sum = 0;
      for (const auto& value : values) sum += value->as<int>().value();
      EXPECT_EQ(sum, total);
      int scanned = 0;
      writer.state.view().visit_from("", [&](const Record& record) {
        scanned += Value::from_stored(record.value()).as<int>().value();
        return true;
      });
      EXPECT_EQ(scanned, total);
      Value one;
      EXPECT_TRUE(writer.state.get(names[0], one));
      ++reads;
    }
  };
  std::thread first(read);
  std::thread second(read);
  base::Random random(7);
  for (int i = 0; i < 20'000 || (reads < 50 && i < 10'000'000); ++i) {
    const auto from = static_cast<std::size_t>(random.below(accounts));
    const auto to = static_cast<std::size_t>(random.below(accounts));
    if (from == to) continue;
    --balances[from];
    ++balances[to];
    const std::string less = stored(std::to_string(balances[from]));
    const std::string more = stored(std::to_string(balances[to]));
    Transaction transaction;
    transaction.then = {{.kind = OperationKind::put, .key = names[from], .value = less},
                        {.kind = OperationKind::put, .key = names[to], .value = more}};
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = 1000, .wall_offset_ms = 0});
    command::append_transaction(entry, {base::NodeId(1), 1, 1}, transaction);
    writer.apply(entry);
  }
  stop = true;
  first.join();
  second.join();
}

}  // namespace
}  // namespace concord::store
