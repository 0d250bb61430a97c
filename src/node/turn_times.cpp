#include "node/turn_times.hpp"

#include <utility>

#include "observe/observer.hpp"

namespace concord::node {

using observe::event_of;
using observe::NodeEvent;

namespace {

std::string_view name_of(command::CommandKind kind) {
  switch (kind) {
    case command::CommandKind::put: return "put";
    case command::CommandKind::remove: return "delete";
    case command::CommandKind::touch: return "touch";
    case command::CommandKind::expire: return "expire";
    case command::CommandKind::restore_begin:
    case command::CommandKind::restore_chunk:
    case command::CommandKind::restore_commit:
    case command::CommandKind::restore_abort: return "restore";
    default: return "txn";
  }
}

std::string_view name_of(raft::Role role) {
  switch (role) {
    case raft::Role::leader: return "leader";
    case raft::Role::follower: return "follower";
    default: return "candidate";
  }
}

std::int64_t measurement(std::uint64_t value) { return static_cast<std::int64_t>(value); }

}  // namespace

TurnTimes::TurnTimes(observe::Observer* observer, const Options& options)
    : observer_(observer),
      metrics_(observer == nullptr || observer->metrics() == nullptr ? nullptr : &observer->metrics()->node),
      node_(options.name),
      turns_a_measure_(options.durability == Durability::disk ? 1 : 16) {}

std::uint64_t TurnTimes::ticks() const { return observer_ == nullptr ? 0 : observer_->clock().now(); }

std::uint64_t TurnTimes::since_ns(std::uint64_t began) const {
  return observer_->clock().duration_ns(began, observer_->clock().now());
}

bool TurnTimes::tells_applies() const { return observer_->telemetry().wants(event_of(NodeEvent::apply)); }

void TurnTimes::end_sync(std::uint64_t began) const {
  if (metrics_ != nullptr) metrics_->fsync.record(since_ns(began));
}

void TurnTimes::note_applied(std::span<const store::Applied> applied, base::Index applied_up_to) {
  if (!applied.empty()) {
    const bool is_told = tells_applies();
    const bool is_measured = turn_ == 0 || is_told;
    const std::uint64_t each_ns = is_measured ? since_ns(apply_began_) / applied.size() : 0;
    if (is_told) tell_applied(applied, applied_up_to, each_ns);
    if (metrics_ != nullptr) {
      metrics_->applied_commands.fetch_add(applied.size(), std::memory_order_relaxed);
      if (is_measured) metrics_->apply.record(each_ns);
    }
    turn_ = (turn_ + 1) % turns_a_measure_;
  }
  if (followed_ && applied_up_to >= followed_->index) {
    metrics_->commit.record(since_ns(followed_->began));
    followed_.reset();
  }
}

void TurnTimes::tell_applied(std::span<const store::Applied> applied, base::Index applied_up_to,
                             std::uint64_t each_ns) {
  for (const store::Applied& command : applied) {
    observer_->telemetry().post({.event = event_of(NodeEvent::apply),
                                 .measurements = {{"duration", measurement(each_ns)}},
                                 .metadata = {{"operation", std::string(name_of(command.kind))},
                                              {"index", std::to_string(applied_up_to.value())}}});
  }
}

void TurnTimes::note_created(std::uint64_t size_bytes) {
  if (metrics_ != nullptr) {
    metrics_->snapshots_created.fetch_add(1, std::memory_order_relaxed);
    metrics_->snapshot_created_bytes.store(size_bytes, std::memory_order_relaxed);
  }
  if (observer_ == nullptr || !observer_->telemetry().wants(event_of(NodeEvent::snapshot_created))) return;
  observer_->telemetry().post({.event = event_of(NodeEvent::snapshot_created),
                               .measurements = {{"size", measurement(size_bytes)}},
                               .metadata = {{"node", node_}}});
}

void TurnTimes::note_installed(std::uint64_t size_bytes) {
  followed_.reset();  // its entry is gone
  if (metrics_ != nullptr) {
    metrics_->snapshots_installed.fetch_add(1, std::memory_order_relaxed);
    metrics_->snapshot_installed_bytes.store(size_bytes, std::memory_order_relaxed);
  }
  if (observer_ == nullptr || !observer_->telemetry().wants(event_of(NodeEvent::snapshot_installed))) return;
  observer_->telemetry().post({.event = event_of(NodeEvent::snapshot_installed),
                               .measurements = {{"size", measurement(size_bytes)}},
                               .metadata = {{"node", node_}}});
}

void TurnTimes::note_snapshot_failure() {
  if (metrics_ != nullptr) metrics_->snapshot_failures.fetch_add(1, std::memory_order_relaxed);
}

/// What was proposed under another role may never be applied.
void TurnTimes::change_role(raft::Role role) {
  const raft::Role before = std::exchange(role_, role);
  followed_.reset();
  const bool is_about_leading = before == raft::Role::leader || role == raft::Role::leader;
  if (metrics_ != nullptr && is_about_leading) metrics_->role_changes.fetch_add(1, std::memory_order_relaxed);
  tell_state(name_of(role));
}

void TurnTimes::tell_state(std::string_view status) {
  if (!observer_->telemetry().wants(event_of(NodeEvent::state_change))) return;
  observer_->telemetry().post({.event = event_of(NodeEvent::state_change),
                               .measurements = {},
                               .metadata = {{"status", std::string(status)}, {"node", node_}}});
}

}  // namespace concord::node
