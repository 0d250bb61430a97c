// The way of writes that are traced, as spans below that of the call which made them, on the node where it was made:
//
//   concord.raft.propose     from the call until whoever drives took it up
//   concord.log.sync         this node's log made it durable, in mode `disk`; on a leader, while followers write too
//   concord.raft.replicate   from the proposal until a quorum had it and its turn to be applied came
//   concord.raft.forward     instead of the last two at a member that does not lead: until it came back from the leader, committed
//   concord.state.apply      the state machine, with all that was applied in the same turn
//
// The leader of a forwarded write is told below which `concord.raft.forward` its part stands (peer_messages.hpp, traces), and makes the
// same spans there, propose from the moment when it was told.
//
// Nothing is kept, and no clock is read, while no traced write is under way. Spans that would tell only of failures (keep_errors)
// have no such parts. Thread rule: `begin` and `begin_forwarded` any thread; the rest with the drive lock held.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "node/peer_messages.hpp"
#include "node/write_queue.hpp"
#include "observe/trace_context.hpp"
#include "store/state_machine.hpp"

namespace concord::observe {
class Observer;
class Tracer;
}  // namespace concord::observe

namespace concord::node {

class TracedWrites final : public WriteFollower {
 public:
  /// `observer`: null, nobody watches.
  explicit TracedWrites(observe::Observer* observer);

  [[nodiscard]] bool is_on() const noexcept { return tracer_ != nullptr; }
  /// The write of this sequence is followed when the thread's current span is kept. Precondition: `is_on`.
  void begin(std::uint64_t sequence) noexcept override;
  /// Writes that `from` is about to forward here. Precondition: `is_on`.
  void begin_forwarded(base::NodeId from, const ForwardTraces& traces);

  // --- driver ----------------------------------------------------------------------------------------------------------

  [[nodiscard]] bool is_empty() const noexcept { return count_.load(std::memory_order_relaxed) == 0; }
  /// They were proposed here.
  void note_taken(const Batch& batch) {
    if (!is_empty()) [[unlikely]]
      take(own(batch.first_sequence()), batch.count());
  }
  void note_taken(base::NodeId from, const ForwardHead& head) {
    if (!is_empty()) [[unlikely]]
      take({.node = from, .incarnation = head.incarnation, .sequence = head.first_sequence}, head.count);
  }
  /// They go to the leader, which is to be told of those that are returned; without the incarnation.
  [[nodiscard]] ForwardTraces note_forwarded(const Batch& batch);
  void begin_sync() {
    if (!is_empty()) [[unlikely]]
      step_began_ns_ = now_ns();
  }
  void end_sync() {
    if (!is_empty()) [[unlikely]]
      note_synced();
  }
  void begin_apply() {
    if (!is_empty()) [[unlikely]]
      step_began_ns_ = now_ns();
  }
  /// Those of this node's own writes among them are told, and followed no longer.
  void end_apply(std::span<const store::Applied> applied, base::NodeId node, std::uint64_t incarnation) {
    if (!is_empty()) [[unlikely]]
      tell(applied, node, incarnation);
  }
  /// All writes before this one are answered, whatever became of them.
  void forget_before(std::uint64_t sequence);

 private:
  struct Traced {
    observe::TraceContext parent;
    std::uint64_t queued_ns = 0;
    std::uint64_t taken_ns = 0;  // 0: not yet
    std::uint64_t sync_began_ns = 0;
    std::uint64_t synced_ns = 0;
    std::uint64_t forward_span = 0;  // 0: it is proposed here
  };
  using Writes = std::map<base::RequestId, Traced>;

  /// This node's own writes come first, whatever its id.
  [[nodiscard]] static base::RequestId own(std::uint64_t sequence) noexcept {
    return {.node = {}, .incarnation = 0, .sequence = sequence};
  }
  [[nodiscard]] static std::uint64_t now_ns() noexcept;
  [[nodiscard]] bool has_room(std::uint64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void count_writes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { count_.store(writes_.size(), std::memory_order_relaxed); }
  void take(const base::RequestId& first, std::uint64_t count);
  void note_synced();
  void tell(std::span<const store::Applied> applied, base::NodeId node, std::uint64_t incarnation);
  void tell(const Traced& write, std::uint64_t applied_ns);
  void tell(const Traced& write, std::string_view name, std::uint64_t began_ns, std::uint64_t ended_ns,
            std::uint64_t span);

  observe::Tracer* const tracer_;    // null: nothing is traced
  std::uint64_t step_began_ns_ = 0;  // the driver's
  std::atomic<std::size_t> count_{0};
  base::Mutex mutex_;
  Writes writes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::node
