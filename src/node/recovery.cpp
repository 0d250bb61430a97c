#include "node/recovery.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/crc32c.hpp"
#include "log/received_snapshot.hpp"
#include "log/snapshot_file.hpp"
#include "node/history_file.hpp"
#include "store/snapshot.hpp"

namespace concord::node {

using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;

namespace {

// A cluster begins as if from a snapshot of nothing at this place (raft/raft_node.hpp).
constexpr Index formation_index{1};
constexpr Term formation_term{1};

struct Newest {
  std::unique_ptr<store::LoadedState> state;  // null: there is no snapshot
  log::SnapshotFileInfo file;
};

/// The newest snapshot that is whole and not behind the log's beginning; none is fine when there is no snapshot at all.
Result<Newest> newest_snapshot(env::FileSystem& files, const std::string& directory, Index log_first, const Say& say) {
  if (auto removed = log::remove_unfinished_snapshots(files, directory); !removed)
    return std::unexpected(std::move(removed.error()));
  const auto found = log::list_snapshots(files, directory);
  if (!found) return std::unexpected(found.error());
  std::optional<Error> first_problem;
  for (const log::SnapshotFileInfo& info : *found) {
    if (info.index.next() < log_first) break;  // the log behind it is gone
    auto loaded = load_snapshot(files, info.path);
    if (loaded) return Newest{.state = std::move(*loaded), .file = info};
    if (!first_problem) first_problem = loaded.error();
    say(LogLevel::error, loaded.error().message() + "; trying the snapshot before it");
  }
  if (first_problem) return std::unexpected(*first_problem);
  return Newest();
}

/// A cluster that begins with more than this node begins with a snapshot that says with whom.
Result<void> write_first_snapshot(env::FileSystem& files, const std::string& directory,
                                  const replica::Membership& founders) {
  store::StateMachine empty;
  std::vector<store::Applied> applied;
  if (auto formed = empty.apply(formation_index, formation_term, {}, applied); !formed) return formed;
  const store::SnapshotMeta meta = empty.begin_snapshot(replica::encode_membership(founders))->meta();
  auto writer = log::SnapshotWriter::create(files, directory, meta.index, meta.term, store::encode_meta(meta));
  if (!writer) return std::unexpected(std::move(writer.error()));
  auto finished = (*writer)->finish();
  if (!finished) return std::unexpected(std::move(finished.error()));
  return {};
}

/// The first log of a node: behind the snapshot its cluster begins with, or from the beginning when the leader sends all.
Result<std::unique_ptr<log::Log>> form(env::FileSystem& files, log::DataDirectory& directory,
                                       const log::LogOptions& options, const Place& place) {
  if (auto adopted = directory.adopt(files, place.cluster, place.node); !adopted)
    return std::unexpected(std::move(adopted.error()));
  // What an earlier attempt left, which was of another place perhaps.
  if (auto removed = log::remove_old_snapshots(files, directory.snapshots_path(), 0); !removed)
    return std::unexpected(std::move(removed.error()));
  HardState hard_state;
  Index first(1);
  if (place.founders) {
    const bool are_known = !place.founders->members.empty();  // a node that is alone for good needs no name
    auto written =
        are_known ? write_first_snapshot(files, directory.snapshots_path(), *place.founders) : Result<void>();
    if (!written) return std::unexpected(std::move(written.error()));
    hard_state = {.term = formation_term, .vote = NodeId(0), .commit = formation_index};
    first = formation_index.next();
  }
  auto created = log::Log::create(files, directory.log_path(), options, first, hard_state);
  if (!created) return created;
  if (auto marked = directory.mark_formed(files); !marked) return std::unexpected(std::move(marked.error()));
  return created;
}

Result<std::unique_ptr<log::Log>> open_log(env::FileSystem& files, log::DataDirectory& directory,
                                           const log::LogOptions& options, const Place& place) {
  if (!directory.identity().formed) return form(files, directory, options, place);
  auto opened = log::Log::open(files, directory.log_path(), options);
  if (!opened && opened.error().code() == Errc::not_found) return fail(Errc::storage_failed, opened.error().message());
  return opened;
}

replica::Config config_of(const Options& options, const Drawn& drawn, NodeId id) {
  replica::Config config;
  config.raft.id = id;
  config.raft.seed = drawn.election_seed;
  config.raft.election_ticks = static_cast<std::uint32_t>(
      std::max<std::int64_t>(2, options.election_timeout.count() / options.heartbeat.count()));
  return config;
}

/// The state as of the newest snapshot, or as of the log's beginning.
Result<void> load_state(env::FileSystem& files, const log::DataDirectory& directory, const Say& say,
                        Recovered& recovered) {
  if (auto settled = log::settle_received(files, directory.snapshots_path(), recovered.log->first_index()); !settled)
    return settled;
  auto newest = newest_snapshot(files, directory.snapshots_path(), recovered.log->first_index(), say);
  if (!newest) return std::unexpected(std::move(newest.error()));
  replica::Replica& replica = *recovered.replica;
  if (newest->state) {
    auto members = replica::decode_membership(newest->state->meta.conf_state);
    if (!members) return fail(Errc::storage_failed, "the newest snapshot's members: " + members.error().message());
    recovered.newest_snapshot = newest->file;
    recovered.snapshot_members = *members;
    replica.restore_members(std::move(*members));
    replica.state().install(std::move(newest->state));
    return {};
  }
  if (recovered.log->first_index() == Index(1)) return {};  // it waits for its leader's snapshot
  // A cluster of one, of a version that wrote no snapshot to begin with.
  replica::Membership alone;
  alone.conf.voters = {directory.identity().node};
  replica.restore_members(std::move(alone));
  std::vector<store::Applied> applied;
  return replica.state().apply(formation_index, formation_term, {}, applied);
}

/// The history as it was saved with the snapshot that was loaded. Without it nothing but older events is lost.
void follow(env::FileSystem& files, const log::DataDirectory& directory, Recovered& recovered, const Say& say,
            store::History& history) {
  store::StateMachine& state = recovered.replica->state();
  const log::SnapshotFileInfo& snapshot = recovered.newest_snapshot;
  const auto loaded =
      load_history(files, directory.history_path(), snapshot.index, snapshot.term, state.revision(), history);
  if (!loaded) say(LogLevel::warn, loaded.error().message() + "; there are no events from before this snapshot");
  state.set_listener(&history);
}

}  // namespace

Result<std::unique_ptr<store::LoadedState>> load_snapshot(env::FileSystem& files, const std::string& path) {
  auto reader = log::open_snapshot(files, path);
  if (!reader) return std::unexpected(std::move(reader.error()));
  auto meta = store::decode_meta((*reader)->meta());
  if (!meta) return fail(meta.error().code(), path + ": " + meta.error().message());
  store::SnapshotLoader loader(std::move(*meta));
  std::string block;
  for (;;) {
    const auto more = (*reader)->next(block);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    if (auto added = loader.add_block(block); !added)
      return fail(added.error().code(), path + ": " + added.error().message());
  }
  auto loaded = loader.finish();
  if (!loaded) return fail(loaded.error().code(), path + ": " + loaded.error().message());
  return loaded;
}

std::uint64_t boot_id(env::FileSystem& files) {
  auto file = files.open("/proc/sys/kernel/random/boot_id", env::OpenMode::read);
  char text[64] = {};
  const std::size_t size = file ? (*file)->read_at(0, text, sizeof text).value_or(0) : 0;
  return base::crc32c({text, size});
}

Result<Recovered> load(env::FileSystem& files, const Options& options, const Drawn& drawn,
                       log::DataDirectory& directory, const Place& place, std::uint64_t boot_id,
                       std::uint64_t segment_bytes, const Say& say) {
  Recovered recovered;
  auto log = open_log(files, directory,
                      {.segment_bytes = segment_bytes,
                       .buffered = options.durability == Durability::memory,
                       .salt = drawn.log_salt,
                       .boot_id = boot_id},
                      place);
  if (!log) return std::unexpected(std::move(log.error()));
  recovered.log = std::move(*log);
  if (!recovered.log->cut_report().empty()) say(LogLevel::warn, recovered.log->cut_report());

  recovered.replica =
      std::make_unique<replica::Replica>(config_of(options, drawn, directory.identity().node),
                                         std::make_unique<store::StateMachine>(store::Options{drawn.hash_seed}));
  if (auto loaded = load_state(files, directory, say, recovered); !loaded)
    return std::unexpected(std::move(loaded.error()));
  const store::StateMachine& state = recovered.replica->state();
  if (recovered.log->first_index() > state.applied_index().next() ||
      recovered.log->last_index() < state.applied_index()) {
    return fail(Errc::storage_failed,
                directory.log_path() + ": holds entries " + std::to_string(recovered.log->first_index().value()) +
                    " to " + std::to_string(recovered.log->last_index().value()) +
                    ", but the newest snapshot ends at " + std::to_string(state.applied_index().value()));
  }
  return recovered;
}

Result<void> replay(Recovered& recovered, const log::Log::Visitor& seen) {
  replica::Replica& replica = *recovered.replica;
  if (auto begun = replica.begin_replay(recovered.log->hard_state()); !begun) return begun;
  const auto replayed = recovered.log->replay(replica.applied_index().next(), [&](const base::EntryView& entry) {
    if (seen) {
      if (auto looked = seen(entry); !looked) return looked;
    }
    return replica.replay(entry);
  });
  if (!replayed) return replayed;
  if (auto started = replica.start(); !started) return started;
  if (recovered.newest_snapshot.index.is_zero()) return {};
  const log::SnapshotFileInfo& file = recovered.newest_snapshot;
  return replica.offer_snapshot(file.index, file.term, recovered.snapshot_members);
}

Result<Recovered> recover(env::FileSystem& files, const Options& options, const Drawn& drawn,
                          log::DataDirectory& directory, const Place& place, std::uint64_t boot_id,
                          std::uint64_t segment_bytes, const Say& say, store::History* history) {
  auto recovered = load(files, options, drawn, directory, place, boot_id, segment_bytes, say);
  if (!recovered) return recovered;
  if (history != nullptr) follow(files, directory, *recovered, say, *history);
  if (auto replayed = replay(*recovered); !replayed) return std::unexpected(std::move(replayed.error()));
  return recovered;
}

}  // namespace concord::node
