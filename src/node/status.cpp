// What a runtime says about itself.
#include <concord/status.hpp>

#include <concord/version.hpp>

#include "base/mutant.hpp"
#include "node/runtime.hpp"

namespace concord::node {

using base::NodeId;

namespace {

/// A member that its leader has not heard of for so many election timeouts is not healthy.
constexpr std::int64_t silent_timeouts = 2;

}  // namespace

Status Runtime::status() const {
  Status status;
  status.node = options_.name;
  status.version = concord::version;
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - opened_at_);
  ClusterStatus& cluster = status.cluster;
  cluster.id = directory_->identity().cluster.value();
  cluster.name = options_.cluster.name;
  const bool has_failed = failed_.load(std::memory_order_acquire);
  const auto role = static_cast<raft::Role>(role_.load(std::memory_order_relaxed));
  cluster.state = has_failed                     ? NodeState::failed
                  : role == raft::Role::leader   ? NodeState::leader
                  : role == raft::Role::follower ? NodeState::follower
                                                 : NodeState::candidate;
  if (role == raft::Role::leader && !has_failed) cluster.leader = options_.name;
  cluster.term = term_.load(std::memory_order_relaxed);
  cluster.commit_index = commit_.load(std::memory_order_relaxed);
  cluster.applied_index = applied_index_.load(std::memory_order_relaxed);
  add_members(status);
  StorageStatus& storage = status.storage;
  if (formed_.load(std::memory_order_acquire)) {
    storage.size = state().size();
    storage.memory_bytes = state().memory_bytes();
    storage.revision = state().revision();
  }
  storage.snapshot_index = snapshot_index_.load(std::memory_order_relaxed);
  storage.log_bytes = log_bytes_.load(std::memory_order_relaxed);
  storage.data_dir_free_bytes = files_->free_bytes(directory_->path()).value_or(0);
  if (const auto refusal = refuses_writes()) {
    storage.writable = false;
    storage.reason = refusal->message();
  }
  return status;
}

void Runtime::add_members(Status& status) const {
  ClusterStatus& cluster = status.cluster;
  const NodeId self = directory_->identity().node;
  const bool is_healthy = !failed_.load(std::memory_order_acquire);
  if (!cluster_) {
    const base::MutexLock lock(error_mutex_);
    cluster.members.push_back({.name = options_.name,
                               .id = self.value(),
                               .peer = {},
                               .api = api_url_,
                               .voter = true,
                               .healthy = is_healthy,
                               .match_index = cluster.commit_index});
    return;
  }
  std::map<NodeId, PeerHealth> health;
  cluster_->ask_peers([&](const Peers& peers) { health = peers.health(); });
  const auto longest_silence_ms = static_cast<std::uint64_t>(silent_timeouts * options_.election_timeout.count());
  const ClusterState& shared = *cluster_;
  const base::MutexLock lock(shared.mutex);
  const replica::Membership& members = shared.members;
  if (const auto* leader = members.find(NodeId(leader_.load(std::memory_order_acquire)))) cluster.leader = leader->name;
  if (members.is_learner(self) && cluster.state == NodeState::follower) cluster.state = NodeState::learner;
  for (const replica::Member& member : members.members) {
    const auto state = shared.seen_states.find(member.id);
    const auto peer = health.find(member.id);
    MemberStatus shown{.name = member.name,
                       .id = member.id.value(),
                       .peer = member.peer,
                       .api = member.api,
                       .voter = members.is_voter(member.id),
                       .healthy = is_healthy,
                       .match_index = state == shared.seen_states.end() ? 0 : state->second.match.value()};
    if (member.id == self) {
      shown.match_index = std::max(shown.match_index, cluster.applied_index);
    } else {
      shown.healthy = peer != health.end() && peer->second.connected && peer->second.silent_ms <= longest_silence_ms;
      if (peer != health.end()) shown.silent = std::chrono::milliseconds(peer->second.silent_ms);
      if (peer != health.end() && peer->second.snapshot) {
        shown.snapshot_sent_bytes = peer->second.snapshot->sent_bytes;
        shown.snapshot_bytes = peer->second.snapshot->size_bytes;
      }
    }
    cluster.members.push_back(std::move(shown));
  }
}

std::optional<std::string> Runtime::not_ready() const {
  if (!formed_.load(std::memory_order_acquire)) return no_place().message();
  if (removed_.load(std::memory_order_acquire)) return "this node was removed from its cluster";
  if (cluster_) {
    // Before that a directory that was wiped could not be told from this one.
    const base::MutexLock lock(cluster_->mutex);
    const replica::Member* const self = cluster_->members.find(directory_->identity().node);
    const bool is_written_down = self != nullptr && self->directory == directory_->identity().directory;
    if (!is_written_down && leader_.load(std::memory_order_acquire) != 0)
      return "the cluster has not taken note of this node yet";
    if (!cluster_->self_refused.empty()) {
      return "the cluster does not know this node as it is now: " + cluster_->self_refused;
    }
  }
  if (serving_.load(std::memory_order_acquire)) return std::nullopt;
  if (leader_.load(std::memory_order_acquire) == 0) return "no leader is known";
  // A heartbeat says no more than what this node has; the leader's beat says how far it is itself.
  std::uint64_t commit = commit_.load(std::memory_order_relaxed);
  if (cluster_ && !CONCORD_MUTANT("ready-before-the-leader-has-said-how-far-it-is")) {
    const base::MutexLock lock(cluster_->mutex);
    const NodeId leader(leader_.load(std::memory_order_acquire));
    const auto state = cluster_->seen_states.find(leader);
    if (cluster_->seen_leader != leader || cluster_->seen_term != term() || state == cluster_->seen_states.end()) {
      return "the leader has not said yet how far it is";
    }
    commit = std::max(commit, state->second.match.value());
  }
  const std::uint64_t applied = applied_index_.load(std::memory_order_relaxed);
  if (applied == 0 || applied + caught_up_entries < commit) {
    return "the log is applied up to " + std::to_string(applied) + " of " + std::to_string(commit);
  }
  if (static_cast<raft::Role>(role_.load(std::memory_order_relaxed)) == raft::Role::leader) {
    return "this node leads and has not applied its log yet";
  }
  return std::nullopt;
}

}  // namespace concord::node
