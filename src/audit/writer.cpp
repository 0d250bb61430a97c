#include "audit/writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace concord::audit {
namespace {

constexpr std::int64_t second_us = 1'000'000;

/// "2026-02-03T04:05:06.789012Z", of a line that was read.
std::optional<std::int64_t> time_of(std::string_view timestamp) {
  using namespace std::chrono;
  const auto number = [&](std::size_t at, std::size_t digits) {
    std::int64_t value = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
      if (timestamp[i] < '0' || timestamp[i] > '9') return std::int64_t{-1};
      value = value * 10 + (timestamp[i] - '0');
    }
    return value;
  };
  if (timestamp.size() != timestamp_size) return std::nullopt;
  const year_month_day date{year(static_cast<int>(number(0, 4))), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t seconds = number(11, 2) * 3600 + number(14, 2) * 60 + number(17, 2);
  return (duration_cast<microseconds>(sys_days(date).time_since_epoch()).count()) + seconds * second_us + number(20, 6);
}

}  // namespace

Writer::Writer(env::FileSystem& files, const env::Clock& clock, WriterSettings settings, std::string key,
               StateFile state)
    : files_(&files),
      clock_(&clock),
      settings_(std::move(settings)),
      key_(std::move(key)),
      state_file_(std::move(state)),
      lines_(settings_.style, settings_.seed) {}

Result<Writer> Writer::open(env::FileSystem& files, const env::Clock& clock, WriterSettings settings,
                            std::vector<std::string>& remarks) {
  auto key = read_or_make_key(files, settings.key_path);
  if (!key) return std::unexpected(std::move(key.error()));
  auto catalog = read_catalog(files, settings.directory);
  if (!catalog) return std::unexpected(std::move(catalog.error()));
  auto state = read_state(files, settings.directory, *key);
  if (!state && state.error().code() != Errc::not_found) return std::unexpected(std::move(state.error()));
  auto state_file = StateFile::open(files, settings.directory, *key);
  if (!state_file) return std::unexpected(std::move(state_file.error()));
  Writer writer(files, clock, std::move(settings), std::move(*key), std::move(*state_file));
  writer.recover(std::move(*catalog), state.value_or(ReadState{}), remarks);
  if (writer.file_) {  // it is not closed any more
    auto told = writer.state_file_.write(writer.state());
    if (told) told = writer.state_file_.sync();
    if (!told) return std::unexpected(std::move(told.error()));
  }
  return writer;
}

// ---------------------------------------------------------------------------------------------------------------------
// What was there before.

void Writer::recover(std::vector<CatalogFile> catalog, const ReadState& read, std::vector<std::string>& remarks) {
  const std::uint64_t newest = catalog.empty() ? 0 : catalog.back().number;
  if (!read.state) {
    if (newest == 0 && !read.is_signed_by_other_key) return;  // a new log
    remarks.emplace_back(read.is_signed_by_other_key ? "its state is signed with another key than this log's"
                                                     : "its state is missing or damaged");
    return leave_file(no_hash(), newest);
  }
  const State& state = *read.state;
  oldest_ = state.oldest;
  if (newest == 0 && state.newest == 0) return;
  if (newest < state.newest) {
    remarks.push_back("its newest file, number " + std::to_string(state.newest) + ", is missing");
    return leave_file(state.last, state.newest);
  }
  // One more than the state knows of: the node ended when the file was just begun.
  State from = state;
  if (newest > state.newest) {
    from.newest = newest;
    from.entries = from.size_bytes = 0;
    from.is_closed = false;
  }
  if (auto gone_on = go_on_with(catalog.back(), from, remarks); !gone_on) {
    remarks.push_back(gone_on.error().message());
    leave_file(from.last, newest);
  }
}

