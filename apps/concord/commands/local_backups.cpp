#include "commands/local_backups.hpp"

#include <unistd.h>

#include <chrono>

#include "backup/backup_file.hpp"
#include "backup/directory.hpp"
#include "env/file_system.hpp"

namespace concord::app {
namespace {

backup::Directory directory_at(env::FileSystem& files, const std::string& path) {
  return {files, path, "cli" + std::to_string(::getpid())};
}

}  // namespace

Result<BackupInfo> verify_local_backup(const std::string& path, const BackupProgress& progress) {
  const auto files = env::make_real_file_system();
  return backup::verify(*files, path, backup::max_value_bytes,
                        [&](std::uint64_t done, std::uint64_t total) -> Result<void> {
                          progress(done, total);
                          return {};
                        });
}

Result<BackupList> list_local_backups(const std::string& directory) {
  const auto files = env::make_real_file_system();
  return directory_at(*files, directory).list();
}

Result<std::uint64_t> clean_local_backups(const std::string& directory, std::optional<std::uint64_t> keep_count,
                                          std::optional<std::uint64_t> keep_days) {
  const auto files = env::make_real_file_system();
  const auto now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  return directory_at(*files, directory).cleanup(backup::retention_of(keep_count, keep_days), now_ms);
}

Result<BackupInfo> save_local_backup(const std::string& directory, const std::string& name, std::size_t part_bytes,
                                     const NextPart& next_part) {
  const auto files = env::make_real_file_system();
  backup::Directory saved = directory_at(*files, directory);
  for (std::uint64_t offset = 0;;) {
    const auto part = next_part(offset);
    auto added = part ? saved.add_part(name, offset, *part) : Result<void>(std::unexpected(part.error()));
    if (!added) {
      saved.remove_unfinished();
      return std::unexpected(std::move(added.error()));
    }
    offset += part->size();
    if (part->size() < part_bytes) break;
  }
  return saved.finish_parts(name, [](std::uint64_t, std::uint64_t) -> Result<void> { return {}; });
}

}  // namespace concord::app
