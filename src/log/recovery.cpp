// Opening a log: every byte is checked, and what can't be trusted is cut or refused (log.hpp says when).
#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/mutant.hpp"
#include "base/wire.hpp"
#include "log/log.hpp"

namespace concord::log {

using base::EntryView;
using base::Index;

namespace {

std::unexpected<Error> damaged(const std::string& path, std::uint64_t offset, const std::string& what) {
  return fail(Errc::storage_failed, path + ": damaged at offset " + std::to_string(offset) + ": " + what);
}

}  // namespace

std::unexpected<Error> Log::damage(std::uint64_t offset, const std::string& what) const {
  return damaged(segments_.back().path, offset, what);
}

Result<void> Log::recover() {
  const auto ids = list_segments();
  if (!ids) return std::unexpected(ids.error());
  if (ids->empty()) return fail(Errc::not_found, directory_ + ": no log segment");
  const auto begin = find_begin(*ids);
  if (!begin) return std::unexpected(begin.error());
  for (std::size_t at = *begin; at < ids->size(); ++at) {
    if (auto loaded = load_segment((*ids)[at], at == *begin); !loaded) return loaded;
    if (auto scanned = scan_segment(segment_bytes_, at + 1 == ids->size()); !scanned) return scanned;
  }
  if (auto checked = check_end(); !checked) return checked;
  {
    const base::MutexLock lock(shared_mutex_);
    sync_target_ = segments_.back().file;
    sync_offset_ = offset_;
  }
  // What was found may be in the page cache only; from here on it is relied upon.
  is_synced_ = false;
  if (auto synced = sync_current(); !synced) return synced;
  // The names too: a process may have ended between giving one and making it durable.
  if (auto synced = files_.sync_directory(directory_); !synced) return synced;
  if (auto removed = remove_replaced(*ids, *begin); !removed) return removed;
  if (current_is_complete_) return start_segment(segments_.back().id + 1, 0);
  const std::size_t before = pending_.size();
  if (offset_ + 3 * (record_header_bytes + 16) > segments_.back().header.size_bytes) return rotate(0);
  advance(append_mark(pending_, next_place(), RecordKind::opened, options_.boot_id), before);
  if (auto written = write_pending(); !written) return written;
  return sync_current();
}

/// Where the log begins: at the newest segment that restarts it, else at the oldest. From there on none may be missing.
Result<std::size_t> Log::find_begin(const std::vector<std::uint64_t>& ids) const {
  for (std::size_t at = ids.size() - 1;; --at) {
    const auto restarts = restarts_at(ids[at]);
    if (!restarts) return std::unexpected(restarts.error());
    if (*restarts || at == 0) return at;
    if (ids[at - 1] + 1 != ids[at] && !CONCORD_MUTANT("a-gap-in-the-log-is-jumped-over")) {
      return fail(Errc::storage_failed,
                  path_of(ids[at - 1] + 1) + ": missing, but segments before and behind it exist");
    }
  }
}

Result<bool> Log::restarts_at(std::uint64_t id) const {
  const std::string path = path_of(id);
  auto file = files_.open(path, env::OpenMode::read);
  if (!file) return std::unexpected(std::move(file.error()));
  std::string bytes(first_record_offset, '\0');
  const auto read = (*file)->read_at(0, bytes.data(), bytes.size());
  if (!read) return std::unexpected(read.error());
  bytes.resize(*read);
  std::uint32_t crc = 0;
  std::string why;
  const auto header = decode_segment_header(bytes, crc, why);
  // What can't be read might have restarted the log: to look further back would bring the dead to life.
  if (!header) return damaged(path, 0, why);
  return header->restarts;
}

/// What an interrupted `restart_after` has left; the restarted log was found whole.
Result<void> Log::remove_replaced(const std::vector<std::uint64_t>& ids, std::size_t begin) {
  if (begin == 0) return {};
  for (std::size_t at = 0; at < begin; ++at) {
    if (auto removed = files_.remove(path_of(ids[at])); !removed) return removed;
  }
  return files_.sync_directory(directory_);
}

/// Whether the entries reach as far as they must.
Result<void> Log::check_end() const {
  const std::string last = std::to_string(last_index_.value());
  if (last_index_ < first_index().previous()) {
    return damage(offset_,
                  "the last entry " + last + " lies before the log's first, " + std::to_string(first_index().value()));
  }
  if (hard_state_.commit > last_index_) {
    return damage(offset_, "the commit index " + std::to_string(hard_state_.commit.value()) +
                               " is beyond the last entry " + last);
  }
  return {};
}

Result<std::vector<std::uint64_t>> Log::list_segments() {
  const auto names = files_.list(directory_);
  if (!names) return std::unexpected(names.error());
  std::vector<std::uint64_t> ids;
  for (const std::string& name : *names) {
    if (name.starts_with("spare.") || name.ends_with(".torn.tmp")) {  // the latter: a cut that was interrupted
      if (auto removed = files_.remove(directory_ + "/" + name); !removed)
        return std::unexpected(std::move(removed.error()));
      continue;
    }
    if (name.ends_with(".torn")) continue;
    std::uint64_t id = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (problem != std::errc() || name.size() != 24 || std::string_view(end) != ".log") {
      return fail(Errc::storage_failed, directory_ + "/" + name + ": not a file of a log");
    }
    ids.push_back(id);
  }
  return ids;
}

/// Opens a segment, reads its bytes and checks its header; the segment becomes the current one.
Result<void> Log::load_segment(std::uint64_t id, bool is_first) {
  const std::string path = path_of(id);
  auto file = files_.open(path, env::OpenMode::write);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto read = env::read_file(files_, path, segment_bytes_); !read) return read;
  std::string why;
  const auto header = decode_segment_header(segment_bytes_, previous_crc_, why);
  segments_.push_back({.id = id,
                       .path = path,
                       .file = std::move(*file),
                       .header = header.value_or(SegmentHeader{}),
                       .first_index = {},
                       .last_index = {}});
  if (!header) return damage(0, why);
  Segment& segment = segments_.back();
  if (header->first_index.is_zero()) return damage(0, "it begins with entry 0, which does not exist");
  if (header->segment_id != id) return damage(0, "it says to be segment " + std::to_string(header->segment_id));
  if (header->size_bytes != segment_bytes_.size()) {
    return damage(segment_bytes_.size(), "the file has " + std::to_string(segment_bytes_.size()) +
                                             " bytes instead of " + std::to_string(header->size_bytes));
  }
  segment.first_index = header->first_index;
  segment.last_index = header->first_index.previous();
  if (is_first) {
    last_index_ = header->first_index.previous();
    hard_state_ = header->hard_state;
  } else if (!CONCORD_MUTANT("a-gap-in-the-log-is-jumped-over") &&
             (header->first_index != last_index_.next() || header->hard_state != hard_state_)) {
    return damage(0, "the header does not continue the segment before it");
  }
  return {};
}

