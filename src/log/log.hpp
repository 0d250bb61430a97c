// The durable raft log: what a node must find again after a crash.
//
// A directory of segments named by their number ("00000000000000000001.log"), filled one after the other; record.hpp has
// their bytes. Segments are preallocated, so that writing into one can't run out of space, and used again after a purge.
//
//     auto log = Log::open(files, "data/log", options);           // checks every byte; cuts a torn tail or refuses damage
//     log->replay(first_wanted, [&](const EntryView& entry) { ...; return Result<void>(); });
//     log->append(entries, hard_state);  log->sync();             // one write; durable after sync
//
// What is refused, what is cut (DESIGN 5). An invalid record that has no valid one behind it in the newest segment is an
// unfinished write: it is cut, and a copy of the bytes is kept beside the segment ("....log.torn"). An invalid record with a
// valid one behind it is damage: `open` fails with storage_failed, names file and offset, and changes nothing. One case lies
// between: after a loss of power, writes that nobody was promised to be durable may be missing in the middle; then the log
// is cut there too. It is told from damage by the machine's boot id and by the mark, in each record, of how far the log
// had been synced.
//
// A snapshot from the leader may replace the log (`restart_after`): a new segment says that nothing before it counts. Until
// it has its name the old log stands, whole; from then on the old segments are only files to remove.
//
// Failure. After any failed write or sync the log answers the same error for ever: what the disk holds is unknown, and a
// repeated fsync may lie (reliability 52).
//
// Thread rule: one thread at a time, but for `prepare_spare`, `sync_in_background` and `remove_files`, which may run on one
// other thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <concord/error.hpp>

#include "base/log_entry.hpp"
#include "base/mutex.hpp"
#include "env/file_system.hpp"
#include "log/record.hpp"

