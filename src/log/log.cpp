#include "log/log.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/check.hpp"
#include "base/mutant.hpp"
#include "base/wire.hpp"

namespace concord::log {

using base::EntryView;
using base::HardState;
using base::Index;

namespace {

/// So much is written before the disk is asked to begin with it: what it has at the end of a segment holds up nobody.
constexpr std::uint64_t begun_bytes = 8U << 20U;

}  // namespace

Log::Log(env::FileSystem& files, std::string directory, const LogOptions& options)
    : files_(files), directory_(std::move(directory)), options_(options) {}

Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::create(env::FileSystem& files, std::string directory, const LogOptions& options,
                                         Index first_index, const HardState& hard_state) {
  std::unique_ptr<Log> log(new Log(files, std::move(directory), options));
  if (auto existing = log->list_segments(); !existing) return std::unexpected(std::move(existing.error()));
  log->last_index_ = first_index.previous();
  log->hard_state_ = hard_state;
  if (auto started = log->start_segment(1, 0); !started) return std::unexpected(std::move(started.error()));
  return log;
}

Result<std::unique_ptr<Log>> Log::open(env::FileSystem& files, std::string directory, const LogOptions& options) {
  std::unique_ptr<Log> log(new Log(files, std::move(directory), options));
  if (auto recovered = log->recover(); !recovered) return std::unexpected(std::move(recovered.error()));
  return log;
}

// ---------------------------------------------------------------------------------------------------------------------
// Appending.

RecordPlace Log::next_place() const noexcept {
  const SegmentHeader& header = segments_.back().header;
  const std::uint64_t synced = synced_offset_.load(std::memory_order_relaxed);
  return {.segment_id = header.segment_id,
          .salt = header.salt,
          .offset = static_cast<std::uint32_t>(offset_),
          .previous = previous_crc_,
          .synced = static_cast<std::uint32_t>(synced)};
}

void Log::advance(std::uint32_t crc, std::size_t pending_before) {
  const std::size_t size = pending_.size() - pending_before;
  previous_crc_ = crc;
  offset_ += size;
  appended_bytes_ += size;
  is_synced_ = false;
}

std::uint64_t Log::margin_bytes() const noexcept {
  return std::min<std::uint64_t>(64U << 10U, options_.segment_bytes / 8);
}

Result<void> Log::append(std::span<const EntryView> entries, const std::optional<HardState>& hard_state) {
  if (failure_) return std::unexpected(*failure_);
  locations_.clear();
  const std::uint64_t needed = batch_size_bound(entries);
  // Room is left behind for the two marks at the end. What nobody reserves room for may use the margin that other entries leave: hard states, and
  // the entry without data with which a leader begins. So no election is the end of a node whose disk is full.
  const bool has_data = std::ranges::any_of(entries, [](const EntryView& entry) { return !entry.data.empty(); });
  const std::uint64_t kept = has_data ? margin_bytes() : 2 * (record_header_bytes + 8);
  if (offset_ + needed + kept > segments_.back().header.size_bytes) {
    if (auto rotated = rotate(needed); !rotated) return rotated;
  }
  const std::size_t before = pending_.size();
  if (CONCORD_MUTANT("a-vote-is-forgotten") && hard_state) {
    const HardState forgotten{.term = hard_state->term, .vote = base::NodeId(), .commit = hard_state->commit};
    advance(append_batch(pending_, next_place(), entries, forgotten), before);
  } else {
    advance(append_batch(pending_, next_place(), entries, hard_state), before);
  }
  if (!entries.empty()) {
    CONCORD_CHECK(entries.front().index <= last_index_.next(), "the log has no gaps");
    CONCORD_CHECK(entries.front().index >= first_index(), "what was purged is not replaced");
    last_index_ = entries.back().index;
    segments_.back().last_index = std::max(segments_.back().last_index, last_index_);
  }
  if (hard_state) hard_state_ = *hard_state;
  if (options_.buffered && pending_.size() < options_.buffer_limit_bytes) return {};
  return write_pending();
}

Result<void> Log::flush() {
  if (failure_) return std::unexpected(*failure_);
  return write_pending();
}

Result<void> Log::sync() {
  if (failure_) return std::unexpected(*failure_);
  if (auto written = write_pending(); !written) return written;
  return sync_current();
}

Result<void> Log::check() {
  if (failure_) return std::unexpected(*failure_);
  if (!background_failed_.load(std::memory_order_acquire)) return {};
  return failed(Error(Errc::storage_failed, segments_.back().path + ": an earlier sync or removal has failed"));
}

Result<void> Log::write_pending() {
  if (auto checked = check(); !checked) return checked;
  if (pending_.empty()) return {};
  if (auto written = segments_.back().file->write_at(written_offset_, pending_); !written) {
    if (CONCORD_MUTANT("a-failed-write-is-passed-over")) return written;
    return failed(written.error());
  }
  written_offset_ = offset_;
  if (written_offset_ - begun_offset_ >= begun_bytes) {
    segments_.back().file->begin_writing(begun_offset_, written_offset_ - begun_offset_);
    begun_offset_ = written_offset_;
  }
  pending_.clear();
  if (pending_.capacity() > 2 * options_.buffer_limit_bytes) pending_.shrink_to_fit();
  const base::MutexLock lock(shared_mutex_);
  sync_offset_ = written_offset_;
  return {};
}

Result<void> Log::sync_current() {
  if (is_synced_ || CONCORD_MUTANT("acknowledged-before-it-is-synced")) return {};
  const base::MutexLock syncing(sync_mutex_);
  if (auto checked = check(); !checked) return checked;
  if (auto synced = segments_.back().file->sync(); !synced) {
    const bool is_well_again = CONCORD_MUTANT("a-failed-sync-is-tried-again") && segments_.back().file->sync();
    if (!is_well_again) return failed(synced.error());
  }
  is_synced_ = true;
  begun_offset_ = written_offset_;
  synced_offset_.store(written_offset_, std::memory_order_relaxed);
  return {};
}

Result<void> Log::failed(const Error& error) {
  // Out of space inside of what was allocated is a broken promise of the file system, no state to recover from.
  failure_ = Error(Errc::storage_failed, error.message());
  return std::unexpected(*failure_);
}

Result<void> Log::close() {
  if (failure_) return std::unexpected(*failure_);
  const std::size_t before = pending_.size();
  advance(append_mark(pending_, next_place(), RecordKind::closed), before);
  return sync();
}

// ---------------------------------------------------------------------------------------------------------------------
// Segments.

std::string Log::path_of(std::uint64_t id) const {
  char name[32];
  std::snprintf(name, sizeof name, "%020llu.log", static_cast<unsigned long long>(id));
  return directory_ + "/" + name;
}

Result<void> Log::reserve(std::uint64_t data_bytes, std::size_t entry_count) {
  if (failure_) return std::unexpected(*failure_);
  const std::uint64_t needed = batch_size_bound({}) + data_bytes + entry_count * (1 + 2 * base::max_varint_bytes);
  if (offset_ + needed + margin_bytes() <= segments_.back().header.size_bytes) return {};
  return ensure_spare(segment_size_for(needed));
}

std::uint64_t Log::segment_size_for(std::uint64_t needed_bytes) const noexcept {
  return std::max(options_.segment_bytes, first_record_offset + needed_bytes + 2 * margin_bytes());
}

Result<void> Log::ensure_spare(std::uint64_t size_bytes) {
  {
    const base::MutexLock lock(shared_mutex_);
    if (spare_ && spare_->size_bytes().value_or(0) >= size_bytes) return {};
  }
  auto file = allocate_file(size_bytes);
  if (!file) return std::unexpected(std::move(file.error()));
  offer_spare(std::move(*file), size_bytes, false);
  return {};
}

/// Each has a name of its own: one that is being taken into use keeps its name meanwhile, and nothing may replace it.
std::string Log::next_spare_path() {
  return directory_ + "/spare." + std::to_string(spares_made_.fetch_add(1, std::memory_order_relaxed) + 1);
}

Result<std::unique_ptr<env::File>> Log::allocate_file(std::uint64_t size_bytes) {
  const std::string path = next_spare_path();
  // A full disk is asked many times a second, and an allocation that fails in the end takes all that is left meanwhile.
  if (const auto free_bytes = files_.free_bytes(directory_); free_bytes && *free_bytes < size_bytes) {
    return fail(Errc::storage_full, path + ": needs " + std::to_string(size_bytes) + " bytes, " +
                                        std::to_string(*free_bytes) + " are free");
  }
  auto file = files_.open(path, env::OpenMode::create_new);
  if (!file) return file;
  auto done = (*file)->allocate(size_bytes);
  if (done) return file;
  file->reset();
  (void)files_.remove(path);  // gives the space back; the next `open` removes it otherwise
  return std::unexpected(std::move(done.error()));
}

/// One spare is enough: of the offered file and a spare that is already there, the one that is not kept gives its space back.
void Log::offer_spare(std::unique_ptr<env::File> file, std::uint64_t wanted_bytes, bool is_recycled) {
  {
    const base::MutexLock lock(shared_mutex_);
    if (!spare_ || spare_->size_bytes().value_or(0) < wanted_bytes) {
      std::swap(spare_, file);
      spare_is_recycled_ = is_recycled;
    }
  }
  if (!file) return;
  const std::string path = file->path();
  file.reset();
  (void)files_.remove(path);
}

void Log::prepare_spare() {
  {
    const base::MutexLock lock(shared_mutex_);
    if (spare_) return;
  }
  auto file = allocate_file(options_.segment_bytes);
  if (file) offer_spare(std::move(*file), 0, false);  // else `reserve` says so when it matters
}

void Log::sync_in_background() {
  const base::MutexLock syncing(sync_mutex_);
  std::shared_ptr<env::File> file;
  std::uint64_t offset = 0;
  {
    const base::MutexLock lock(shared_mutex_);
    file = sync_target_;
    offset = sync_offset_;
  }
  if (!file || offset <= synced_offset_.load(std::memory_order_relaxed)) return;
  if (!file->sync()) {
    background_failed_.store(true, std::memory_order_release);
    return;
  }
  const base::MutexLock lock(shared_mutex_);
  if (file == sync_target_ && offset > synced_offset_.load(std::memory_order_relaxed)) {
    synced_offset_.store(offset, std::memory_order_relaxed);
  }
}

Result<void> Log::rotate(std::uint64_t needed_bytes) {
  const std::size_t before = pending_.size();
  advance(append_mark(pending_, next_place(), RecordKind::end_of_segment), before);
  // A finished segment is durable before the next one exists: only the newest can end in an unfinished write.
  if (auto written = write_pending(); !written) return written;
  if (auto synced = sync_current(); !synced) return synced;
  return start_segment(segments_.back().id + 1, needed_bytes);
}

Result<void> Log::restart_after(Index index, const HardState& hard_state) {
  if (auto checked = check(); !checked) return checked;
  CONCORD_CHECK(!index.is_zero(), "a snapshot ends at an entry");
  CONCORD_CHECK(hard_state.commit == index, "a log that begins anew holds nothing behind its snapshot");
  // Before anything is changed: a full disk leaves the log as it was.
  if (auto room = ensure_spare(segment_size_for(0)); !room) return room;
  pending_.clear();
  offset_ = written_offset_;
  locations_.clear();
  last_index_ = index;
  hard_state_ = hard_state;
  if (auto started = start_segment(segments_.back().id + 1, 0, Beginning::restarts); !started) return started;
  std::vector<Retired> replaced;
  for (; segments_.size() > 1; segments_.pop_front()) {
    replaced.push_back({.path = segments_.front().path, .size_bytes = segments_.front().header.size_bytes});
  }
  // Durably, and before this segment can ever be purged: without it, the old ones would count again.
  if (auto removed = remove_files(replaced); !removed) return failed(removed.error());
  return {};
}

Result<void> Log::start_segment(std::uint64_t id, std::uint64_t needed_bytes, Beginning beginning) {
  const std::uint64_t size = segment_size_for(needed_bytes);
  CONCORD_CHECK(size <= 0xffff'ffffU, "offsets have 32 bits");
  std::unique_ptr<env::File> file;
  SegmentHeader header{.restarts = beginning == Beginning::restarts,
                       .recycled = false,
                       .segment_id = id,
                       .size_bytes = size,
                       .salt = options_.salt ^ (id * 0x9e3779b97f4a7c15U),
                       .first_index = last_index_.next(),
                       .hard_state = hard_state_};
  {
    const base::MutexLock lock(shared_mutex_);
    if (spare_ && spare_->size_bytes().value_or(0) >= size) {
      file = std::move(spare_);
      header.recycled = spare_is_recycled_;
      header.size_bytes = file->size_bytes().value_or(size);
    }
  }
  if (!file) {
    auto made = allocate_file(size);
    if (!made) return failed(made.error());
    file = std::move(*made);
  }
  // The header is durable before the file gets its name: a named segment always has a whole header.
  std::uint32_t crc = 0;
  if (auto done = file->write_at(0, encode_segment_header(header, crc)); !done) return failed(done.error());
  if (auto done = file->sync(); !done) return failed(done.error());
  const std::string path = path_of(id);
  if (auto done = files_.rename(file->path(), path); !done) return failed(done.error());
  if (!CONCORD_MUTANT("the-name-of-a-segment-is-not-synced")) {
    if (auto done = files_.sync_directory(directory_); !done) return failed(done.error());
  }
  if (beginning == Beginning::goes_on && !segments_.empty()) {
    if (auto marked = mark_followed(); !marked) return marked;
  }
  segments_.push_back({.id = id,
                       .path = path,
                       .file = std::move(file),
                       .header = header,
                       .first_index = header.first_index,
                       .last_index = last_index_});
  previous_crc_ = crc;
  offset_ = written_offset_ = begun_offset_ = first_record_offset;
  is_synced_ = true;
  {
    const base::MutexLock lock(shared_mutex_);
    sync_target_ = segments_.back().file;
    sync_offset_ = first_record_offset;
    synced_offset_.store(first_record_offset, std::memory_order_relaxed);
  }
  const std::size_t before = pending_.size();
  advance(append_mark(pending_, next_place(), RecordKind::opened, options_.boot_id), before);
  return write_pending();
}

/// Writes behind a complete segment that the next one exists: else a loss of that file, the newest, would be missed by nobody. It need
/// not be durable: what is lost with it is only that.
Result<void> Log::mark_followed() {
  std::string mark;
  (void)append_mark(mark, next_place(), RecordKind::followed);
  if (offset_ + mark.size() > segments_.back().header.size_bytes) return {};  // of a version that left no room
  if (auto done = segments_.back().file->write_at(offset_, mark); !done) return failed(done.error());
  return {};
}

std::vector<Log::Retired> Log::retire(Index up_to) {
  std::vector<Retired> retired;
  while (segments_.size() > 1 && segments_.front().last_index <= up_to) {
    retired.push_back({.path = segments_.front().path, .size_bytes = segments_.front().header.size_bytes});
    segments_.pop_front();
  }
  return retired;
}

Result<void> Log::remove_files(const std::vector<Retired>& retired) {
  for (const Retired& oldest : retired) {
    if (auto done = remove_file(oldest); !done) {
      background_failed_.store(true, std::memory_order_release);
      return done;
    }
  }
  return {};
}

Result<void> Log::remove_file(const Retired& oldest) {
  bool reuse = oldest.size_bytes == options_.segment_bytes;
  {
    const base::MutexLock lock(shared_mutex_);
    reuse = reuse && !spare_;
  }
  const std::string spare_path = next_spare_path();
  if (auto gone = reuse ? files_.rename(oldest.path, spare_path) : files_.remove(oldest.path); !gone) return gone;
  // One by one: were two removals to reach the disk in the wrong order, a segment would be missing in the middle.
  if (auto done = files_.sync_directory(directory_); !done) return done;
  if (!reuse) return {};
  auto file = files_.open(spare_path, env::OpenMode::write);
  if (!file) return std::unexpected(std::move(file.error()));
  offer_spare(std::move(*file), 0, true);
  return {};
}

std::uint64_t Log::size_bytes() const noexcept {
  std::uint64_t size = 0;
  for (const Segment& segment : segments_) size += segment.header.size_bytes;
  return size;
}

}  // namespace concord::log