/// Takes up the newest file behind what the state vouches for. Errors: why it can't be.
Result<void> Writer::go_on_with(const CatalogFile& newest, const State& state, std::vector<std::string>& remarks) {
  auto file = files_->open(path_of(newest.name), env::OpenMode::write);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size_bytes();
  if (!size) return std::unexpected(size.error());
  if (*size < state.size_bytes) {
    return fail(Errc::storage_failed,
                newest.name + " has " + std::to_string(*size) + " bytes; it had " + std::to_string(state.size_bytes));
  }
  Hex last = state.last;
  std::uint64_t entries = state.entries;
  bool has_ended = false;
  ForwardLines lines(**file, state.size_bytes);
  std::uint64_t good = state.size_bytes;
  for (;;) {
    const auto text = lines.next();
    if (!text) return std::unexpected(text.error());
    if (!*text) break;
    const auto line = read_line(**text);
    const Hex hash = sha256_.of(view_of(last), line ? line->hashed : std::string_view());
    if (!line || view_of(hash) != line->hash) {
      return fail(Errc::storage_failed, newest.name + ": the line that ends at byte " + std::to_string(lines.offset()) +
                                            " does not follow from the one before it");
    }
    const auto mark = read_mark(*line);
    if (!mark) ++entries;
    has_ended = mark && !mark->mark.is_begin;
    last_us_ = std::max(last_us_, time_of(line->timestamp).value_or(0));
    last = hash;
    good = lines.offset();
  }
  if (last_us_ == 0) {  // the state vouches for all of it: the time of its last line
    BackwardLines backward(**file, *size);
    const auto text = backward.next();
    const auto line = text && *text ? read_line(**text) : std::nullopt;
    if (!line || line->hash != view_of(last)) {
      return fail(Errc::storage_failed, newest.name + ": its last line is another one than it was");
    }
    const auto mark = read_mark(*line);
    has_ended = mark && !mark->mark.is_begin;
    last_us_ = time_of(line->timestamp).value_or(0);
  }
  if (*size > state.size_bytes && state.is_closed) {
    return fail(Errc::storage_failed, newest.name + " has " + std::to_string(*size) + " bytes; it was closed with " +
                                          std::to_string(state.size_bytes));
  }
  if (*size > good && has_ended) {
    return fail(Errc::storage_failed, newest.name + " goes on behind its end");
  }
  file_ = std::move(*file);
  name_ = newest.name;
  date_ = date_in(name_).value_or("");
  file_number_ = newest.number;
  size_ = good;
  entries_ = written_entries_ = entries;
  last_ = written_ = last;
  has_ended_ = has_ended;
  is_synced_ = good == state.size_bytes;
  if (*size > good) {
    remarks.push_back("an unfinished line of " + std::to_string(*size - good) + " bytes was cut off " + newest.name);
    write_over(*size - good);
  }
  return {};
}

/// The entry that takes the place of an unfinished line is at least as long, so that nothing of it stays.
void Writer::write_over(std::uint64_t torn_bytes) {
  const std::string count = R"("cut_bytes":)" + std::to_string(torn_bytes);
  append({.operation = "audit_recovered", .is_by_system = true, .metadata = count});
  if (pending_.size() >= torn_bytes) return;
  const std::string padding(torn_bytes, '.');
  pending_.clear();
  last_ = written_;
  --entries_;
  const std::string padded = count + R"(,"padding":")" + padding + "\"";
  append({.operation = "audit_recovered", .is_by_system = true, .metadata = padded});
}

