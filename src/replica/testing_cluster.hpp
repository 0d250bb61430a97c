// For tests: replicas in one thread, each with a disk that survives it, and a network that loses, doubles and reorders.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/check.hpp"
#include "base/random.hpp"
#include "raft/test_peer.hpp"
#include "replica/cluster_clock.hpp"
#include "replica/replica.hpp"
#include "store/snapshot.hpp"

namespace concord::replica {

using base::Index;
using base::NodeId;
using base::Term;
using raft::Envelope;
using raft::OwnedEntry;

/// What must succeed; else the test ends here.
template <class T>
T must(Result<T>&& result) {
  if (!result) throw std::runtime_error(result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct SavedSnapshot {
  std::string meta;
  std::vector<std::string> blocks;

  [[nodiscard]] store::SnapshotMeta decoded() const { return must(store::decode_meta(meta)); }
};

/// What a crash leaves.
struct Disk {
  base::HardState hard_state{Term(1), NodeId(), Index(1)};
  std::vector<OwnedEntry> log;  // from `first` on
  Index first{2};
  std::optional<SavedSnapshot> snapshot;

  [[nodiscard]] Index last() const { return Index(first.value() + log.size() - 1); }
  [[nodiscard]] const OwnedEntry* at(Index index) const {
    return index < first || index > last() ? nullptr : &log[index.value() - first.value()];
  }
  void persist(const PersistRequest& request) {
    for (const base::EntryView& entry : request.entries) {
      CONCORD_CHECK(entry.index >= first && entry.index <= last().next(), "the log has no gaps");
      log.erase(log.begin() + static_cast<std::ptrdiff_t>(entry.index.value() - first.value()), log.end());
      log.emplace_back(entry);
    }
    if (request.hard_state) hard_state = *request.hard_state;
  }
};

/// What is true of all replicas together: one log, and the state that it makes.
class Truth {
 public:
  struct At {
    OwnedEntry entry;
    std::uint64_t digest = 0;
    std::uint64_t revision = 0;
  };

  Truth() { must(state_.apply(Index(1), Term(1), {}, applied_)); }

  /// A replica has applied its log's entries up to `applied`.
  void observe(const Disk& disk, Index applied) {
    ASSERT_LE(applied, disk.last()) << "applied and not persisted";
    for (Index index = disk.first; index <= applied; index = index.next()) {
      const OwnedEntry& entry = *disk.at(index);
      if (index == state_.applied_index().next()) append(entry);
      ASSERT_EQ(at(index).entry, entry) << "another entry was committed as " << index.value();
    }
  }
  void check(const store::StateMachine& state) const {
    if (state.applied_index() <= Index(1)) return;
    ASSERT_LE(state.applied_index(), state_.applied_index());
    ASSERT_EQ(state.digest(), at(state.applied_index()).digest) << "at " << state.applied_index().value();
    ASSERT_EQ(state.revision().value(), at(state.applied_index()).revision) << "at " << state.applied_index().value();
  }
  /// The revision and place of a request, when it was committed.
  [[nodiscard]] const std::map<base::RequestId, std::uint64_t>& revisions() const { return revisions_; }
  [[nodiscard]] const store::StateMachine& state() const { return state_; }

 private:
  [[nodiscard]] const At& at(Index index) const { return log_.at(index.value() - 2); }

  void append(const OwnedEntry& entry) {
    applied_.clear();
    const std::uint64_t before = state_.revision().value();
    const base::ClusterTimeMs time_before_ms = state_.cluster_time_ms();
    must(state_.apply(entry.index, entry.term, entry.data, applied_));
    for (const store::Applied& one : applied_) {
      EXPECT_TRUE(revisions_.emplace(one.request, one.outcome.revision.value()).second)
          << "a request was applied twice";
    }
    EXPECT_GE(state_.revision().value(), before);
    EXPECT_GE(state_.cluster_time_ms(), time_before_ms);
    log_.push_back({entry, state_.digest(), state_.revision().value()});
  }

  store::StateMachine state_{store::Options{.hash_seed = 1}};
  std::vector<store::Applied> applied_;
  std::vector<At> log_;  // from index 2 on
  std::map<base::RequestId, std::uint64_t> revisions_;
};

enum class Restart { from_log, from_snapshot };
enum class CrashPoint { none, before_persist, after_persist };

class Peer {
 public:
  Peer(NodeId id, std::vector<NodeId> voters, std::uint64_t seed, Truth& truth)
      : id_(id), voters_(std::move(voters)), seed_(seed), truth_(truth) {
    start(Restart::from_log);
  }

  /// Everything but the disk is new; the seed of the hash too, which must not matter.
  void start(Restart how) {
    ++incarnation_;
    sequence_ = 0;
    Config config;
    config.raft.id = id_;
    config.raft.seed = seed_;
    config.initial_members.conf.voters = voters_;
    replica_ = std::make_unique<Replica>(
        config, std::make_unique<store::StateMachine>(store::Options{.hash_seed = seed_ * 1000 + incarnation_}));
    const bool log_is_whole = disk_.first == Index(2);
    if (disk_.snapshot && (how == Restart::from_snapshot || !log_is_whole)) {
      load(*disk_.snapshot);
    } else {
      std::vector<store::Applied> ignored;
      must(replica_->state().apply(Index(1), Term(1), {}, ignored));
    }
    CONCORD_CHECK(disk_.first <= replica_->applied_index().next(), "the log goes on from the snapshot");
    must(replica_->begin_replay(disk_.hard_state));
    const Index from = replica_->applied_index();
    for (const OwnedEntry& entry : disk_.log) {
      if (entry.index > from) must(replica_->replay(entry.view()));
    }
    must(replica_->start());
    look();
  }

  /// `applied` is what was acknowledged by this node: the outcomes of its own requests.
  void turn(std::vector<Envelope>& network, CrashPoint crash, std::vector<store::Applied>& applied) {
    const PersistRequest persist = must(replica_->begin_turn());
    const bool is_all = persist.snapshot || must(replica_->apply_committed(applied));
    keep_own(applied);
    look();  // nothing is applied before it is durable
    if (is_all) post(network, persist.messages);
    if (crash == CrashPoint::before_persist) return;
    disk_.persist(persist);
    if (crash == CrashPoint::after_persist) return;
    const TurnResult result = must(replica_->finish_turn(applied));
    if (!is_all) post(network, persist.messages);
    post(network, result.persisted_messages);
    post(network, result.messages);
    keep_own(applied);
    look();
  }

  void save_snapshot() {
    const auto snapshot = replica_->state().begin_snapshot(encode_membership(replica_->members()));
    SavedSnapshot saved{.meta = store::encode_meta(snapshot->meta()), .blocks = {}};
    for (std::string block; snapshot->next_block(block, 256);) saved.blocks.push_back(block);
    disk_.snapshot = std::move(saved);
  }

  /// What a follower that lags too far gets, the rules of raft's InstallSnapshot; it starts from that. False: it has more.
  bool receive_snapshot(const Disk& donor) {
    if (!donor.snapshot) return false;
    const store::SnapshotMeta meta = donor.snapshot->decoded();
    if (meta.index <= std::max(disk_.hard_state.commit, replica_->applied_index())) return false;
    const OwnedEntry* mine = disk_.at(meta.index);
    if (mine == nullptr || mine->term != meta.term) {
      disk_.log.clear();
      disk_.first = meta.index.next();
    }
    disk_.snapshot = donor.snapshot;
    disk_.hard_state.commit = meta.index;
    if (disk_.hard_state.term < meta.term) disk_.hard_state = {meta.term, NodeId(), meta.index};
    start(Restart::from_snapshot);
    return true;
  }

  [[nodiscard]] base::RequestId next_request() { return {id_, incarnation_, ++sequence_}; }
  [[nodiscard]] Replica& replica() { return *replica_; }
  [[nodiscard]] Disk& disk() { return disk_; }
  [[nodiscard]] NodeId id() const { return id_; }
  [[nodiscard]] ClusterClock& clock() { return clock_; }

 private:
  void load(const SavedSnapshot& saved) {
    store::SnapshotMeta meta = saved.decoded();
    replica_->restore_members(must(decode_membership(meta.conf_state)));
    store::SnapshotLoader loader(std::move(meta));
    for (const std::string& block : saved.blocks) must(loader.add_block(block));
    replica_->state().install(must(loader.finish()));
  }

  void keep_own(std::vector<store::Applied>& applied) const {
    std::erase_if(applied, [&](const store::Applied& one) {
      return one.request.node != id_ || one.request.incarnation != incarnation_;
    });
  }
  void post(std::vector<Envelope>& network, std::span<const raft::Message> messages) {
    for (const raft::Message& message : messages) {
      EXPECT_LE(raft::announced_commit(message.bytes).value_or(Index()), replica_->applied_index())
          << "a leader tells of no commit that it has not applied";
      network.push_back({id_, message.to, message.is_snapshot, std::string(message.bytes)});
    }
  }
  void look() {
    truth_.observe(disk_, replica_->applied_index());
    truth_.check(replica_->state());
  }

  NodeId id_;
  std::vector<NodeId> voters_;
  std::uint64_t seed_;
  Truth& truth_;
  Disk disk_;
  std::unique_ptr<Replica> replica_;
  ClusterClock clock_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace concord::replica