namespace concord::log {

struct LogOptions {
  std::uint64_t segment_bytes = 64U << 20U;
  bool buffered = false;                           ///< `append` only keeps the bytes; `flush` writes them
  std::uint64_t buffer_limit_bytes = 256U << 10U;  ///< as much is written at once: it is still in the cache then
  std::uint64_t salt = 0;                          ///< drawn at random: makes checksums of new segments unpredictable
  std::uint64_t boot_id = 0;                       ///< differs from one boot of the machine to the next
};

class Log {
 public:
  /// Starts a log in a directory without segments; durable when this returns. The first entry will have `first_index`.
  [[nodiscard]] static Result<std::unique_ptr<Log>> create(env::FileSystem& files, std::string directory,
                                                           const LogOptions& options, base::Index first_index,
                                                           const base::HardState& hard_state);
  /// Errors: not_found (no segment there), storage_failed (damage, a missing segment, an unknown format, I/O).
  [[nodiscard]] static Result<std::unique_ptr<Log>> open(env::FileSystem& files, std::string directory,
                                                         const LogOptions& options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // --- what was recovered ----------------------------------------------------------------------------------------------

  using Visitor = std::function<Result<void>(const base::EntryView&)>;
  /// Every entry from `from` on (or from `first_index`, if that is later), in order. Once, before the first `append`. The
  /// view is valid during the call. An error of `visit` ends it.
  [[nodiscard]] Result<void> replay(base::Index from, const Visitor& visit);
  /// What `open` cut away, for people; empty when nothing was.
  [[nodiscard]] const std::string& cut_report() const noexcept { return cut_report_; }

  // --- writing ---------------------------------------------------------------------------------------------------------

  /// Room for entries of `data_bytes` altogether. Errors: storage_full; nothing has changed, later calls may succeed.
  [[nodiscard]] Result<void> reserve(std::uint64_t data_bytes, std::size_t entry_count);
  /// Appends one batch. Entries are contiguous; the first has index <= last_index() + 1.
  [[nodiscard]] Result<void> append(std::span<const base::EntryView> entries,
                                    const std::optional<base::HardState>& hard_state);
  /// A snapshot that ends at `index` came from the leader and is durable: it replaces the whole log, whatever that holds and
  /// holds back. Entries go on at `index.next()`. Durable when this returns, in every mode; a crash before leaves the old log or
  /// the new one. Precondition: hard_state.commit == index; less would undo the snapshot, more would promise what is not there.
  /// Errors: storage_full; nothing has changed, later calls may succeed.
  [[nodiscard]] Result<void> restart_after(base::Index index, const base::HardState& hard_state);
  /// Writes what mode `buffered` holds back; it survives the end of the process from here on.
  [[nodiscard]] Result<void> flush();
  /// Everything appended survives a loss of power from here on.
  [[nodiscard]] Result<void> sync();
  /// A segment that has left the log; its file is still there.
  struct Retired {
    std::string path;
    std::uint64_t size_bytes = 0;
  };
  /// Entries up to `up_to` are no longer needed: takes whole segments out of the log, oldest first, for `remove_files`. The
  /// snapshot that replaces them must be durable. A crash before their files are gone leaves them in the log.
  [[nodiscard]] std::vector<Retired> retire(base::Index up_to);
  /// Leaves everything durable and marked as closed in good order. Nothing may be called afterwards.
  [[nodiscard]] Result<void> close();

  /// The error of an earlier failure, of the background too; nothing when all is well.
  [[nodiscard]] Result<void> check();

  // --- on another thread -----------------------------------------------------------------------------------------------

  /// Allocates the next segment, so that going on in it costs no time later. Nothing when there is one.
  void prepare_spare();
  /// Syncs what was written so far without stopping the writer.
  void sync_in_background();
  /// Removes the files, in order, or makes one of them the next spare; after an error the log has failed.
  [[nodiscard]] Result<void> remove_files(const std::vector<Retired>& retired);

  // --- state -----------------------------------------------------------------------------------------------------------

  [[nodiscard]] const base::HardState& hard_state() const noexcept { return hard_state_; }
  [[nodiscard]] base::Index first_index() const noexcept { return segments_.front().first_index; }
  [[nodiscard]] base::Index last_index() const noexcept { return last_index_; }
  /// Of all segments, as they stand in the directory.
  [[nodiscard]] std::uint64_t size_bytes() const noexcept;
  /// Appended since the log was opened.
  [[nodiscard]] std::uint64_t appended_bytes() const noexcept { return appended_bytes_; }
  [[nodiscard]] bool has_unwritten() const noexcept { return !pending_.empty(); }

 private:
  struct Segment {
    std::uint64_t id = 0;
    std::string path;
    std::shared_ptr<env::File> file;
    SegmentHeader header;
    base::Index first_index;
    base::Index last_index;  ///< highest index of any entry in it, replaced ones included
  };
  /// Where the newest version of an entry stands.
  struct Location {
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    friend bool operator==(const Location&, const Location&) = default;
  };

  Log(env::FileSystem& files, std::string directory, const LogOptions& options);

  // recovery.cpp
  Result<void> recover();
  [[nodiscard]] Result<void> check_end() const;
  Result<std::vector<std::uint64_t>> list_segments();
  [[nodiscard]] Result<std::size_t> find_begin(const std::vector<std::uint64_t>& ids) const;
  [[nodiscard]] Result<bool> restarts_at(std::uint64_t id) const;
  Result<void> remove_replaced(const std::vector<std::uint64_t>& ids, std::size_t begin);
  Result<void> load_segment(std::uint64_t id, bool is_first);
  Result<void> scan_segment(std::string_view bytes, bool is_newest);
  [[nodiscard]] Result<void> check_last(std::string_view bytes, std::uint64_t offset) const;
  Result<void> take_record(const Record& record, std::uint64_t offset);
  Result<void> end_scan(std::string_view bytes, std::uint64_t offset);
  Result<void> cut(std::string_view bytes, std::uint64_t offset, std::uint64_t end);
  [[nodiscard]] std::unexpected<Error> damage(std::uint64_t offset, const std::string& what) const;

  // log.cpp
  [[nodiscard]] std::string path_of(std::uint64_t id) const;
  [[nodiscard]] RecordPlace next_place() const noexcept;
  void advance(std::uint32_t crc, std::size_t pending_before);
  Result<void> write_pending();
  Result<void> sync_current();
  Result<void> rotate(std::uint64_t needed_bytes);
  enum class Beginning : std::uint8_t { goes_on, restarts };
  Result<void> start_segment(std::uint64_t id, std::uint64_t needed_bytes, Beginning beginning = Beginning::goes_on);
  Result<void> mark_followed();
  [[nodiscard]] std::uint64_t margin_bytes() const noexcept;
  [[nodiscard]] std::uint64_t segment_size_for(std::uint64_t needed_bytes) const noexcept;
  Result<void> ensure_spare(std::uint64_t size_bytes);
  [[nodiscard]] std::string next_spare_path();
  Result<std::unique_ptr<env::File>> allocate_file(std::uint64_t size_bytes);
  Result<void> remove_file(const Retired& oldest);
  void offer_spare(std::unique_ptr<env::File> file, std::uint64_t wanted_bytes, bool is_recycled);
  Result<void> failed(const Error& error);

  env::FileSystem& files_;
  const std::string directory_;
  const LogOptions options_;

  std::deque<Segment>
      segments_;  // Invariant: ids are consecutive, the last is written to; not empty after a maker returned
  std::uint64_t offset_ = 0;          // of the next record in the current segment
  std::uint64_t begun_offset_ = 0;    // the disk was asked to write up to it
  std::uint64_t written_offset_ = 0;  // Invariant: offset_ == written_offset_ + pending_.size()
  std::uint32_t previous_crc_ = 0;
  std::string pending_;
  bool is_synced_ = true;
  base::HardState hard_state_;
  base::Index last_index_;
  std::uint64_t appended_bytes_ = 0;
  std::optional<Error> failure_;

  // Recovery only.
  std::string segment_bytes_;        // of the segment that is looked at
  std::vector<Location> locations_;  // of entries from the first segment's first_index on
  std::uint64_t last_boot_id_ = 0;
  bool current_is_complete_ = false;  // the newest segment ends with its end mark
  std::string cut_report_;

  // Shared with the background.
  /// Held around every sync of the current segment: the system tells an error of writing back once for each open file, so of two syncs that
  /// overlap only one would hear of it. The background says that it failed before it lets go. Taken before shared_mutex_.
  base::Mutex sync_mutex_;
  base::Mutex shared_mutex_;
  std::unique_ptr<env::File> spare_ ABSL_GUARDED_BY(shared_mutex_);
  bool spare_is_recycled_ ABSL_GUARDED_BY(shared_mutex_) = false;
  std::shared_ptr<env::File> sync_target_ ABSL_GUARDED_BY(shared_mutex_);  // the current segment's file
  std::uint64_t sync_offset_ ABSL_GUARDED_BY(shared_mutex_) = 0;           // written so far
  std::atomic<std::uint64_t> synced_offset_{0};
  std::atomic<std::uint64_t> spares_made_{0};
  std::atomic<bool> background_failed_{false};
};

}  // namespace concord::log
