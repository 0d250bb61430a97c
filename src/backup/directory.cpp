#include "backup/directory.hpp"

#include <algorithm>
#include <cstdio>

#include "log/block_file.hpp"

namespace concord::backup {
namespace {

constexpr std::string_view ending = ".backup";
constexpr std::size_t max_name_bytes = 200;
constexpr std::int64_t a_day_ms = 86'400'000;

bool is_plain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string usual_name(std::int64_t created_at_ms) {
  using namespace std::chrono;
  const sys_seconds time(floor<seconds>(milliseconds(created_at_ms)));
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "concord_backup_%04d%02u%02uT%02d%02d%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

bool is_newer(const BackupInfo& a, const BackupInfo& b) noexcept {
  return a.created_at != b.created_at ? a.created_at > b.created_at : a.name > b.name;
}

}  // namespace

bool is_name(std::string_view name) noexcept {
  return name.size() > ending.size() && name.size() <= max_name_bytes && name.ends_with(ending) &&
         name.front() != '.' && std::ranges::all_of(name, is_plain);
}

Result<std::string> Directory::path_of(std::string_view name) const {
  if (is_name(name)) return path_ + "/" + std::string(name);
  return fail(Errc::not_found,
              "there is no such backup: names are letters, digits, '.', '_' and '-', and end with .backup");
}

std::string Directory::hidden(std::string_view name, std::string_view what) const {
  return path_ + "/." + std::string(name) + "." + owner_ + std::string(what);
}

bool Directory::exists(const std::string& path) { return files_.open(path, env::OpenMode::read).has_value(); }

/// Two of the same second have a number behind.
Result<std::string> Directory::free_name(std::int64_t created_at_ms) {
  const auto names = files_.list(path_);
  if (!names) return std::unexpected(names.error());
  const std::string usual = usual_name(created_at_ms);
  std::string name = usual + std::string(ending);
  for (int number = 2; std::ranges::binary_search(*names, name); ++number) {
    name = usual + "_" + std::to_string(number) + std::string(ending);
  }
  return name;
}

Result<BackupInfo> Directory::create(store::Snapshot& data, Manifest manifest, const Watch& watch) {
  if (auto made = files_.make_directories(path_); !made) return std::unexpected(std::move(made.error()));
  // Others may be making one in the same second: the name is chosen when the file is whole, under the lock.
  const std::string temporary = hidden(manifest.id, ".tmp");
  const std::string parked = hidden(manifest.id, ".whole.tmp");
  const std::int64_t created_at_ms = manifest.created_at_ms;
  auto info = write(files_, temporary, parked, data, std::move(manifest), watch);
  if (!info) return info;
  const base::MutexLock lock(mutex_);
  const auto name = free_name(created_at_ms);
  if (!name) return std::unexpected(name.error());
  info->name = *name;
  info->path = path_ + "/" + *name;
  auto done = files_.rename(parked, info->path);
  if (done) done = files_.sync_directory(path_);
  if (!done) {
    (void)files_.remove(parked);
    return std::unexpected(std::move(done.error()));
  }
  checksums_[{info->id, info->size_bytes}] = info->sha256;
  return info;
}

Result<std::string> Directory::checksum_of(const BackupInfo& info) {
  const std::pair key(info.id, info.size_bytes);
  {
    const base::MutexLock lock(mutex_);
    if (const auto known = checksums_.find(key); known != checksums_.end()) return known->second;
  }
  auto sum = log::sha256_of_file(files_, info.path);
  if (!sum) return sum;
  const base::MutexLock lock(mutex_);
  return checksums_[key] = hex_of(*sum);
}

Result<BackupList> Directory::list() {
  BackupList list;
  const auto names = files_.list(path_);
  if (!names && names.error().code() == Errc::not_found) return list;
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!is_name(name)) continue;
    const auto reader = Reader::open(files_, path_ + "/" + name);
    if (!reader) {
      if (reader.error().code() != Errc::not_found) list.damaged.push_back(name);  // else it was removed meanwhile
      continue;
    }
    BackupInfo info = info_of(path_ + "/" + name, (*reader)->manifest(), (*reader)->size_bytes());
    auto sum = checksum_of(info);
    if (!sum) continue;
    info.sha256 = std::move(*sum);
    list.backups.push_back(std::move(info));
  }
  std::ranges::sort(list.backups, is_newer);
  return list;
}

