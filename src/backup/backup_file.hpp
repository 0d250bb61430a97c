// Backup files: the data of a store at one revision, readable anywhere.
//
//   name     := "concord_backup_" YYYYMMDD "T" HHMMSS ["_" number] ".backup"       UTC; any plain file name with that ending is one too
//   file     := a file of blocks (log/block_file.hpp) with magic "CNCRDBKP", format 1; its meta is the manifest (manifest.hpp)
//   raw      := entry* token*                       as in blocks of snapshots (store/snapshot.hpp); keys ascend over all blocks
//
// A reader takes nothing on trust: sums, order of keys, sizes, counts, types of values, and that JSON is JSON. No file can make it take
// more memory than a block may have, and no value claims to unpack to more than a value may have.
//
// Errors: invalid_backup, with file and offset; not_found; storage_failed; storage_full. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <concord/backup.hpp>
#include <concord/error.hpp>

#include "acl/registry.hpp"
#include "backup/manifest.hpp"
#include "env/file_system.hpp"
#include "log/block_file.hpp"
#include "store/snapshot.hpp"

namespace concord::backup {

/// No value is larger, whatever a store was configured to.
inline constexpr std::uint64_t max_value_bytes = 1U << 30U;

class Reader {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Reader>> open(env::FileSystem& files, const std::string& path);

  [[nodiscard]] const Manifest& manifest() const noexcept { return manifest_; }
  /// The next block, checked; false at the end, when all of it was found good.
  [[nodiscard]] Result<bool> next(std::string& raw);
  /// Looks through the values too: JSON must be JSON, and none larger than this when it is unpacked.
  void check_values(std::uint64_t limit_bytes) { value_limit_bytes_ = limit_bytes; }

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return file_->size_bytes(); }
  [[nodiscard]] std::uint64_t offset() const noexcept { return file_->offset(); }
  /// Precondition: it came to the end.
  [[nodiscard]] BackupInfo info() const;

 private:
  Reader(std::string path, std::unique_ptr<log::BlockFileReader> file, Manifest manifest)
      : path_(std::move(path)), file_(std::move(file)), manifest_(std::move(manifest)) {}
  [[nodiscard]] Result<void> check(std::string_view raw);
  [[nodiscard]] Result<void> check_end() const;
  [[nodiscard]] std::unexpected<Error> damaged(const std::string& what) const;

  std::string path_;
  std::unique_ptr<log::BlockFileReader> file_;
  Manifest manifest_;
  std::uint64_t value_limit_bytes_ = 0;  // 0: values are not looked into
  std::string last_key_;
  std::optional<acl::Item> last_access_;
  std::uint64_t entries_ = 0;
  std::uint64_t tokens_ = 0;
};

/// What can be told of a file that was opened: all but its checksum.
[[nodiscard]] BackupInfo info_of(const std::string& path, const Manifest& manifest, std::uint64_t size_bytes);

/// Asked now and then whether to go on, with what is done of the whole; an error ends it.
using Watch = std::function<Result<void>(std::uint64_t done, std::uint64_t total)>;

/// Reads all of it. Errors: invalid_backup when it is damaged.
[[nodiscard]] Result<BackupInfo> verify(env::FileSystem& files, const std::string& path,
                                        std::uint64_t value_limit_bytes, const Watch& watch);

/// Writes a backup under `temporary_path`, and gives it the name `path` when it is whole. Nothing is left when that fails.
[[nodiscard]] Result<BackupInfo> write(env::FileSystem& files, const std::string& temporary_path,
                                       const std::string& path, store::Snapshot& data, Manifest manifest,
                                       const Watch& watch);

}  // namespace concord::backup
