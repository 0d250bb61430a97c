// The runtime of one replica: who drives it, who answers, what goes on in the background.
//
// Driving. Whoever holds the drive lock runs the replica: takes queued writes, proposes, makes durable, applies, answers. A
// lone caller drives its own write and pays for no change of thread; when somebody drives already, writes queue up and go
// together in the next entry (group commit). The replica thread drives what is queued and has nobody else, ticks raft,
// proposes expiry, and calls all completions; so a completion never runs inside another caller's write. A caller that writes
// without pause would always find the lock free before a thread that waits for it has woken up: after a few writes it queues
// instead, and lets that thread pass.
//
// In a cluster (cluster_state.hpp) the thread that reads from peers drives too, after each run of messages. A node that is not
// the only voter keeps what it took from the queue until it is applied here (taken_batches.hpp), and reads wait for a read point
// of the leader (read_gate.hpp). A node without a place in a cluster has no replica yet: `formed_` says whether it has.
//
// Background thread: snapshots, the next log segment, syncs that nobody waits for (modes `os` and `memory`), deadlines.
//
// Failure (DESIGN 5): after any error of disk or engine the node is failed for good. It answers what waits with
// storage_failed (or internal), accepts no more writes and goes on serving reads of what it has applied.
//
// Thread rule: any thread, but `open` and the destructor.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
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
#include "base/mutex.hpp"
#include "env/clock.hpp"
#include "env/file_system.hpp"
#include "log/log.hpp"
#include "node/cluster_state.hpp"
#include "node/formation.hpp"
#include "node/host.hpp"
#include "node/read_gate.hpp"
#include "node/recovery.hpp"
#include "node/traced_writes.hpp"
#include "node/turn_times.hpp"
#include "node/write_queue.hpp"
#include "replica/cluster_clock.hpp"
#include "replica/replica.hpp"

namespace concord::node {

class Runtime {
 public:
  /// Recovers and starts. A node that is alone leads when this returns; a member of a cluster goes on by itself to find its
  /// place, the leader, and what it has missed. `segment_bytes` is that of new log segments: tests want small ones.
  [[nodiscard]] static Result<std::unique_ptr<Runtime>> open(
      Host host, Options options, std::uint64_t segment_bytes = log::LogOptions{}.segment_bytes);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // --- writes. Arguments were validated. -------------------------------------------------------------------------------
  [[nodiscard]] Answer write(const Write& write, std::chrono::milliseconds timeout);
  /// `done` is called on the replica thread; inside this call only when the write is refused at once.
  void write_async(const Write& write, std::chrono::milliseconds timeout, Completion<command::Outcome> done);

