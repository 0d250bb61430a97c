// Writes on their way: encoded by their callers into the batch that will be the next log entry, and the waiters of all that
// were accepted and not yet answered.
//
// A batch is the bytes of one entry (command/entry.hpp) with room in front for the stamp, which only the driver knows. So a
// write costs its caller one copy into the batch, and the driver none. Writes that arrive while a batch is being made
// durable form the next one: that is group commit.
//
// Answers are matched by request id, never by order (reliability: an answer for somebody else's write is worse than none).
// Limits: `overloaded` above Limits::max_in_flight writes or max_in_flight_bytes; nothing was done then.
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "command/entry.hpp"
#include "node/waiter.hpp"
#include "store/state_machine.hpp"

namespace concord::node {

/// One write is one entry of the log and one message to each follower, behind which heartbeats wait: it has the largest value, or a block
/// of a backup with that in it, and is far below what raft and the transport carry.
inline constexpr std::size_t most_value_bytes = std::size_t{64} << 20U;
inline constexpr std::size_t most_write_bytes = most_value_bytes + (std::size_t{1} << 20U);

/// What a caller wants written; views, copied by `push`.
struct Write {
  command::CommandKind kind = command::CommandKind::put;
  std::string_view key = {};    ///< put, remove, touch
  std::string_view value = {};  ///< put: stored form
  std::uint32_t ttl_s = 0;      ///< put, touch
  const command::Transaction* transaction = nullptr;
  const command::Once* once = nullptr;            ///< kind once, beside `transaction`
  const command::TokenRecord* token = nullptr;    ///< token_create, token_revoke
  const command::RestoreStep* restore = nullptr;  ///< restore_*
  const command::AccessStep* access = nullptr;    ///< access_set, access_remove
  command::TokenId as_token = {};                 ///< in whose name; 0: nobody's
};

class Batch {
 public:
  /// The entry's bytes under `stamp`; valid until the batch changes.
  [[nodiscard]] std::string_view stamped(const command::EntryStamp& stamp);
  /// The commands alone.
  [[nodiscard]] std::string_view commands() const noexcept;
  [[nodiscard]] std::uint64_t first_sequence() const noexcept { return first_sequence_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_.size(); }
  /// When the last of its writers stops waiting.
  [[nodiscard]] std::uint64_t deadline_ms() const noexcept { return deadline_ms_; }

 private:
  friend class WriteQueue;
  std::string bytes_;  // room for the stamp, then commands
  std::uint64_t first_sequence_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t deadline_ms_ = 0;
};

/// Who wants to know which sequence a write got.
class WriteFollower {
 public:
  virtual ~WriteFollower() = default;
  /// On the thread of the call, before anybody can take the write.
  virtual void begin(std::uint64_t sequence) noexcept = 0;
};

class WriteQueue {
 public:
  explicit WriteQueue(const Limits& limits, WriteFollower* follower = nullptr) : limits_(limits), follower_(follower) {}
  /// Whose requests these are. Once, before the first `push`.
  void set_identity(base::NodeId node, std::uint64_t incarnation);

  // --- callers ---------------------------------------------------------------------------------------------------------

  /// Encodes and registers. `waiter` is answered later, unless this fails: overloaded, or the error given to `close`.
  [[nodiscard]] Result<void> push(const Write& write, Waiter& waiter, std::uint64_t deadline_ms);
  /// The same for the driver, as long as nobody else's writes are queued: `batch` is this write's alone then, and taken. False: it is
  /// queued behind the others.
  [[nodiscard]] Result<bool> push_taken(const Write& write, Waiter& waiter, Batch& batch);
  /// The same with a callback, which `take_completions` will give out; `deadline_ms` is that of the node's clock.
  [[nodiscard]] Result<void> push(const Write& write, Completion<command::Outcome>& done, std::uint64_t deadline_ms);
  /// The node's own write: nobody waits.
  /// Its sequence; 0: it was not taken.
  std::uint64_t push_expire(base::ClusterTimeMs due_ms, std::uint64_t limit, std::uint64_t deadline_ms);
  [[nodiscard]] bool is_empty() const noexcept { return queued_.load(std::memory_order_seq_cst) == 0; }

  // --- driver ----------------------------------------------------------------------------------------------------------

  /// The oldest batch, swapped into `batch`; false when there is none.
  [[nodiscard]] bool take(Batch& batch);
  /// A batch that is no longer needed: its memory is used again.
  void give_back(Batch&& batch);
  /// All writes before this one are answered.
  [[nodiscard]] std::uint64_t first_pending() const;
  /// This one is. Those of a batch are answered together.
  [[nodiscard]] bool is_settled(std::uint64_t sequence) const;
  /// What was taken and is not answered: `error` says that its outcome is unknown.
  void fail_taken(const Error& error);
  void answer(std::vector<store::Applied>& applied);
  /// None of the batch was or will be done.
  void refuse(const Batch& batch, const Error& error);
  /// All that wait: with `taken` when their batch was taken, else with `queued`. Further pushes fail with `queued`.
  void fail_all(const Error& taken, const Error& queued);
  /// From here on pushes fail with `error`; what was accepted goes on.
  void close(const Error& error);
  /// Answers callbacks whose deadline has passed with `timeout`.
  void give_up(std::uint64_t now_ms);

  [[nodiscard]] bool take_completions(std::vector<CompletionCall>& calls);
  [[nodiscard]] bool has_completions() const noexcept { return completion_count_.load(std::memory_order_seq_cst) != 0; }
  /// Nothing waits any more.
  [[nodiscard]] bool is_idle() const;

 private:
  struct Pending {
    Waiter* waiter = nullptr;
    std::unique_ptr<Completion<command::Outcome>> done;
    std::uint64_t deadline_ms = ~std::uint64_t{0};
    std::uint64_t size_bytes = 0;
    bool is_waiting = true;
  };

  [[nodiscard]] std::optional<Error> refusal_of(std::size_t size_bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Result<Pending*> encode(const Write& write, std::uint64_t deadline_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// Null: there is no memory for it.
  Pending* encode_into(Batch& batch, const Write& write, std::uint64_t deadline_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Batch& open_batch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void begin_batch(Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void settle(Pending& pending, Answer&& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void drop_settled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void keep_spare(Batch&& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  WriteFollower* const follower_;  // null: nobody

  mutable base::Mutex mutex_;
  base::NodeId node_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t incarnation_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Batch> batches_ ABSL_GUARDED_BY(mutex_);    // oldest first; the last one is being filled
  std::vector<Batch> spare_ ABSL_GUARDED_BY(mutex_);     // with their memory
  std::deque<Pending> pending_ ABSL_GUARDED_BY(mutex_);  // position i is sequence pending_first_ + i
  std::uint64_t pending_first_ ABSL_GUARDED_BY(mutex_) = 1;
  std::uint64_t taken_up_to_ ABSL_GUARDED_BY(mutex_) = 0;  // sequences up to it are in batches that were taken
  std::uint64_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t in_flight_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<Error> closed_ ABSL_GUARDED_BY(mutex_);
  std::vector<CompletionCall> completions_ ABSL_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> queued_{0};  // batches
  std::atomic<std::uint64_t> completion_count_{0};
};

}  // namespace concord::node
