// The runtime of one replica: who drives it, who answers, what goes on in the background.
//
// Driving. Whoever holds the drive lock runs the replica: takes queued writes, proposes, makes durable, applies, answers. A
// lone caller drives its own write and pays for no change of thread; when somebody drives already, writes queue up and go
// together in the next entry (group commit). The replica thread drives what is queued and has nobody else, ticks raft,
// proposes expiry, and calls all completions; so a completion never runs inside another caller's write. A caller that writes
// without pause would always find the lock free before a thread that waits for it has woken up: after a few writes it queues
// instead, and lets that thread pass.
//
// Background thread: snapshots, the next log segment, syncs that nobody waits for (modes `os` and `memory`), deadlines.
//
// Failure (DESIGN 5): after any error of disk or engine the node is failed for good. It answers what waits with
// storage_failed (or internal), accepts no more writes and goes on serving reads of what it has applied.
//
// Thread rule: any thread, but `open` and the destructor.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <concord/error.hpp>
#include <concord/options.hpp>
#include <concord/status.hpp>
#include <concord/store.hpp>

#include "base/log_entry.hpp"
#include "env/clock.hpp"
#include "env/file_system.hpp"
#include "log/log.hpp"
#include "node/recovery.hpp"
#include "node/write_queue.hpp"
#include "replica/cluster_clock.hpp"
#include "replica/replica.hpp"

namespace concord::node {

class Runtime {
 public:
  /// Recovers and starts; the node leads when this returns. `segment_bytes` is that of new log segments: tests want small ones.
  [[nodiscard]] static Result<std::unique_ptr<Runtime>> open(
      std::unique_ptr<env::FileSystem> files, std::unique_ptr<env::Clock> clock, Options options,
      std::uint64_t segment_bytes = log::LogOptions{}.segment_bytes);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // --- writes. Arguments were validated. -------------------------------------------------------------------------------
  [[nodiscard]] Answer write(const Write& write, std::chrono::milliseconds timeout);
  /// `done` is called on the replica thread; inside this call only when the write is refused at once.
  void write_async(const Write& write, std::chrono::milliseconds timeout, Completion<command::Outcome> done);

  // --- reads -----------------------------------------------------------------------------------------------------------
  /// May the applied state be read with this consistency? Errors: cluster_not_ready.
  [[nodiscard]] Result<void> check_readable(ReadConsistency consistency) const;
  [[nodiscard]] const store::StateMachine& state() const noexcept { return replica_->state(); }
  /// Cluster time now: what remaining times are counted from.
  [[nodiscard]] base::ClusterTimeMs now_ms() const noexcept;

  // --- state -----------------------------------------------------------------------------------------------------------
  [[nodiscard]] Status status() const;
  [[nodiscard]] bool is_serving() const noexcept { return serving_.load(std::memory_order_acquire); }
  /// Why writes are refused now; nothing when they are not.
  [[nodiscard]] std::optional<Error> refuses_writes() const;
  [[nodiscard]] std::optional<Error> failure() const;
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  /// Takes a snapshot soon.
  void request_snapshot();

  /// Refuses new writes, finishes those in flight, at most `limit`; then stops. Further calls do nothing.
  void close(std::chrono::milliseconds limit);

 private:
  Runtime(std::unique_ptr<env::FileSystem> files, std::unique_ptr<env::Clock> clock, Options options,
          Recovered recovered);

  static constexpr std::uint64_t never_ms = ~std::uint64_t{0};

  // driving (drive.cpp); with drive_mutex_ held
  void drive() noexcept;
  Result<void> drive_turns();
  Result<void> propose_queued();
  Result<void> turn();
  void after_turn();
  void fail(const Error& error) noexcept;
  void set_full(std::optional<Error> full);
  Result<void> tick(std::uint64_t now_ms);
  void propose_due();
  [[nodiscard]] bool may_expire() const noexcept;
  /// Until the next key expires; 0: one is due.
  [[nodiscard]] std::uint64_t until_due_ms() const;
  [[nodiscard]] replica::HostTime host_time() const noexcept;

  /// Holds the drive lock. For the node's own threads: callers who write one after the other let them pass.
  class Driving {
   public:
    explicit Driving(Runtime& runtime);

   private:
    std::unique_lock<std::mutex> lock_;
  };

  // threads (runtime.cpp, background.cpp)
  Result<void> start();
  void start_clock();
  void run();
  void wake();
  void call_completions();
  /// Drives what is queued, if nobody does.
  void drive_if_free();
  void run_background();
  void take_snapshot();
  Result<void> write_snapshot();
  void say(LogLevel level, const std::string& line) const;

  std::unique_ptr<env::FileSystem> files_;
  std::unique_ptr<env::Clock> clock_;
  const Options options_;
  std::unique_ptr<log::DataDirectory> directory_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<replica::Replica> replica_;
  WriteQueue queue_;
  const std::chrono::steady_clock::time_point opened_at_ = std::chrono::steady_clock::now();

  // Who drives next.
  std::mutex drive_mutex_;
  std::atomic<std::uint32_t> waiting_to_drive_{0};  // the node's own threads
  std::atomic<std::uint32_t> passed_by_{0};         // callers that drove while one waited

  // The driver's; guarded by drive_mutex_.
  Batch batch_;
  std::vector<store::Applied> applied_;
  replica::ClusterClock cluster_clock_;
  base::HardState hard_state_;
  base::Index snapshot_wanted_at_;           // next snapshot by entries
  std::uint64_t snapshot_wanted_bytes_ = 0;  // next snapshot by appended bytes
  std::uint64_t next_tick_ms_ = 0;

  // Seen by everybody.
  std::atomic<bool> serving_{false};
  std::atomic<bool> sole_voter_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> full_{false};
  std::atomic<std::uint64_t> term_{0};
  std::atomic<std::uint64_t> commit_{0};
  std::atomic<std::uint64_t> applied_index_{0};
  std::atomic<std::uint8_t> role_{0};
  std::atomic<std::uint64_t> log_bytes_{0};
  std::atomic<std::uint64_t> snapshot_index_{0};
  std::atomic<std::int64_t> cluster_minus_monotonic_ms_{0};
  mutable std::mutex error_mutex_;
  std::optional<Error> failure_;     // guarded by error_mutex_
  std::optional<Error> full_error_;  // guarded by error_mutex_

  // Threads.
  std::mutex wake_mutex_;
  std::condition_variable wake_condition_;
  bool wake_requested_ = false;  // guarded by wake_mutex_
  bool stopping_ = false;        // guarded by wake_mutex_
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> flush_is_planned_{
      false};  // mode `memory`: the replica thread knows that there is something to write
  std::mutex background_mutex_;
  std::condition_variable background_condition_;
  bool snapshot_requested_ = false;   // guarded by background_mutex_
  bool background_stopping_ = false;  // guarded by background_mutex_
  std::once_flag closed_;
  std::thread replica_thread_;
  std::thread background_thread_;
};

}  // namespace concord::node