Result<void> Log::scan_segment(std::string_view bytes, bool is_newest) {
  const SegmentHeader& header = segments_.back().header;
  current_is_complete_ = false;
  std::uint64_t offset = first_record_offset;
  while (!current_is_complete_) {
    const auto record = read_record(bytes, offset, header);
    if (!record) break;
    if (record->previous != previous_crc_) return damage(offset, "the record does not follow the one before it");
    if (auto taken = take_record(*record, offset); !taken) return taken;
    previous_crc_ = record->crc;
    offset += record->size_on_disk;
  }
  offset_ = written_offset_ = offset;
  if (current_is_complete_) return is_newest ? check_last(bytes, offset) : Result<void>();
  if (!is_newest) return damage(offset, "an invalid record in a segment that others follow");
  return end_scan(bytes, offset);
}

/// A complete segment is the newest one when the process ended before the next one was there; if it was, it is lost.
Result<void> Log::check_last(std::string_view bytes, std::uint64_t offset) const {
  const Segment& segment = segments_.back();
  const auto record = read_record(bytes, offset, segment.header);
  if (!record || record->previous != previous_crc_) return {};
  if (static_cast<RecordKind>(record->payload.front()) != RecordKind::followed) return {};
  return fail(Errc::storage_failed, path_of(segment.id + 1) + ": missing, and the segment before it says at offset " +
                                        std::to_string(offset) + " that it was there");
}

Result<void> Log::take_record(const Record& record, std::uint64_t offset) {
  switch (static_cast<RecordKind>(record.payload.front())) {
    case RecordKind::batch: break;
    case RecordKind::end_of_segment: current_is_complete_ = true; return {};
    case RecordKind::closed: return {};
    case RecordKind::opened: {
      base::Reader reader(record.payload.substr(1));
      last_boot_id_ = reader.fixed64();
      if (!reader.finished()) return damage(offset, "a mark of a wrong size");
      return {};
    }
    default: return damage(offset, "a record of an unknown kind");
  }
  BatchReader batch(record.payload);
  const Index log_first = segments_.front().first_index;
  const Location here{.segment = static_cast<std::uint32_t>(segments_.size() - 1),
                      .offset = static_cast<std::uint32_t>(offset)};
  EntryView entry;
  while (batch.next(entry)) {
    if (entry.index > last_index_.next())
      return damage(offset, "entries are missing before " + std::to_string(entry.index.value()));
    if (CONCORD_MUTANT("what-was-replaced-comes-back") && entry.index <= last_index_) continue;
    last_index_ = entry.index;
    segments_.back().last_index = std::max(segments_.back().last_index, last_index_);
    if (entry.index < log_first) continue;
    locations_.resize(static_cast<std::size_t>(entry.index.value() - log_first.value()));
    locations_.push_back(here);
  }
  if (!batch.ok()) return damage(offset, "a batch that does not follow the format");
  if (batch.hard_state()) hard_state_ = *batch.hard_state();
  return {};
}