Result<std::uint64_t> Directory::cleanup(const Retention& retention, std::int64_t now_ms) {
  const auto names = files_.list(path_);
  if (!names && names.error().code() == Errc::not_found) return 0;
  if (!names) return std::unexpected(names.error());
  std::vector<BackupInfo> backups;
  for (const std::string& name : *names) {
    if (!is_name(name)) continue;
    // What can't be read is no backup of an age: it stays, for whoever wants to know what happened to it.
    const auto reader = Reader::open(files_, path_ + "/" + name);
    if (reader) backups.push_back(info_of(path_ + "/" + name, (*reader)->manifest(), 0));
  }
  std::ranges::sort(backups, is_newer);
  std::uint64_t removed = 0;
  for (std::size_t at = 0; at < backups.size(); ++at) {
    const auto created_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(backups[at].created_at.time_since_epoch()).count();
    if (retention.count && at < *retention.count) continue;
    const std::int64_t age_days = (now_ms - std::min(now_ms, created_ms)) / a_day_ms;
    if (retention.days && static_cast<std::uint64_t>(age_days) < *retention.days) continue;
    auto done = files_.remove(backups[at].path);
    if (!done && done.error().code() != Errc::not_found) return std::unexpected(std::move(done.error()));
    if (done) ++removed;
  }
  if (removed == 0) return 0;
  if (auto synced = files_.sync_directory(path_); !synced) return std::unexpected(std::move(synced.error()));
  return removed;
}

Result<std::unique_ptr<Download>> Directory::open_download(std::string_view name) {
  const auto path = path_of(name);
  if (!path) return std::unexpected(path.error());
  auto file = files_.open(*path, env::OpenMode::read);
  if (file) return std::make_unique<Download>(std::move(*file));
  if (file.error().code() == Errc::not_found) return fail(Errc::not_found, "there is no such backup");
  return std::unexpected(std::move(file.error()));
}

Result<std::string> Download::read(std::uint64_t offset, std::size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  const auto read = file_->read_at(offset, bytes.data(), bytes.size());
  if (!read) return std::unexpected(read.error());
  bytes.resize(*read);
  return bytes;
}

// ---------------------------------------------------------------------------------------------------------------------
// Parts.

Result<void> Directory::add_part(std::string_view name, std::uint64_t offset, std::string_view bytes) {
  if (!is_name(name)) {
    return fail(
        Errc::invalid_request,
        "the name of a backup is letters, digits, '.', '_' and '-', not '.' first, at most 200, and ends with .backup");
  }
  if (auto made = files_.make_directories(path_); !made) return made;
  const std::string incoming = hidden(name, ".upload");
  if (offset == 0) {
    if (auto removed = files_.remove(incoming); !removed && removed.error().code() != Errc::not_found) return removed;
  }
  auto file = files_.open(incoming, offset == 0 ? env::OpenMode::create_private : env::OpenMode::write);
  if (!file && file.error().code() == Errc::not_found) {
    return fail(Errc::invalid_request,
                "offset is " + std::to_string(offset) + ", but nothing of it is here: begin with 0");
  }
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size_bytes();
  if (!size) return std::unexpected(size.error());
  if (*size != offset) {
    return fail(Errc::invalid_request, "offset is " + std::to_string(offset) + "; " + std::to_string(*size) +
                                           " bytes are here, go on behind them");
  }
  auto written = (*file)->write_at(offset, bytes);
  if (!written) {
    file->reset();
    (void)files_.remove(incoming);
  }
  return written;
}

Result<BackupInfo> Directory::finish_parts(std::string_view name, const Watch& watch) {
  const std::string incoming = hidden(name, ".upload");
  const auto refuse = [&](Error error) -> std::unexpected<Error> {
    (void)files_.remove(incoming);
    return std::unexpected(std::move(error));
  };
  auto info = verify(files_, incoming, max_value_bytes, watch);
  if (!info) {
    // Its name here is nobody's business.
    std::string message = info.error().message();
    if (const std::size_t at = message.find(incoming); at != std::string::npos)
      message.replace(at, incoming.size(), name);
    return refuse(Error(info.error().code(), std::move(message)));
  }
  info->name = name;
  info->path = path_ + "/" + std::string(name);
  const base::MutexLock lock(mutex_);
  if (exists(info->path)) {
    const auto there = log::sha256_of_file(files_, info->path);
    if (!there) return refuse(there.error());
    if (hex_of(*there) != info->sha256) {
      return refuse(Error(Errc::already_exists, "there is another backup of that name"));
    }
    (void)files_.remove(incoming);
    return info;
  }
  auto file = files_.open(incoming, env::OpenMode::write);
  if (!file) return refuse(std::move(file.error()));
  if (auto synced = (*file)->sync(); !synced) return refuse(std::move(synced.error()));
  if (auto renamed = files_.rename(incoming, info->path); !renamed) return refuse(std::move(renamed.error()));
  if (auto synced = files_.sync_directory(path_); !synced) return std::unexpected(std::move(synced.error()));
  checksums_[{info->id, info->size_bytes}] = info->sha256;
  return info;
}

void Directory::remove_unfinished() {
  const auto names = files_.list(path_);
  if (!names) return;
  for (const std::string& name : *names) {
    const bool is_unfinished = name.starts_with('.') &&
                               (name.ends_with("." + owner_ + ".tmp") || name.ends_with("." + owner_ + ".whole.tmp") ||
                                name.ends_with("." + owner_ + ".upload"));
    if (is_unfinished) (void)files_.remove(path_ + "/" + name);
  }
}

}  // namespace concord::backup
