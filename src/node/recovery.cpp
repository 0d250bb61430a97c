#include "node/recovery.hpp"

#include <utility>
#include <vector>

#include "log/snapshot_file.hpp"
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

Result<std::unique_ptr<store::LoadedState>> load_snapshot(env::FileSystem& files, const std::string& path) {
  auto reader = log::SnapshotReader::open(files, path);
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

/// The newest snapshot that is whole and not behind the log's beginning; none is fine when there is no snapshot at all.
Result<std::unique_ptr<store::LoadedState>> newest_snapshot(env::FileSystem& files, const std::string& directory,
                                                            Index log_first, const Say& say) {
  if (auto removed = log::remove_unfinished_snapshots(files, directory); !removed)
    return std::unexpected(std::move(removed.error()));
  const auto found = log::list_snapshots(files, directory);
  if (!found) return std::unexpected(found.error());
  std::optional<Error> first_problem;
  for (const log::SnapshotFileInfo& info : *found) {
    if (info.index.next() < log_first) break;  // the log behind it is gone
    auto loaded = load_snapshot(files, info.path);
    if (loaded) return loaded;
    if (!first_problem) first_problem = loaded.error();
    say(LogLevel::error, loaded.error().message() + "; trying the snapshot before it");
  }
  if (first_problem) return std::unexpected(*first_problem);
  return nullptr;
}

Result<std::unique_ptr<log::Log>> open_log(env::FileSystem& files, log::DataDirectory& directory,
                                           const log::LogOptions& options) {
  if (directory.identity().formed) {
    auto opened = log::Log::open(files, directory.log_path(), options);
    if (!opened && opened.error().code() == Errc::not_found)
      return fail(Errc::storage_failed, opened.error().message());
    return opened;
  }
  auto created = log::Log::create(files, directory.log_path(), options, formation_index.next(),
                                  HardState{.term = formation_term, .vote = NodeId(0), .commit = formation_index});
  if (!created) return created;
  if (auto marked = directory.mark_formed(files); !marked) return std::unexpected(std::move(marked.error()));
  return created;
}

}  // namespace

Result<Recovered> recover(env::FileSystem& files, const Options& options, const Drawn& drawn, std::uint64_t boot_id,
                          std::uint64_t segment_bytes, const Say& say) {
  Recovered recovered;
  auto directory = log::DataDirectory::open(
      files, options.data_dir.string(),
      {.cluster = base::ClusterId(drawn.cluster_id), .node = NodeId(drawn.node_id), .directory = drawn.directory_id});
  if (!directory) return std::unexpected(std::move(directory.error()));
  recovered.directory = std::make_unique<log::DataDirectory>(std::move(*directory));
  recovered.is_fresh = !recovered.directory->identity().formed;

  auto log = open_log(files, *recovered.directory,
                      {.segment_bytes = segment_bytes,
                       .buffered = options.durability == Durability::memory,
                       .salt = drawn.log_salt,
                       .boot_id = boot_id});
  if (!log) return std::unexpected(std::move(log.error()));
  recovered.log = std::move(*log);
  if (!recovered.log->cut_report().empty()) say(LogLevel::warn, recovered.log->cut_report());

  auto loaded = newest_snapshot(files, recovered.directory->snapshots_path(), recovered.log->first_index(), say);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  const NodeId id = recovered.directory->identity().node;
  replica::Config config;
  config.raft.id = id;
  config.raft.seed = drawn.election_seed;
  config.initial_members.voters = {id};
  recovered.replica = std::make_unique<replica::Replica>(
      config, std::make_unique<store::StateMachine>(store::Options{drawn.hash_seed}));
  store::StateMachine& state = recovered.replica->state();
  std::vector<store::Applied> applied;
  if (*loaded) {
    auto members = raft::decode_conf_state((*loaded)->meta.conf_state);
    if (!members) return fail(Errc::storage_failed, "the newest snapshot's members: " + members.error().message());
    recovered.replica->restore_members(std::move(*members));
    recovered.snapshot_index = (*loaded)->meta.index;
    state.install(std::move(*loaded));
  } else if (auto formed = state.apply(formation_index, formation_term, {}, applied); !formed) {
    return std::unexpected(std::move(formed.error()));
  }
  if (recovered.log->first_index() > state.applied_index().next() ||
      recovered.log->last_index() < state.applied_index()) {
    return fail(Errc::storage_failed, recovered.directory->log_path() + ": holds entries " +
                                          std::to_string(recovered.log->first_index().value()) + " to " +
                                          std::to_string(recovered.log->last_index().value()) +
                                          ", but the newest snapshot ends at " +
                                          std::to_string(state.applied_index().value()));
  }
  if (auto begun = recovered.replica->begin_replay(recovered.log->hard_state()); !begun)
    return std::unexpected(std::move(begun.error()));
  const auto replayed = recovered.log->replay(
      state.applied_index().next(), [&](const base::EntryView& entry) { return recovered.replica->replay(entry); });
  if (!replayed) return std::unexpected(replayed.error());
  if (auto started = recovered.replica->start(); !started) return std::unexpected(std::move(started.error()));
  return recovered;
}

}  // namespace concord::node
