// The audit log of a node: takes entries from all threads, writes them on one of its own, and answers what is asked of it.
//
// Who begins an operation that is to be recorded takes a place first (`take_place`, `when_place`); who ends it records what came of it in
// that place, which never waits. So nothing is done that can't be recorded. When there is no place, the disk is slower than the calls, or
// fails: then they wait, or go on without a record (`AuditFull`).
//
//     auto place = log.wait_place(timeout);
//     if (!place) return std::unexpected(place.error());          // nothing was done
//     ... the operation ...
//     log.record(std::move(*place), {.operation = "put", .key = key, ...});
//
// Calls that are refused for their token need no place; of those so many are written a minute, the others are counted
// ("audit_suppressed"), so that strangers fill no disk and hold nobody up.
//
// The thread writes what has come every few milliseconds and has the disk sync it a little later. Until it is written, an entry is lost
// when the process is killed; until it is synced, when the power goes.
//
// Thread rule: any thread. What is asked (`query`, ...) takes as long as reading files does: not on a thread that others wait for; `ask`
// runs it on one of the log's own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <concord/audit_log.hpp>
#include <concord/options.hpp>

#include "audit/record.hpp"
#include "audit/search.hpp"
#include "audit/writer.hpp"
#include "base/mutex.hpp"
#include "env/clock.hpp"
#include "env/file_system.hpp"

namespace concord::audit {

/// Room for one entry, given back when it is not used.
class Room {
 public:
  Room() = default;
  explicit Room(std::atomic<std::int64_t>& taken) noexcept : taken_(&taken) {}
  Room(Room&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  Room& operator=(Room&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~Room();

  [[nodiscard]] explicit operator bool() const noexcept { return taken_ != nullptr; }
  void keep() noexcept { taken_ = nullptr; }

 private:
  std::atomic<std::int64_t>* taken_ = nullptr;
};

class Log {
 public:
  using Milliseconds = std::chrono::milliseconds;
  using Remark = std::function<void(LogLevel, std::string_view)>;

  /// Errors: invalid_request (an option), cluster_not_ready (another node has the directory open), and those of the files.
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(std::unique_ptr<env::FileSystem> files,
                                                         std::unique_ptr<env::Clock> clock,
                                                         const AuditLogOptions& options, std::string node,
                                                         Remark remark);
  /// Closes.
  ~Log();
  Log(Log&&) = delete;
  Log& operator=(Log&&) = delete;

  [[nodiscard]] bool logs_reads() const noexcept { return options_.log_reads; }

  // --- recording -------------------------------------------------------------------------------------------------------

  /// None: there is no room now.
  [[nodiscard]] Room take_room() noexcept;
  /// Waits for room. Errors: overloaded; storage_full, storage_failed: the log can't be written. Nothing is to be done then.
  [[nodiscard]] Result<Room> wait_room(Milliseconds timeout);
  /// The same without waiting: `done` is called on any thread, also inside the call, and must not hold it up.
  void when_room(Milliseconds timeout, std::move_only_function<void(Result<Room>)> done);
  /// The record's time is now unless it has one.
  void record(Room room, Record&& record);
  /// Of a call that was refused before it had room.
  void record_refusal(Record&& record);
  /// Whoever records had no memory for it.
  void count_lost() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }

  // --- asking ----------------------------------------------------------------------------------------------------------
  // All of it sees what was recorded before. Errors, everywhere: cluster_not_ready when the log is closing; those of the files.

  /// Lines, newest first. Errors: invalid_request.
  [[nodiscard]] Result<std::vector<std::string>> query(const AuditQuery& query);
  /// Lines, oldest first. `AuditQuery::limit` does not count.
  [[nodiscard]] Result<LineSearch> search(AuditQuery query);
  [[nodiscard]] Result<void> visit(const AuditQuery& query, const VisitLine& visit);
  [[nodiscard]] Result<void> rotate();
  [[nodiscard]] Result<std::uint64_t> cleanup();
  [[nodiscard]] Result<AuditStats> stats();
  [[nodiscard]] Result<AuditVerification> verify();

  /// Runs `task` on a thread of the log; when the log closes, all that was asked for has run.
  void ask(std::move_only_function<void()> task);

  /// Why nothing can be written; empty: it can.
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::uint64_t entries() const noexcept { return entries_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t queued_bytes() const noexcept;

  /// Writes what is still to be written, at most for two seconds, and syncs it. Records that come later are lost.
  void close();

 private:
  using Steady = std::chrono::steady_clock;

  struct Waiter {
    Steady::time_point limit;
    std::move_only_function<void(Result<Room>)> done;
  };

  Log(std::unique_ptr<env::FileSystem> files, std::unique_ptr<env::Clock> clock, const AuditLogOptions& options,
      Remark remark, std::unique_ptr<env::FileLock> lock, Writer writer);

  void write_until_over();
  void write_turns();
  /// Waits for something to do, and takes it.
  void await_work(std::string& batch, std::deque<std::move_only_function<void(Writer&)>>& tasks);
  [[nodiscard]] Result<void> write_batch(std::string& batch);
  [[nodiscard]] Result<void> sync_in_time();
  [[nodiscard]] Result<void> clean_in_time();
  void finish_turn(const Result<void>& done, bool is_written);
  void answer_waiters();
  void answer_until_over();
  /// The record has taken so much already (`Room`).
  void append_to_queue(const Record& record, std::int64_t room_bytes_taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void tell_of_suppressed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] Error no_room() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// Until everything recorded so far is written, or can't be.
  void settle();
  /// Runs it on the writing thread, when everything recorded so far is written.
  [[nodiscard]] Result<void> ask_writer(std::move_only_function<Result<void>(Writer&)> task);
  [[nodiscard]] audit::Place place() const noexcept {
    return {.files = *files_, .directory = directory_, .is_stopped = is_closing_};
  }

  const std::unique_ptr<env::FileSystem> files_;
  const std::unique_ptr<env::Clock> clock_;
  const AuditLogOptions options_;
  const std::string directory_;
  const Remark remark_;
  const std::unique_ptr<env::FileLock> lock_;

  std::atomic<std::int64_t> taken_bytes_{0};  ///< by places, and by what waits to be written
  std::atomic<std::uint64_t> entries_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<bool> is_closing_{false};

  mutable base::Mutex mutex_;
  base::CondVar changed_;  ///< for the writing thread
  base::CondVar written_;  ///< for those that wait for it
  std::string queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::move_only_function<void(Writer&)>> tasks_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t batches_taken_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t batches_written_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_hurried_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_over_ ABSL_GUARDED_BY(mutex_) = false;  ///< the writing thread is to end, or has
  std::string problem_ ABSL_GUARDED_BY(mutex_);
  Errc problem_code_ ABSL_GUARDED_BY(mutex_) = Errc::storage_failed;
  Steady::time_point refusals_since_ ABSL_GUARDED_BY(mutex_);
  std::uint32_t refusals_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t suppressed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t turns_ ABSL_GUARDED_BY(mutex_) = 0;  ///< that have ended, well or not

  // Of the writing thread alone.
  Writer writer_;
  std::uint64_t appended_entries_ = 0;  ///< of the batch, when they are with the writer
  Steady::time_point synced_at_;
  Steady::time_point cleaned_at_;

  base::Mutex asked_mutex_;
  base::CondVar asked_changed_;
  std::deque<std::move_only_function<void()>> asked_ ABSL_GUARDED_BY(asked_mutex_);
  bool is_asking_over_ ABSL_GUARDED_BY(asked_mutex_) = false;

  std::thread writing_;
  std::thread answering_;
};

}  // namespace concord::audit
