// Files that belong to somebody else, for who wants to own a file system: for tests and simulation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/file_system.hpp"

namespace concord::env {

class BorrowedFileSystem final : public FileSystem {
 public:
  explicit BorrowedFileSystem(FileSystem& files) : files_(files) {}
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return files_.open(path, mode);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return files_.lock(path); }
  Result<void> make_directories(const std::string& path) override { return files_.make_directories(path); }
  Result<void> rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Result<void> remove(const std::string& path) override { return files_.remove(path); }
  Result<void> sync_directory(const std::string& path) override { return files_.sync_directory(path); }
  Result<std::vector<std::string>> list(const std::string& path) override { return files_.list(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return files_.free_bytes(path); }

 private:
  FileSystem& files_;
};

}  // namespace concord::env