  // --- reads -----------------------------------------------------------------------------------------------------------
  /// Reads of this consistency are answered at once.
  [[nodiscard]] bool may_read_now(ReadConsistency consistency) const noexcept;
  /// Waits until the applied state may be read with this consistency; as a rule it may at once.
  /// Errors: cluster_not_ready, timeout.
  [[nodiscard]] Result<void> wait_readable(ReadConsistency consistency, std::chrono::milliseconds timeout);
  /// The same without waiting: `done` is called inside the call, or on whatever thread drives, which it must not hold up.
  void when_readable(ReadConsistency consistency, std::chrono::milliseconds timeout, ReadGate::Done done);
  [[nodiscard]] const store::StateMachine& state() const noexcept { return replica_->state(); }
  /// Cluster time now: what remaining times are counted from.
  [[nodiscard]] base::ClusterTimeMs now_ms() const noexcept;
  /// This host's wall clock, since 1970 UTC.
  [[nodiscard]] std::uint64_t wall_ms() const noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(clock_->wall_ms(), 0));
  }

  // --- state -----------------------------------------------------------------------------------------------------------
  [[nodiscard]] Status status() const;
  /// It belongs to a cluster, so there is a `state`.
  [[nodiscard]] bool has_place() const noexcept { return formed_.load(std::memory_order_acquire); }
  [[nodiscard]] base::Term term() const noexcept { return base::Term(term_.load(std::memory_order_relaxed)); }
  [[nodiscard]] bool is_serving() const noexcept { return serving_.load(std::memory_order_acquire); }
  /// Why writes are refused now; nothing when they are not.
  [[nodiscard]] std::optional<Error> refuses_writes() const;
  [[nodiscard]] std::optional<Error> failure() const;
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  /// Takes a snapshot soon.
  void request_snapshot();
  /// The data as they are applied here now, for a backup (entries and tokens); nothing without a place. It must not outlive this.
  [[nodiscard]] std::unique_ptr<store::Snapshot> pin_data();

  // --- cluster ---------------------------------------------------------------------------------------------------------
  [[nodiscard]] bool knows_leader() const noexcept {
    return serving_.load(std::memory_order_acquire) || leader_.load(std::memory_order_acquire) != 0;
  }
  /// Why the node can't serve as a member; nothing: it leads, or follows a leader and has caught up.
  [[nodiscard]] std::optional<std::string> not_ready() const;
  /// Changes the members, through the leader. Errors: condition_failed (the node is alone, the cluster would lose its quorum,
  /// ...); already_exists; not_found; cluster_not_ready; timeout.
  void change_members(MembershipChange change, std::chrono::milliseconds timeout,
                      std::move_only_function<void(Result<replica::Member>)> done);
  /// A leader gives its place to another voter, if there is one that answers.
  void hand_over(std::chrono::milliseconds limit);
  /// Where this node's HTTP API is; others are told.
  void announce_api(const std::string& url);
  /// host:port of the peer port; empty without one.
  [[nodiscard]] std::string peer_address() const;
  /// The cluster removed this node: it must stop.
  [[nodiscard]] bool is_removed() const noexcept { return removed_.load(std::memory_order_acquire); }

  /// Refuses new writes, finishes those in flight, at most `limit`; then stops. Further calls do nothing.
  void close(std::chrono::milliseconds limit);

  // --- of a node without threads of its own (Host::has_threads) -----------------------------------------------------------
  /// Does what the threads would do now.
  void step();
  /// There is something to do at once.
  [[nodiscard]] bool wants_step() const;
  /// By the node's clock, at the latest.
  [[nodiscard]] std::uint64_t next_step_ms() const noexcept { return next_step_ms_; }

 private:
  Runtime(Host host, Options options, const Drawn& drawn, std::uint64_t segment_bytes);

  static constexpr std::chrono::milliseconds background_interval{100};
  static constexpr std::uint64_t never_ms = ~std::uint64_t{0};
  /// Modes `os` and `memory` sync in the background after so much, too.
  static constexpr std::uint64_t appended_a_sync_bytes = 4U << 20U;

  /// What the replica thread knows after a pass of how long it may sleep.
  struct Idling {
    bool must_flush = false;
    std::uint64_t flush_at_ms = 0;
    std::uint64_t until_due_ms = never_ms;
    std::uint64_t next_tick_ms = 0;
  };
  struct PlaceSearch {
    Formation formation;
    std::string said = {};
    std::uint64_t said_at_ms = 0;
  };

  // driving (drive.cpp)
  void drive() noexcept ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> drive_turns() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> propose_queued() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> turn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<bool> apply_committed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void answer_applied() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void note_progress() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void note_applied() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void fail(const Error& error) noexcept ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> reserve(std::uint64_t data_bytes, std::size_t entry_count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void set_full(std::optional<Error> full) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> tick(std::uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void expire_what_is_due() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  /// Keys removed by one expire command. While more is due the next one follows at once, and writes pass between them.
  static constexpr std::uint64_t expire_limit = 500;
  void propose_due(std::uint64_t most_keys = expire_limit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] bool may_expire() const noexcept ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] bool is_expiring() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] bool is_unsure_of_time() const noexcept ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] command::EntryStamp stamp_now() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  /// Until the next key expires; 0: one is due.
  [[nodiscard]] std::uint64_t until_due_ms() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] replica::HostTime host_time() const noexcept ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);

  /// Holds the drive lock. For the node's own threads: callers who write one after the other let them pass.
  class ABSL_SCOPED_LOCKABLE Driving {
   public:
    explicit Driving(Runtime& runtime) ABSL_EXCLUSIVE_LOCK_FUNCTION(runtime.drive_mutex_);
    ~Driving() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
    Driving(const Driving&) = delete;
    Driving& operator=(const Driving&) = delete;

   private:
    base::Mutex& mutex_;
  };

  // driving in a cluster (drive_cluster.cpp)
  Result<void> begin_cluster_turn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take_inputs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(RaftMessage& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(SnapshotArrived& snapshot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  /// State and file of one that raft does not take.
  void discard(SnapshotArrived& snapshot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(SnapshotSent& sent) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(PeerLost& lost) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(PeerConnected& connected) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(ForwardedBatch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(ForwardAnswered& answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(ChangeWanted& wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> take(BeatHeard& heard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> pass_on_queued() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<bool> propose_taken(TakenBatches::Taken& taken, std::size_t& proposed_bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void forward_taken(TakenBatches::Taken& taken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> propose_forwarded(ForwardedBatch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] std::optional<Error> most_are_full() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void take_outcomes(const TakenBatches::Taken& taken, std::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> ask_read_points() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> install_snapshot(const raft::SnapshotView& snapshot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] bool is_in_vain(const raft::Message& message) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void send(std::span<const raft::Message> messages) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void after_cluster_turn(const replica::TurnResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void note_members() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void note_role(const raft::RaftStatus& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void note_offered(const log::SnapshotFileInfo& file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void refuse_inputs(const Error& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void refuse_waiting(const Error& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  static std::optional<Error> problem_of_commands(std::string_view entry, const ForwardedBatch& batch);
  void ask_leader(PendingChange& change, const raft::RaftStatus& status, std::uint64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] std::string name_of(base::NodeId node) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> tick_cluster(std::uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<void> campaign_if_due(std::uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void settle_time(const raft::RaftStatus& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void send_beat(std::uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void refuse_without_leader(std::uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  // changes of members (drive_members.cpp)
  Result<void> step_changes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] bool removes_self(const MembershipChange& change) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  Result<bool> step_change(PendingChange& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] bool knows_of(const MembershipChange& change) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] bool has_removed_self(const MembershipChange& change) const;
  void answer_change(PendingChange& change, Result<replica::Member> result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void note_self_updated(const Result<replica::Member>& updated);
  void wish_for_what_is_due() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] std::vector<raft::PeerProgress> living_progress() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] ClusterPicture picture(const std::vector<raft::PeerProgress>& progress) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);

  // place in a cluster (take_place.cpp)
  Result<void> take_place(const Place& place);
  Result<void> open_peers(const log::Identity& identity);
  Result<void> prepare_discovery(const log::Identity& identity);
  void forget_promise() const;
  /// One attempt of a node that has none. When to make the next; none: it has its place, knows whom to answer, and would find nobody.
  std::optional<std::chrono::milliseconds> look_for_place(PlaceSearch& search);
  void look_for_moved(PlaceSearch& search);
  void begin_search();
  void say_no_place(PlaceSearch& search, const Error& error);
  void post(Input input);
  /// Drives if nobody does; else who does, or the replica thread, will.
  void drive_or_wake();

  // threads (threads.cpp, background.cpp)
  Result<void> start();
  void start_clock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  void start_threads();
  void run();
  /// No exception leaves a thread of the node, which would end its host: what throws fails the node.
  void guarded(void (Runtime::*work)());
  void pass();
  void fall_silent();
  void flush_when_due(std::uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] std::uint64_t idle_until_ms() const;
  void wake();
  void call_completions();
  [[nodiscard]] bool has_inputs() const noexcept;
  [[nodiscard]] bool has_ended() const noexcept { return stopped_.load() || failed_.load(); }
  [[nodiscard]] bool has_lease() const noexcept;
  void extend_lease(std::uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  [[nodiscard]] std::optional<Error> refuses_reads(ReadConsistency consistency) const;
  [[nodiscard]] Error no_place() const;
  [[nodiscard]] std::uint64_t deadline_of(std::chrono::milliseconds timeout) const;
  void add_members(Status& status) const;
  Result<void> push_inline(const Write& write, InlineWaiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_);
  /// Drives what is queued, if nobody does.
  void drive_if_free();
  void run_background();
  void look_in_background();
  [[nodiscard]] bool wants_snapshot() const;
  void give_up(std::uint64_t now_ms);
  /// What the log needs from time to time, also while a snapshot is written.
  void look_after_log();
  void request_sync();
  [[nodiscard]] bool sync_if_requested();
  void take_snapshot();
  Result<void> write_snapshot();
  [[nodiscard]] bool rest_between_blocks();
  void save_with_snapshot(base::Index index, base::Term term, store::HistoryImage history);
  void forget_old_histories();
  Result<void> offer(const log::SnapshotFileInfo& file, const replica::Membership& members);
  /// For the metrics; 0 when nobody measures.
  [[nodiscard]] std::uint64_t measured_size(const std::string& path) const;
  void say(LogLevel level, const std::string& line) const;

  Host host_;
  std::unique_ptr<env::FileSystem> files_;
  std::unique_ptr<env::Clock> clock_;
  const Options options_;
  const Drawn drawn_;
  const std::uint64_t segment_bytes_;
  std::unique_ptr<log::DataDirectory> directory_;
  std::unique_ptr<log::Log> log_;  // log_ and replica_ are set once, before formed_
  std::unique_ptr<replica::Replica> replica_;
  std::unique_ptr<ClusterState> cluster_;  // null: the node is alone for good
  TracedWrites traced_;
  WriteQueue queue_;
  ReadGate reads_;
  const std::chrono::steady_clock::time_point opened_at_ = std::chrono::steady_clock::now();

  // Who drives next.
  base::Mutex drive_mutex_;
  std::atomic<std::uint32_t> waiting_to_drive_{0};  // the node's own threads
  std::atomic<std::uint32_t> passed_by_{0};         // callers that drove while one waited

  // The driver's.
  Batch batch_ ABSL_GUARDED_BY(drive_mutex_);
  bool has_batch_ ABSL_GUARDED_BY(drive_mutex_) = false;  // it was taken when it was made, and is proposed next
  std::vector<store::Applied> applied_ ABSL_GUARDED_BY(drive_mutex_);
  TurnTimes times_ ABSL_GUARDED_BY(drive_mutex_);
  replica::ClusterClock cluster_clock_ ABSL_GUARDED_BY(drive_mutex_);
  base::HardState hard_state_ ABSL_GUARDED_BY(drive_mutex_);
  base::Index snapshot_wanted_at_ ABSL_GUARDED_BY(drive_mutex_);           // next snapshot by entries
  std::uint64_t snapshot_wanted_bytes_ ABSL_GUARDED_BY(drive_mutex_) = 0;  // next snapshot by appended bytes
  std::uint64_t sync_wanted_bytes_ ABSL_GUARDED_BY(drive_mutex_) = appended_a_sync_bytes;
  std::uint64_t next_tick_ms_ ABSL_GUARDED_BY(drive_mutex_) = 0;
  std::uint64_t expire_sequence_ ABSL_GUARDED_BY(drive_mutex_) = 0;  // of the last expire command; 0: none yet
  std::uint64_t full_for_bytes_ ABSL_GUARDED_BY(drive_mutex_) = 0;   // what there was no room for
  std::size_t full_for_entries_ ABSL_GUARDED_BY(drive_mutex_) = 0;
  std::vector<log::SnapshotFileInfo> offered_snapshots_ ABSL_GUARDED_BY(drive_mutex_);  // to followers; the newest last

  // Seen by everybody: first what reads look at and what seldom changes, so that a read does not wait for the line that each write writes.
  alignas(64) std::atomic<bool> formed_{false};
  std::atomic<bool> removed_{false};
  std::atomic<bool> stopped_{false};  // nobody drives any more
  std::atomic<std::uint64_t> leader_{0};
  std::atomic<std::uint64_t> campaign_at_ms_{0};  // 0: not planned
  std::atomic<std::uint64_t> lease_until_ms_{0};  // of a leader among others
  std::atomic<bool> serving_{false};
  std::atomic<bool> sole_voter_{false};
  std::atomic<bool> failed_{false};
  std::atomic<bool> full_{false};
  std::atomic<bool> has_applied_{false};  // something: applied_index_ is not 0
  alignas(64) std::atomic<std::uint64_t> term_{0};
  std::atomic<std::uint64_t> commit_{0};
  std::atomic<std::uint64_t> applied_index_{0};
  std::atomic<std::uint8_t> role_{0};
  std::atomic<std::uint64_t> log_bytes_{0};
  std::atomic<std::uint64_t> snapshot_index_{0};
  std::atomic<std::int64_t> cluster_minus_monotonic_ms_{0};
  mutable base::Mutex error_mutex_;
  std::optional<Error> failure_ ABSL_GUARDED_BY(error_mutex_);
  std::optional<Error> full_error_ ABSL_GUARDED_BY(error_mutex_);
  std::string api_url_ ABSL_GUARDED_BY(error_mutex_);

  // Threads.
  mutable base::Mutex wake_mutex_;
  base::CondVar wake_condition_;
  bool wake_requested_ ABSL_GUARDED_BY(wake_mutex_) = false;
  Idling idling_;           // the replica thread's
  bool is_silent_ = false;  // the same
  bool stopping_ ABSL_GUARDED_BY(wake_mutex_) = false;
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> flush_is_planned_{
      false};  // mode `memory`: the replica thread knows that there is something to write
  mutable base::Mutex background_mutex_;
  base::CondVar background_condition_;
  bool snapshot_requested_ ABSL_GUARDED_BY(background_mutex_) = false;
  bool sync_requested_ ABSL_GUARDED_BY(background_mutex_) = false;
  bool completions_wait_ = false;  // the background thread's, as the next: at its last look
  std::uint64_t background_looks_ = 0;
  std::uint64_t next_look_after_log_ms_ = 0;
  bool background_stopping_ ABSL_GUARDED_BY(background_mutex_) = false;
  mutable base::Mutex place_mutex_;
  base::CondVar place_condition_;
  bool place_stopping_ ABSL_GUARDED_BY(place_mutex_) = false;
  std::string place_problem_ ABSL_GUARDED_BY(place_mutex_);  // why there is no place yet
  std::unique_ptr<PlaceSearch> search_;                      // the place thread's
  std::once_flag closed_;
  std::uint64_t next_step_ms_ = 0;  // the three are of a node that is stepped
  std::uint64_t next_look_ms_ = 0;
  std::uint64_t next_search_ms_ = never_ms;
  std::thread place_thread_;
  std::thread replica_thread_;
  std::thread background_thread_;
};

}  // namespace concord::node
