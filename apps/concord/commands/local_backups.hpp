// Backups in directories of this machine, without a node.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <concord/backup.hpp>
#include <concord/error.hpp>

namespace concord::app {

[[nodiscard]] Result<BackupInfo> verify_local_backup(const std::string& path, const BackupProgress& progress);
[[nodiscard]] Result<BackupList> list_local_backups(const std::string& directory);
[[nodiscard]] Result<std::uint64_t> clean_local_backups(const std::string& directory,
                                                        std::optional<std::uint64_t> keep_count,
                                                        std::optional<std::uint64_t> keep_days);
/// A file that comes in parts, readable by its owner alone: `next_part(offset)` gives the bytes from there on, fewer than before only at the
/// end. It has its name once it was looked through; nothing is left else.
using NextPart = std::function<Result<std::string>(std::uint64_t offset)>;
[[nodiscard]] Result<BackupInfo> save_local_backup(const std::string& directory, const std::string& name,
                                                   std::size_t part_bytes, const NextPart& next_part);

}  // namespace concord::app