void Writer::leave_file(const Hex& last, std::uint64_t number) {
  file_.reset();
  pending_.clear();
  file_number_ = number;
  last_ = written_ = last;
  is_unsealed_ = true;
  is_synced_ = true;  // as far as anybody can tell
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing.

std::int64_t Writer::now_us() noexcept { return last_us_ = std::max(last_us_, clock_->wall_us()); }

void Writer::append(Record record) {
  if (record.time_us == 0) record.time_us = clock_->wall_us();
  record.time_us = last_us_ = std::max(last_us_, record.time_us);
  const std::size_t begin = pending_.size();
  lines_.append_entry(pending_, record);
  last_ = seal_line(pending_, begin, last_, sha256_);
  ++entries_;
}

Result<void> Writer::prepare() {
  const bool is_time = !file_ || has_ended_ || wants_rotation_ || size_ >= settings_.rotation_size_bytes ||
                       date_ < date_of(std::max(last_us_, clock_->wall_us()));
  return is_time ? begin_next_file() : Result<void>();
}

Result<void> Writer::flush() {
  if (pending_.empty()) return {};
  if (auto written = file_->write_at(size_, pending_); !written) return written;
  size_ += pending_.size();
  written_ = last_;
  written_entries_ = entries_;
  pending_.clear();
  is_synced_ = false;
  return {};
}

State Writer::state() const noexcept {
  return {
      .oldest = oldest_, .newest = file_number_, .entries = written_entries_, .size_bytes = size_, .last = written_};
}

Result<void> Writer::sync() {
  if (is_synced_ || !file_) return {};
  if (auto synced = file_->sync(); !synced) {
    leave_file(written_, file_number_);
    return synced;
  }
  if (auto told = state_file_.write(state()); !told) return told;
  is_synced_ = true;
  return {};
}

Result<void> Writer::sync_all() {
  if (auto synced = sync(); !synced) return synced;
  return state_file_.sync();
}

Result<void> Writer::close() {
  if (auto synced = sync(); !synced || !file_) return synced;
  State last = state();
  last.is_closed = true;
  if (auto told = state_file_.write(last); !told) return told;
  return state_file_.sync();
}

// ---------------------------------------------------------------------------------------------------------------------
// From file to file.

Result<void> Writer::begin_next_file() {
  if (auto ended = end_file(); !ended) return ended;
  if (auto freed = free_name(); !freed) return freed;
  return open_next_file();
}

Result<void> Writer::end_file() {
  if (!file_) return {};
  if (!has_ended_) {
    const std::size_t begin = pending_.size();
    append_mark(pending_, {.is_begin = false, .file = file_number_, .entries = entries_}, settings_.style.node,
                now_us(), last_, key_);
    last_ = seal_line(pending_, begin, last_, sha256_);
    has_ended_ = true;
  }
  if (auto written = flush(); !written) return written;
  return sync_all();  // the next file goes on from the state
}

bool Writer::is_there(const std::string& name) const {
  return files_->open(path_of(name), env::OpenMode::read).has_value();
}

/// The file that has the name of the day gets another one. Once: what stands there then is an attempt at the next one.
Result<void> Writer::free_name() {
  const std::string date = date_of(now_us());
  if (!is_name_free_ && is_there(day_name(date))) {
    std::int64_t unix_s = now_us() / second_us;
    while (is_there(rotated_name(date, unix_s))) ++unix_s;  // two in one second
    auto renamed = files_->rename(path_of(day_name(date)), path_of(rotated_name(date, unix_s)));
    if (!renamed) return renamed;
  }
  is_name_free_ = true;
  return {};
}

Result<void> Writer::open_next_file() {
  const std::string date = date_of(now_us());
  const std::uint64_t number = file_number_ + 1;
  std::string first;
  append_mark(first, {.is_begin = true, .file = number, .is_unsealed = is_unsealed_}, settings_.style.node, now_us(),
              written_, key_);
  const Hex hash = seal_line(first, 0, written_, sha256_);
  if (auto made = env::write_file_atomically(*files_, path_of(day_name(date)), first); !made) return made;
  auto file = files_->open(path_of(day_name(date)), env::OpenMode::write);
  if (!file) return std::unexpected(std::move(file.error()));
  file_ = std::move(*file);
  name_ = day_name(date);
  date_ = date;
  file_number_ = number;
  size_ = first.size();
  entries_ = written_entries_ = 0;
  last_ = written_ = hash;
  has_ended_ = is_name_free_ = is_unsealed_ = wants_rotation_ = false;
  is_synced_ = true;
  if (auto told = state_file_.write(state()); !told) return told;
  return state_file_.sync();
}

Result<std::uint64_t> Writer::cleanup() {
  auto catalog = read_catalog(*files_, settings_.directory);
  if (!catalog) return std::unexpected(std::move(catalog.error()));
  const std::int64_t kept_us = std::int64_t{settings_.retention_days} * 86'400 * second_us;
  const std::string oldest_kept = date_of(std::max<std::int64_t>(0, now_us() - kept_us));
  std::vector<std::string> removed;
  std::uint64_t oldest = oldest_;
  for (const CatalogFile& file : *catalog) {  // by number: what stays behind is without a gap
    if (file.number == 0 || file.number == file_number_) continue;
    if (*date_in(file.name) >= oldest_kept) break;
    removed.push_back(file.name);
    oldest = std::max(oldest, file.number + 1);
  }
  if (removed.empty()) return 0;
  // The state first: a file that is older than it says is one that was to go.
  State now = state();  // of what is durable: lines that wait are no part of it
  now.oldest = oldest;
  if (auto told = state_file_.write(now); !told) return std::unexpected(std::move(told.error()));
  if (auto told = state_file_.sync(); !told) return std::unexpected(std::move(told.error()));
  oldest_ = oldest;
  for (const std::string& name : removed) {
    if (auto gone = files_->remove(path_of(name)); !gone) return std::unexpected(std::move(gone.error()));
  }
  append({.operation = "audit_retention", .is_by_system = true, .count = removed.size()});
  return removed.size();
}

}  // namespace concord::audit