/// The newest segment has no valid record at `offset`: its end, an unfinished write, or damage.
Result<void> Log::end_scan(std::string_view bytes, std::uint64_t offset) {
  const SegmentHeader& header = segments_.back().header;
  std::uint64_t valid_end = 0;
  std::uint64_t synced = 0;
  for (std::uint64_t at = offset + 8; at + record_header_bytes <= bytes.size(); at += 8) {
    const auto record = read_record(bytes, at, header);
    if (!record) continue;
    valid_end = at + record->size_on_disk;
    synced = std::max<std::uint64_t>(synced, record->synced);
    at = valid_end - 8;
  }
  const bool power_was_lost = last_boot_id_ != options_.boot_id;
  const bool is_cut_anyway = CONCORD_MUTANT("damage-in-the-middle-is-cut");
  if (valid_end > 0 && (synced > offset || !power_was_lost) && !is_cut_anyway) {
    return damage(offset, "an invalid record, with valid ones behind it");
  }
  // A file that is used again holds other bytes behind its end; only a record that claims to be of this segment is ours.
  std::uint64_t end = valid_end;
  if (header.recycled) {
    std::uint64_t claimed_id = 0;
    if (offset + record_header_bytes <= bytes.size())
      std::memcpy(&claimed_id, bytes.data() + offset + 8, sizeof claimed_id);
    if (claimed_id == header.segment_id) end = std::max(end, offset + record_header_bytes);
  } else {
    const std::size_t last = bytes.find_last_not_of('\0');
    if (last != std::string_view::npos && last >= offset) end = std::max<std::uint64_t>(end, last + 1);
  }
  if (end <= offset) return {};
  if (CONCORD_MUTANT("an-unfinished-write-is-refused")) return damage(offset, "an unfinished write");
  if (auto checked = check_end(); !checked) return checked;  // what is refused is left as it is
  return cut(bytes, offset, end);
}

Result<void> Log::cut(std::string_view bytes, std::uint64_t offset, std::uint64_t end) {
  const Segment& segment = segments_.back();
  const std::string_view torn = bytes.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(end - offset));
  const std::string copy = segment.path + ".torn";
  if (auto kept = env::write_file_atomically(files_, copy, torn); !kept) return kept;
  if (auto zeroed = segment.file->write_at(offset, std::string(torn.size(), '\0')); !zeroed) return zeroed;
  if (auto synced = segment.file->sync(); !synced) return synced;
  cut_report_ = segment.path + ": an unfinished write was cut at offset " + std::to_string(offset) + " (" +
                std::to_string(torn.size()) + " bytes, kept in " + copy + ")";
  return {};
}

Result<void> Log::replay(Index from, const Visitor& visit) {
  const Index log_first = segments_.front().first_index;
  for (std::size_t position = 0; position < segments_.size() && !locations_.empty(); ++position) {
    const Segment& segment = segments_[position];
    if (segment.last_index < from) continue;
    if (auto read = env::read_file(files_, segment.path, segment_bytes_); !read) return read;
    for (std::uint64_t offset = first_record_offset;;) {
      const auto record = read_record(segment_bytes_, offset, segment.header);
      if (!record) break;
      const Location here{.segment = static_cast<std::uint32_t>(position),
                          .offset = static_cast<std::uint32_t>(offset)};
      offset += record->size_on_disk;
      if (static_cast<RecordKind>(record->payload.front()) != RecordKind::batch) continue;
      BatchReader batch(record->payload);
      EntryView entry;
      while (batch.next(entry)) {
        if (entry.index < from || entry.index < log_first || entry.index > last_index_) continue;
        // Replaced by a later batch?
        if (locations_[static_cast<std::size_t>(entry.index.value() - log_first.value())] != here) continue;
        if (auto visited = visit(entry); !visited) return visited;
      }
    }
  }
  locations_ = {};
  segment_bytes_ = {};
  return {};
}

}  // namespace concord::log
