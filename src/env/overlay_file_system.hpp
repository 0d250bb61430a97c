// Files to look at without touching them: they read as they are, and every change is kept in memory and forgotten with this object.
// What repairs files while it opens them, as the log does, can so be asked what it would find.
//
// Only locks are real: what is looked at must hold still. A lock may create its file, and its text changes.
//
// Changes take memory by pages of 4 KiB; space that is merely allocated takes none. What lies below must not change meanwhile, and
// outlives this object, which outlives the files it opened. Thread rule: one thread at a time, its files included.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "env/file_system.hpp"

namespace concord::env {

class OverlayFileSystem final : public FileSystem {
 public:
  explicit OverlayFileSystem(FileSystem& below);
  ~OverlayFileSystem() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return below_.lock(path); }
  Result<void> make_directories(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  /// Nothing takes space on the disk.
  Result<std::uint64_t> free_bytes(const std::string& path) override;

 private:
  class Content;
  class OverlayFile;
  using ContentPtr = std::shared_ptr<Content>;

  Result<ContentPtr> find(const std::string& path);

  FileSystem& below_;
  std::map<std::string, ContentPtr> known_;  // by path: opened or made here; null: removed here
  std::set<std::string> directories_;        // made here, or there before
};

}  // namespace concord::env
