// The way of writes that are traced, as spans below that of the call which made them, on the node where it was made:
//
//   concord.raft.propose     from the call until whoever drives took it up
//   concord.log.sync         this node's log made it durable, in mode `disk`; on a leader, while followers write too
//   concord.raft.replicate   from the proposal until a quorum had it and its turn to be applied came
//   concord.raft.forward     instead of the last two at a member that does not lead: until it came back from the leader, committed
//   concord.state.apply      the state machine, with all that was applied in the same turn
//
// Nothing is kept, and no clock is read, while no traced write is under way. Spans that would tell only of failures (keep_errors)
// have no such parts. Thread rule: `begin` any thread; the rest with the drive lock held.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>

#include "base/ids.hpp"
#include "base/mutex.hpp"
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

  // --- driver ----------------------------------------------------------------------------------------------------------

  [[nodiscard]] bool is_empty() const noexcept { return count_.load(std::memory_order_relaxed) == 0; }
  enum class Way : std::uint8_t { proposed, forwarded };
  void note_taken(const Batch& batch, Way way) {
    if (!is_empty()) [[unlikely]]
      take(batch, way);
  }
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
    observe::TraceContext call;
    std::uint64_t queued_ns = 0;
    std::uint64_t taken_ns = 0;  // 0: not yet
    std::uint64_t sync_began_ns = 0;
    std::uint64_t synced_ns = 0;
    Way way = Way::proposed;
  };

  [[nodiscard]] static std::uint64_t now_ns() noexcept;
  void take(const Batch& batch, Way way);
  void note_synced();
  void tell(std::span<const store::Applied> applied, base::NodeId node, std::uint64_t incarnation);
  void tell(const Traced& write, std::uint64_t applied_ns);
  void tell(const Traced& write, std::string_view name, std::uint64_t began_ns, std::uint64_t ended_ns);

  observe::Tracer* const tracer_;    // null: nothing is traced
  std::uint64_t step_began_ns_ = 0;  // the driver's
  std::atomic<std::size_t> count_{0};
  base::Mutex mutex_;
  std::map<std::uint64_t, Traced> writes_ ABSL_GUARDED_BY(mutex_);  // by sequence
};

}  // namespace concord::node
