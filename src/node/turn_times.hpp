// What turns take and bring, told to whoever watches the node: syncs of the log, commits, the state machine, snapshots, leadership.
// Nothing is read or counted when nobody does.
//
// In mode `disk` every turn is measured, a sync being longer than many readings of a clock; else one in 16, unless somebody wants to
// be told of each command. What is counted is exact. Events are told later, by a thread of the telemetry's own: its handlers
// may call the node.
//
// Thread rule: with the drive lock held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <concord/options.hpp>

#include "base/ids.hpp"
#include "raft/raft_node.hpp"
#include "store/state_machine.hpp"

namespace concord::observe {
class Observer;
struct NodeMetrics;
}  // namespace concord::observe

namespace concord::node {

class TurnTimes {
 public:
  /// `observer`: null, nobody watches.
  TurnTimes(observe::Observer* observer, const Options& options);

  /// Measures until it goes.
  class Sync {
   public:
    explicit Sync(const TurnTimes& times) : times_(times), began_(times.ticks()) {}
    ~Sync() { times_.end_sync(began_); }
    Sync(const Sync&) = delete;
    Sync& operator=(const Sync&) = delete;

   private:
    const TurnTimes& times_;
    std::uint64_t began_;
  };
  [[nodiscard]] Sync measure_sync() const { return Sync(*this); }

  /// One proposal at a time is followed until it is applied.
  [[nodiscard]] bool follows_next() const noexcept { return metrics_ != nullptr && turn_ == 0 && !followed_; }
  /// Raft has taken a proposal, the entry `last`.
  void note_proposed(base::Index last) {
    if (follows_next()) followed_ = Followed{.index = last, .began = ticks()};
  }

  void begin_apply() {
    if (observer_ != nullptr && (turn_ == 0 || tells_applies())) apply_began_ = ticks();
  }
  void end_apply(std::span<const store::Applied> applied, base::Index applied_up_to) {
    if (observer_ != nullptr) note_applied(applied, applied_up_to);
  }

  void note_created(std::uint64_t size_bytes);
  void note_installed(std::uint64_t size_bytes);
  void note_snapshot_failure();
  /// The node has failed for good.
  void note_failure() {
    if (observer_ != nullptr) tell_state("failed");
  }
  /// After each turn.
  void note_role(raft::Role role) {
    if (observer_ != nullptr && role != role_) change_role(role);
  }

 private:
  struct Followed {
    base::Index index;
    std::uint64_t began = 0;
  };

  [[nodiscard]] std::uint64_t ticks() const;  // 0 when nobody watches
  [[nodiscard]] std::uint64_t since_ns(std::uint64_t began) const;
  [[nodiscard]] bool tells_applies() const;
  void end_sync(std::uint64_t began) const;
  void note_applied(std::span<const store::Applied> applied, base::Index applied_up_to);
  void tell_applied(std::span<const store::Applied> applied, base::Index applied_up_to, std::uint64_t each_ns);
  void change_role(raft::Role role);
  void tell_state(std::string_view status);

  observe::Observer* observer_;
  observe::NodeMetrics* metrics_;  // null: nothing is measured
  std::string node_;
  unsigned turns_a_measure_;
  unsigned turn_ = 0;  // 0: this one is measured
  std::uint64_t apply_began_ = 0;
  std::optional<Followed> followed_;
  raft::Role role_ = raft::Role::follower;
};

}  // namespace concord::node
