// The background thread: work that no write waits for.
#include <chrono>
#include <new>
#include <optional>
#include <utility>

#include "base/mutant.hpp"
#include "log/snapshot_file.hpp"
#include "node/history_file.hpp"
#include "node/runtime.hpp"
#include "replica/membership.hpp"
#include "store/snapshot.hpp"

namespace concord::node {

namespace {

/// Looks between two syncs that nobody waits for: what modes `os` and `memory` may lose to a loss of power.
constexpr std::uint64_t looks_a_sync = 5;
constexpr std::size_t block_bytes = 128U << 10U;
constexpr std::size_t kept_snapshots = 2;

}  // namespace

void Runtime::run_background() {
  for (;;) {
    {
      base::MutexLock lock(background_mutex_);
      (void)background_condition_.wait_for(lock, background_interval,
                                           [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(background_mutex_) {
                                             return background_stopping_ || snapshot_requested_ || sync_requested_;
                                           });
      if (background_stopping_) return;
    }
    guarded(&Runtime::look_in_background);
  }
}

void Runtime::look_in_background() {
  bool takes_snapshot = false;
  {
    const base::MutexLock lock(background_mutex_);
    takes_snapshot = std::exchange(snapshot_requested_, false);
  }
  const bool is_due = clock_->coarse_ms() >= next_look_after_log_ms_;
  if (is_due) look_after_log();  // deadlines do not wait behind a slow sync
  if (!sync_if_requested() && !is_due) look_after_log();
  if (takes_snapshot && !failed_.load(std::memory_order_acquire) && formed_.load(std::memory_order_acquire))
    take_snapshot();
}

void Runtime::look_after_log() {
  const std::uint64_t now_ms = clock_->coarse_ms();
  next_look_after_log_ms_ = now_ms + static_cast<std::uint64_t>(background_interval.count());
  give_up(now_ms);
  if (failed_.load(std::memory_order_acquire) || !formed_.load(std::memory_order_acquire)) return;
  log_->prepare_spare();
  if (options_.durability != Durability::disk && background_looks_++ % looks_a_sync == 0) log_->sync_in_background();
}

void Runtime::request_sync() {
  {
    const base::MutexLock lock(background_mutex_);
    if (sync_requested_) return;
    sync_requested_ = true;
  }
  background_condition_.notify_one();
}

/// False: nobody has.
bool Runtime::sync_if_requested() {
  {
    const base::MutexLock lock(background_mutex_);
    if (!std::exchange(sync_requested_, false)) return false;
  }
  if (!failed_.load(std::memory_order_acquire)) log_->sync_in_background();
  return true;
}

/// Deadlines hold although nobody drives: a disk that stands still holds up who drives, and the replica thread behind it.
void Runtime::give_up(std::uint64_t now_ms) {
  reads_.give_up(now_ms);
  queue_.give_up(now_ms);
  if (!queue_.has_completions()) {
    completions_wait_ = false;
  } else if (std::exchange(completions_wait_, true)) {
    call_completions();  // nobody has since the last look
  } else {
    wake();
  }
}

void Runtime::request_snapshot() {
  {
    const base::MutexLock lock(background_mutex_);
    if (snapshot_requested_) return;
    snapshot_requested_ = true;
  }
  background_condition_.notify_one();
}

void Runtime::take_snapshot() {
  Result<void> written;
  try {
    written = write_snapshot();
  } catch (const std::bad_alloc&) {
    written = concord::fail(Errc::overloaded, "no memory for it");
  }
  const Driving driving(*this);
  snapshot_wanted_at_ = base::Index(replica_->applied_index().value() + options_.snapshot.every_entries);
  snapshot_wanted_bytes_ = log_->appended_bytes() + options_.snapshot.every_bytes;
  if (!written) times_.note_snapshot_failure();
  // Without a snapshot nothing is lost, the log only grows; the next one may succeed.
  if (!written) say(LogLevel::error, "no snapshot could be taken: " + written.error().message());
}

std::unique_ptr<store::Snapshot> Runtime::pin_data() {
  if (!has_place()) return nullptr;
  std::unique_ptr<store::Snapshot> snapshot;
  {
    const Driving driving(*this);
    snapshot = replica_->state().begin_snapshot({});
  }
  snapshot->keep_data_only();
  return snapshot;
}

/// Followers that lag behind the log may be sent it.
Result<void> Runtime::offer(const log::SnapshotFileInfo& file, const replica::Membership& members) {
  if (!cluster_) return {};
  const Driving driving(*this);
  if (failed_.load(std::memory_order_relaxed)) return {};
  note_offered(file);
  // A newer one may have come from the leader meanwhile.
  auto offered = replica_->offer_snapshot(file.index, file.term, members);
  if (!offered && offered.error().code() != Errc::invalid_request) return offered;
  drive();
  return {};
}

/// The machine's other threads find a processor within a millisecond: no write waits because a snapshot is written. False: the node stops.
bool Runtime::rest_between_blocks() {
  constexpr std::chrono::milliseconds rest{1};
  if (clock_->coarse_ms() >= next_look_after_log_ms_) look_after_log();
  (void)sync_if_requested();
  base::MutexLock lock(background_mutex_);
  if (host_.has_threads) {
    (void)background_condition_.wait_for(
        lock, rest, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(background_mutex_) { return background_stopping_; });
  }
  return !background_stopping_;
}

std::uint64_t Runtime::measured_size(const std::string& path) const {
  if (host_.observer == nullptr) return 0;
  const auto file = files_->open(path, env::OpenMode::read);
  return file ? (*file)->size_bytes().value_or(0) : 0;
}

Result<void> Runtime::write_snapshot() {
  std::unique_ptr<store::Snapshot> snapshot;
  std::optional<store::HistoryImage> history;
  replica::Membership members;
  {
    const Driving driving(*this);
    members = replica_->members();
    snapshot = replica_->state().begin_snapshot(replica::encode_membership(members));
    if (host_.history) history = host_.history->image();
    // Until this one is finished no other is wanted.
    snapshot_wanted_at_ = base::Index(~std::uint64_t{0});
    snapshot_wanted_bytes_ = ~std::uint64_t{0};
  }
  const std::string directory = directory_->snapshots_path();
  const store::SnapshotMeta& meta = snapshot->meta();
  auto writer = log::SnapshotWriter::create(*files_, directory, meta.index, meta.term, store::encode_meta(meta));
  if (!writer) return std::unexpected(std::move(writer.error()));
  std::string block;
  while (snapshot->next_block(block, block_bytes)) {
    if (auto added = (*writer)->add_block(block); !added) return added;
    if (!rest_between_blocks()) return concord::fail(Errc::cluster_not_ready, "the node is stopping");
  }
  const base::Index index = meta.index;
  const base::Term term = meta.term;
  snapshot.reset();
  if (history) save_with_snapshot(index, term, std::move(*history));
  if (!CONCORD_MUTANT("a-snapshot-is-named-before-its-log-is-written")) {
    // The log never ends before the newest snapshot, whatever a loss of power takes away.
    const Driving driving(*this);
    if (auto flushed = log_->flush(); !flushed) return flushed;
  }
  log_->sync_in_background();
  {
    const Driving driving(*this);
    if (auto synced = log_->check(); !synced) return synced;
  }
  const auto finished = (*writer)->finish();
  if (!finished) return std::unexpected(finished.error());
  snapshot_index_.store(index.value(), std::memory_order_relaxed);
  {
    const std::uint64_t size_bytes = measured_size(finished->path);
    const Driving driving(*this);
    times_.note_created(size_bytes);
  }
  if (auto offered = offer(*finished, members); !offered) return offered;
  if (auto removed = log::remove_old_snapshots(*files_, directory, kept_snapshots); !removed) return removed;
  if (host_.history) forget_old_histories();
  const auto kept = log::list_snapshots(*files_, directory);
  if (!kept) return std::unexpected(kept.error());
  say(LogLevel::info, "snapshot of index " + std::to_string(index.value()) + " written");
  // The log is kept from the older snapshot on: damage of the newer one loses nothing (reliability 57).
  if (kept->size() < kept_snapshots) return {};
  std::vector<log::Log::Retired> retired;
  {
    const Driving driving(*this);
    const bool is_too_far = CONCORD_MUTANT("the-log-is-cut-back-to-the-newest-snapshot");
    retired = log_->retire(is_too_far ? kept->front().index : kept->back().index);
  }
  return log_->remove_files(retired);  // syncs the directory for each: no write waits for that
}

/// Before the snapshot has its name, so that no start finds one without the other. Without the history the snapshot is as good.
void Runtime::save_with_snapshot(base::Index index, base::Term term, store::HistoryImage history) {
  const auto saved = save_history(*files_, directory_->history_path(), index, term, std::move(history));
  if (!saved) say(LogLevel::error, "the events before this snapshot could not be saved: " + saved.error().message());
}

void Runtime::forget_old_histories() {
  const auto removed = remove_old_histories(*files_, directory_->history_path(), kept_snapshots);
  if (!removed) say(LogLevel::warn, removed.error().message());
}

}  // namespace concord::node
