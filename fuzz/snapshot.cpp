// Snapshots: any bytes are loaded or refused; what is loaded is written again as it was; what a machine writes is loaded.
// Input: 0 and the texts of meta and blocks, or 1 and decisions what a machine holds.
#include "store/snapshot.hpp"

#include "base/check.hpp"
#include "base/wire.hpp"
#include "command/entry.hpp"
#include "input.hpp"
#include "store/record.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using store::SnapshotLoader;
using store::SnapshotMeta;
using store::StateMachine;

using Blocks = std::vector<std::string>;

Blocks blocks_of(store::Snapshot& snapshot, std::size_t target_bytes) {
  Blocks blocks;
  for (std::string block; snapshot.next_block(block, target_bytes);) blocks.push_back(block);
  return blocks;
}

Result<std::unique_ptr<store::LoadedState>> load(const SnapshotMeta& meta, const Blocks& blocks) {
  SnapshotLoader loader(meta);
  for (const std::string& block : blocks) {
    if (auto added = loader.add_block(block); !added) return std::unexpected(added.error());
  }
  return loader.finish();
}

std::string joined(const Blocks& blocks) {
  std::string all;
  for (const std::string& block : blocks) all += block;
  return all;
}

/// Fills in what only the right count and digest would get past: sums over entries that are read as the format has them.
void complete(SnapshotMeta& meta, const Blocks& blocks) {
  meta.entries = 0;
  meta.digest = 0;
  for (const std::string& block : blocks) {
    for (base::Reader reader(block); reader.remaining() > 0; ++meta.entries) {
      const std::string_view key = reader.bytes();
      const std::string_view value = reader.bytes();
      if (key.empty()) return;  // an answer that is remembered: found by what a machine writes
      store::RecordFields fields;
      fields.revision = Revision(reader.varint());
      fields.create_revision = fields.revision;
      const unsigned flags = reader.byte();
      if ((flags & 1U) != 0) {
        fields.create_revision = Revision(reader.varint());
        fields.version = reader.varint();
      }
      if ((flags & 2U) != 0) fields.deadline_ms = reader.varint();
      if (!reader.ok() || key.size() > 1024) return;
      const store::RecordRef record(store::Record::create(key, value, fields));
      meta.digest += record->digest();
    }
  }
}

/// A machine that takes over a loaded state has exactly this state.
void check_loaded(const SnapshotMeta& meta, const Blocks& blocks, std::unique_ptr<store::LoadedState> loaded) {
  StateMachine machine({.hash_seed = 7});
  machine.install(std::move(loaded));
  CONCORD_CHECK(machine.digest() == meta.digest && machine.size() == meta.entries,
                "the state is the one that was saved");
  CONCORD_CHECK(machine.revision() == meta.revision && machine.applied_index() == meta.index, "and at its place");
  const auto snapshot = machine.begin_snapshot(meta.conf_state);
  CONCORD_CHECK(store::encode_meta(snapshot->meta()) == store::encode_meta(meta), "its description is the same again");
  CONCORD_CHECK(joined(blocks_of(*snapshot, 64)) == joined(blocks), "its entries are the same bytes again");
}

void load_bytes(Input& input) {
  const std::string_view meta_bytes = input.text(255);
  auto meta = store::decode_meta(meta_bytes);
  if (meta) CONCORD_CHECK(store::encode_meta(*meta) == meta_bytes, "a description has one spelling");
  if (!meta) {
    meta = SnapshotMeta();
    meta->revision = Revision(input.number());
  }
  Blocks blocks;
  while (!input.empty()) blocks.emplace_back(input.flag() ? input.rest() : input.text(255));
  if (auto loaded = load(*meta, blocks)) check_loaded(*meta, blocks, std::move(*loaded));
  complete(*meta, blocks);
  if (auto loaded = load(*meta, blocks)) check_loaded(*meta, blocks, std::move(*loaded));
}

/// Commands on few keys, so that they are changed, removed and made again.
std::string next_entry(Input& input) {
  std::string entry;
  command::begin_entry(entry, {});
  for (std::size_t left = 1 + input.below(4); left > 0; --left) {
    std::string key(1 + input.below(3), static_cast<char>('a' + input.below(4)));
    if (input.below(8) == 0) key = std::string(1, 'k').append(input.text(255));
    if (input.below(4) == 0) {
      const command::Once once{.scope = "t", .key = key, .fingerprint = input.below(2)};
      const command::Transaction transaction{.then = {{.kind = command::OperationKind::get, .key = "a"},
                                                      {.kind = command::OperationKind::remove, .key = key}}};
      command::append_once(entry, {}, once, transaction);
    } else if (input.below(4) == 0) {
      command::append_remove(entry, {}, key);
    } else {
      const Value value(Bytes(input.text(200)));
      command::append_put(entry, {}, key, value.stored(), static_cast<std::uint32_t>(input.below(3)));
    }
  }
  return entry;
}

void save_and_load(Input& input) {
  StateMachine machine({.hash_seed = 1});
  std::vector<store::Applied> applied;
  const std::size_t block_bytes = 1 + input.below(256);
  const std::string_view members = input.text(20);
  while (!input.empty()) {
    const auto done = machine.apply(machine.applied_index().next(), base::Term(1), next_entry(input), applied);
    CONCORD_CHECK(done.has_value(), "the entry is a good one");
  }
  const auto snapshot = machine.begin_snapshot(members);
  const Blocks blocks = blocks_of(*snapshot, block_bytes);
  const auto meta = store::decode_meta(store::encode_meta(snapshot->meta()));
  CONCORD_CHECK(meta.has_value(), "what was written is read");
  auto loaded = load(*meta, blocks);
  CONCORD_CHECK(loaded.has_value(), "what was written is loaded");
  check_loaded(*meta, blocks, std::move(*loaded));
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  if (input.flag()) {
    save_and_load(input);
  } else {
    load_bytes(input);
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds = arbitrary_inputs(10, "\x01");
  for (const std::string& decisions : arbitrary_inputs(10)) {
    Input input(decisions);
    StateMachine machine;
    std::vector<store::Applied> applied;
    while (!input.empty() && applied.size() < 20) {
      (void)machine.apply(machine.applied_index().next(), base::Term(1), next_entry(input), applied);
    }
    const auto snapshot = machine.begin_snapshot("members");
    const std::string meta = store::encode_meta(snapshot->meta());
    seeds.push_back(std::string(1, '\0') + static_cast<char>(meta.size()) + meta + '\1' +
                    joined(blocks_of(*snapshot, 4096)));
  }
  return seeds;
}

}  // namespace concord::fuzz
