#include "log/snapshot_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "log/received_snapshot.hpp"

namespace concord::log {
namespace {

constexpr std::string_view temporary_ending = ".tmp";
constexpr BlockFileKind kind{.magic = "CNCRDSNP", .format = snapshot_format, .name = "snapshot"};

std::string file_name(base::Index index, base::Term term) {
  char name[80];
  std::snprintf(name, sizeof name, "snapshot-%020llu-%020llu.snap", static_cast<unsigned long long>(index.value()),
                static_cast<unsigned long long>(term.value()));
  return name;
}

}  // namespace

SnapshotFileInfo snapshot_file(const std::string& directory, base::Index index, base::Term term) {
  return {.path = directory + "/" + file_name(index, term), .index = index, .term = term};
}

std::optional<SnapshotFileInfo> parse_snapshot_name(const std::string& directory, const std::string& name) {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  if (name.size() != file_name({}, {}).size() || !name.starts_with("snapshot-")) return std::nullopt;
  std::from_chars(name.data() + 9, name.data() + 29, index);
  std::from_chars(name.data() + 30, name.data() + 50, term);
  SnapshotFileInfo info{.path = directory + "/" + name, .index = base::Index(index), .term = base::Term(term)};
  if (name != file_name(info.index, info.term)) return std::nullopt;
  return info;
}

Result<std::vector<SnapshotFileInfo>> list_snapshots(env::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return std::unexpected(names.error());
  std::vector<SnapshotFileInfo> found;
  for (const std::string& name : *names) {
    if (name.ends_with(temporary_ending) || name.ends_with(received_ending)) continue;
    auto info = parse_snapshot_name(directory, name);
    if (!info) return fail(Errc::storage_failed, directory + "/" + name + ": not a snapshot file");
    found.push_back(std::move(*info));
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) { return a.index > b.index; });
  return found;
}

Result<void> remove_unfinished_snapshots(env::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!name.ends_with(temporary_ending)) continue;
    if (auto removed = files.remove(directory + "/" + name); !removed) return removed;
  }
  return {};
}

Result<void> remove_old_snapshots(env::FileSystem& files, const std::string& directory, std::size_t keep) {
  const auto found = list_snapshots(files, directory);
  if (!found) return std::unexpected(found.error());
  for (std::size_t at = keep; at < found->size(); ++at) {
    if (auto removed = files.remove((*found)[at].path); !removed) return removed;
  }
  return found->size() > keep ? files.sync_directory(directory) : Result<void>();
}

// ---------------------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(env::FileSystem& files, const std::string& directory,
                                                               base::Index index, base::Term term,
                                                               std::string_view meta) {
  SnapshotFileInfo info = snapshot_file(directory, index, term);
  const std::string temporary = info.path + std::string(temporary_ending);
  if (auto removed = files.remove(temporary); !removed && removed.error().code() != Errc::not_found) {
    return std::unexpected(std::move(removed.error()));
  }
  auto file = BlockFileWriter::create(files, temporary, kind, meta);
  if (!file) return std::unexpected(std::move(file.error()));
  return std::unique_ptr<SnapshotWriter>(new SnapshotWriter(std::move(info), std::move(*file)));
}

Result<SnapshotFileInfo> SnapshotWriter::finish() {
  if (auto done = file_->finish(info_.path); !done) return std::unexpected(std::move(done.error()));
  return info_;
}

Result<std::unique_ptr<BlockFileReader>> open_snapshot(env::FileSystem& files, const std::string& path) {
  return BlockFileReader::open(files, path, kind);
}

}  // namespace concord::log
