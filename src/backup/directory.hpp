// A directory of backups: their names, what is there, what is removed, and those that come in parts.
//
// Names are plain: letters, digits, '.', '_' and '-', not '.' first, at most 200, ".backup" last. So no name leads out of the directory,
// and a file that is being written (".NAME.OWNER.tmp") or comes in (".NAME.OWNER.upload") is no backup. `owner` tells the nodes apart that
// share a directory.
//
// Errors: those of backup_file.hpp; invalid_request for a name that is none. Thread rule: any thread; parts of one name one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/backup.hpp>
#include <concord/error.hpp>

#include "backup/backup_file.hpp"
#include "base/mutex.hpp"
#include "env/file_system.hpp"

namespace concord::backup {

[[nodiscard]] bool is_name(std::string_view name) noexcept;

/// What a cleanup keeps: what any rule that is there keeps.
struct Retention {
  std::optional<std::uint64_t> count = {};
  std::optional<std::uint64_t> days = {};
};

/// Without a rule: the usual ones.
[[nodiscard]] inline Retention retention_of(std::optional<std::uint64_t> count, std::optional<std::uint64_t> days) {
  if (!count && !days) return {.count = 10, .days = 30};
  return {.count = count, .days = days};
}

/// The file of a backup for whoever takes it away; stays good when the backup is removed meanwhile. Thread rule: one at a time.
class Download {
 public:
  explicit Download(std::unique_ptr<env::File> file) : file_(std::move(file)) {}
  /// Fewer bytes only at the end.
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::size_t size_bytes);

 private:
  std::unique_ptr<env::File> file_;
};

class Directory {
 public:
  Directory(env::FileSystem& files, std::string path, std::string owner)
      : files_(files), path_(std::move(path)), owner_(std::move(owner)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Errors: not_found: it is no name, and so no backup has it.
  [[nodiscard]] Result<std::string> path_of(std::string_view name) const;

  /// Writes a new one.
  [[nodiscard]] Result<BackupInfo> create(store::Snapshot& data, Manifest manifest, const Watch& watch);
  /// With their checksums, which takes a look at each file that is new here. A directory that is not there holds none.
  [[nodiscard]] Result<BackupList> list();
  /// How many. `now_ms`: of the wall clock.
  [[nodiscard]] Result<std::uint64_t> cleanup(const Retention& retention, std::int64_t now_ms);
  [[nodiscard]] Result<std::unique_ptr<Download>> open_download(std::string_view name);

  /// A part of a backup that comes in, behind what came before; 0 begins it anew. The last one is looked through, and only then it has its
  /// name; one that is there already with the same bytes is that one. Errors: invalid_request, with the offset that is awaited;
  /// already_exists.
  [[nodiscard]] Result<void> add_part(std::string_view name, std::uint64_t offset, std::string_view bytes);
  [[nodiscard]] Result<BackupInfo> finish_parts(std::string_view name, const Watch& watch);
  /// What this owner left unfinished; before anything is begun.
  void remove_unfinished();

 private:
  [[nodiscard]] std::string hidden(std::string_view name, std::string_view ending) const;
  [[nodiscard]] Result<std::string> free_name(std::int64_t created_at_ms);
  [[nodiscard]] Result<std::string> checksum_of(const BackupInfo& info);
  [[nodiscard]] bool exists(const std::string& path);

  env::FileSystem& files_;
  const std::string path_;
  const std::string owner_;
  base::Mutex mutex_;
  std::map<std::pair<std::string, std::uint64_t>, std::string> checksums_ ABSL_GUARDED_BY(mutex_);  // by id and size
};

}  // namespace concord::backup
