#include "node/survivor.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "base/log_entry.hpp"
#include "base/mutant.hpp"
#include "env/overlay_file_system.hpp"
#include "log/snapshot_file.hpp"
#include "store/snapshot.hpp"

namespace concord::node {

using base::EntryType;
using base::EntryView;
using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;

/// An entry of the log's end, with its bytes.
struct KeptEntry {
  Index index;
  Term term;
  EntryType type = EntryType::normal;
  std::string data = {};
};

namespace {

constexpr std::size_t block_bytes = 256U << 10U;

/// Of whom nothing is known but the directory: the ids of a node are never drawn for reading.
Drawn drawn_for_reading() { return {.cluster_id = 1, .node_id = 1, .directory = 1, .election_seed = 1, .log_salt = 1}; }

bool names_nobody(const SurvivorReport& report) {
  return report.members.conf.voters.empty() && report.members.conf.learners.empty();
}

}  // namespace

bool SurvivorReport::is_alone() const {
  const raft::ConfState& conf = members.conf;
  return conf.voters.size() == 1 && conf.voters.front() == identity.node && conf.voters_outgoing.empty() &&
         changed_later.empty();
}

bool is_behind(const SurvivorReport& one, const SurvivorReport& other) {
  return std::tie(one.all.term, one.all.index) < std::tie(other.all.term, other.all.index);
}

Survivor::Survivor(env::FileSystem& files, std::string path)
    : files_(files), overlay_(std::make_unique<env::OverlayFileSystem>(files)) {
  report_.path = std::move(path);
}

Survivor::~Survivor() = default;

Result<std::unique_ptr<Survivor>> Survivor::open(env::FileSystem& files, std::string path) {
  // Before anything is locked: a lock makes its file, also where it does not belong.
  if (const auto identity = files.open(path + "/identity", env::OpenMode::read); !identity) {
    if (identity.error().code() != Errc::not_found) return std::unexpected(identity.error());
    return fail(Errc::invalid_request,
                path + ": not the data directory of a Concord node (it has no file \"identity\")");
  }
  std::unique_ptr<Survivor> survivor(new Survivor(files, std::move(path)));
  if (auto looked = survivor->look(); !looked) return std::unexpected(std::move(looked.error()));
  return survivor;
}

Result<void> Survivor::look() {
  const Drawn drawn = drawn_for_reading();
  auto directory = log::DataDirectory::open(*overlay_, report_.path, {.directory = drawn.directory});
  if (!directory) return std::unexpected(std::move(directory.error()));
  directory_ = std::make_unique<log::DataDirectory>(std::move(*directory));
  report_.identity = directory_->identity();
  const auto refuse = [&](const std::string& why) { return fail(Errc::invalid_request, report_.path + ": " + why); };
  if (!report_.identity.formed) return refuse("the node never was part of a cluster; start it with an empty directory");

  auto loaded = load(*overlay_, Options(), drawn, *directory_, {}, boot_id(files_), log::LogOptions().segment_bytes,
                     [this](LogLevel, const std::string& line) { report_.remarks.push_back(line); });
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  recovered_ = std::move(*loaded);
  const HardState hard_state = recovered_.log->hard_state();
  const Index commit = std::max(hard_state.commit, recovered_.replica->applied_index());
  std::vector<KeptEntry> rest;
  const auto replayed = replay(recovered_, [&](const EntryView& entry) -> Result<void> {
    if (entry.index > commit) rest.push_back({entry.index, entry.term, entry.type, std::string(entry.data)});
    return {};
  });
  if (!replayed) return replayed;
  // What is committed beyond the part that is applied at once passes through raft. Nothing is persisted or sent: it is forgotten.
  replica::Replica& replica = *recovered_.replica;
  std::vector<store::Applied> applied;
  while (replica.has_work()) {
    if (auto begun = replica.begin_turn(); !begun) return std::unexpected(std::move(begun.error()));
    if (auto done = replica.finish_turn(applied); !done) return std::unexpected(std::move(done.error()));
    applied.clear();
  }
  CONCORD_CHECK(replica.applied_index() == commit, "what is committed is applied");
  report_.term = hard_state.term;
  report_.members = replica.members();
  report_.committed = state();
  if (names_nobody(report_) || commit.is_zero()) return refuse("the node never got the data of its cluster");
  if (const replica::Member* const self = report_.members.find(report_.identity.node)) report_.self = *self;
  report_.self.id = report_.identity.node;
  report_.self.directory = report_.identity.directory;
  return apply_rest(rest);
}

/// Nobody knows whether these were committed; from here on they are. Changes of members among them change nobody's vote any more.
Result<void> Survivor::apply_rest(const std::vector<KeptEntry>& rest) {
  store::StateMachine& machine = recovered_.replica->state();
  std::vector<store::Applied> applied;
  for (const KeptEntry& entry : rest) {
    const bool is_change = entry.type != EntryType::normal;
    if (is_change) {
      const auto change =
          raft::decode_conf_change({.index = entry.index, .term = entry.term, .type = entry.type, .data = entry.data});
      if (!change) return std::unexpected(change.error());
      if (change->node != report_.identity.node) report_.changed_later.push_back(change->node);
    }
    const std::string_view data = is_change ? std::string_view() : std::string_view(entry.data);
    if (auto done = machine.apply(entry.index, entry.term, data, applied); !done) return done;
    applied.clear();
  }
  report_.all = state();
  return {};
}

StateAt Survivor::state() const {
  const store::StateMachine& machine = recovered_.replica->state();
  return {.index = machine.applied_index(),
          .term = machine.applied_term(),
          .revision = machine.revision(),
          .keys = machine.size(),
          .digest = machine.digest()};
}

/// This node; the others are told that they were removed, should they ever get so far as to ask.
replica::Membership Survivor::alone() const {
  const NodeId self = report_.identity.node;
  if (CONCORD_MUTANT("a-recovered-node-keeps-its-old-members")) return report_.members;
  replica::Membership after;
  after.conf.voters = {self};
  after.members = {report_.self};
  after.removed = report_.members.removed;
  const raft::ConfState& conf = report_.members.conf;
  for (const auto* ids :
       {&conf.voters, &conf.learners, &conf.voters_outgoing, &conf.learners_next, &report_.changed_later}) {
    for (const NodeId id : *ids) {
      if (id != self && !after.was_removed(id)) after.removed.push_back(id);
    }
  }
  std::erase(after.removed, self);
  if (after.removed.size() > replica::remembered_removed) {
    after.removed.erase(after.removed.begin(), after.removed.end() - replica::remembered_removed);
  }
  return after;
}

Result<void> Survivor::write_snapshot(const std::string& directory) {
  const auto snapshot = recovered_.replica->state().begin_snapshot(replica::encode_membership(alone()));
  store::SnapshotMeta meta = snapshot->meta();
  if (!CONCORD_MUTANT("revisions-go-back-after-a-recovery")) {
    meta.revision = Revision(meta.revision.value() + revision_gap);
  }
  auto writer = log::SnapshotWriter::create(files_, directory, meta.index, meta.term, store::encode_meta(meta));
  if (!writer) return std::unexpected(std::move(writer.error()));
  for (std::string block; snapshot->next_block(block, block_bytes);) {
    if (auto added = (*writer)->add_block(block); !added) return added;
  }
  auto finished = (*writer)->finish();
  if (!finished) return std::unexpected(std::move(finished.error()));
  return {};
}

Result<void> Survivor::go_on_alone(const Drawn& drawn, std::uint64_t segment_bytes) {
  CONCORD_CHECK(!report_.is_alone(), "who has a quorum goes on without this");
  CONCORD_CHECK(directory_->identity() == report_.identity, "it happens once");
  auto places = directory_->prepare_recovery(files_);
  if (!places) return std::unexpected(std::move(places.error()));
  if (auto written = write_snapshot(places->snapshots); !written) return written;
  const std::uint64_t free_bytes = files_.free_bytes(report_.path).value_or(segment_bytes);
  if (free_bytes < segment_bytes) {
    return fail(Errc::storage_full, report_.path + ": the new log needs " + std::to_string(segment_bytes) + " bytes, " +
                                        std::to_string(free_bytes) + " are free");
  }
  const HardState hard_state{
      .term = std::max(report_.term, report_.all.term).next(), .vote = NodeId(), .commit = report_.all.index};
  auto log = log::Log::create(files_, places->log,
                              {.segment_bytes = segment_bytes, .salt = drawn.log_salt, .boot_id = boot_id(files_)},
                              report_.all.index.next(), hard_state);
  if (!log) return std::unexpected(std::move(log.error()));
  return directory_->recover(files_, base::ClusterId(drawn.cluster_id));
}

}  // namespace concord::node
