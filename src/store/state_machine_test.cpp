// The state machine under snapshots, bad bytes, many readers; what transactions mean stands in model_test.cpp.
#include "store/state_machine.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "base/wire.hpp"
#include "store/snapshot.hpp"
#include "store/testing_model.hpp"
#include "store/view.hpp"

namespace concord::store {
namespace {

using base::Index;
using base::Term;

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
  transaction.then.push_back({.kind = OperationKind::delete_where, .selector = command::Selector{.prefix = "key"}});
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

TEST(StateMachine, WhatANewerVersionWroteIsRefusedByName) {
  const auto problem_of = [](const std::string& entry) {
    StateMachine state;
    std::vector<Applied> applied;
    const auto done = state.apply(Index(1), Term(1), entry, applied);
    EXPECT_FALSE(done);
    return done ? std::string() : done.error().message();
  };
  EXPECT_EQ(problem_of({2, 0, 0}), "entry 1 of the log has format 2, which is not known to this version (it knows 1)");
  EXPECT_NE(problem_of({1, 0, 0, 99, 1, 1, 1}).find("a command of a newer version"), std::string::npos);
  const auto meta = decode_meta(std::string{6, 1, 1});
  ASSERT_FALSE(meta);
  EXPECT_NE(meta.error().message().find("format 6, which is not known to this version"), std::string::npos);
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
