// For tests: a file system whose changes are seen one by one: written down, held up, or made to fail.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/file_system.hpp"

namespace concord::env {

/// One change of files or names, with all that it takes to make it again elsewhere.
struct FileChange {
  enum class Kind : std::uint8_t {
    open,
    create,
    write,
    allocate,
    sync,
    lock,
    make_directories,
    rename,
    remove,
    sync_directory
  };
  Kind kind = Kind::open;
  std::uint64_t file = 0;  ///< number of the open file, from 1
  std::string path = {};
  std::string to = {};       ///< of a rename
  std::uint64_t offset = 0;  ///< of a write; the size of an allocation
  std::string bytes = {};

  /// Opening a file and making a directory (which is durable at once) change nothing that can be lost.
  [[nodiscard]] bool counts() const noexcept { return kind != Kind::open && kind != Kind::make_directories; }
};

/// Thread rule: any thread.
class FileWatch {
 public:
  /// Called before every change that counts, with how many were before it, without a lock: it may take its time. Its error is the
  /// change's, which then is not made.
  std::function<Result<void>(const FileChange& change, std::uint64_t number)> before;

  [[nodiscard]] Result<void> begin(const FileChange& change) {
    if (!change.counts()) return {};
    const std::uint64_t number = count_.fetch_add(1);
    return before ? before(change, number) : Result<void>();
  }
  /// Makes the change and writes it down, in the order in which changes are made.
  template <class Make>
  [[nodiscard]] auto make(FileChange change, Make make) {
    const std::lock_guard lock(mutex_);
    auto made = make();
    if (made) made_.push_back(std::move(change));
    return made;
  }
  [[nodiscard]] std::uint64_t next_file() { return ++files_; }
  /// How many changes have been made; what was seen before this call stands before that place.
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return made_.size();
  }
  [[nodiscard]] std::vector<FileChange> changes() const {
    const std::lock_guard lock(mutex_);
    return made_;
  }
  /// Changes that count, those that failed too.
  [[nodiscard]] std::uint64_t count() const { return count_.load(); }

 private:
  mutable std::mutex mutex_;
  std::vector<FileChange> made_;
  std::atomic<std::uint64_t> files_{0};
  std::atomic<std::uint64_t> count_{0};
};

class WatchedFile final : public File {
 public:
  WatchedFile(std::unique_ptr<File> file, std::uint64_t number, FileWatch& watch)
      : file_(std::move(file)), number_(number), watch_(watch) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size_bytes) override {
    return file_->read_at(offset, to, size_bytes);
  }
  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    return change({.kind = FileChange::Kind::write, .offset = offset, .bytes = std::string(bytes)},
                  [&] { return file_->write_at(offset, bytes); });
  }
  Result<void> sync() override {
    return change({.kind = FileChange::Kind::sync}, [&] { return file_->sync(); });
  }
  Result<void> allocate(std::uint64_t size_bytes) override {
    return change({.kind = FileChange::Kind::allocate, .offset = size_bytes},
                  [&] { return file_->allocate(size_bytes); });
  }
  Result<std::uint64_t> size_bytes() const override { return file_->size_bytes(); }
  const std::string& path() const noexcept override { return file_->path(); }

 private:
  template <class Make>
  Result<void> change(FileChange made, Make make) {
    made.file = number_;
    made.path = file_->path();
    if (auto begun = watch_.begin(made); !begun) return begun;
    return watch_.make(std::move(made), make);
  }

  std::unique_ptr<File> file_;
  std::uint64_t number_;
  FileWatch& watch_;
};

class WatchedFileSystem final : public FileSystem {
 public:
  WatchedFileSystem(FileSystem& files, FileWatch& watch) : files_(files), watch_(watch) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const auto kind = makes_a_file(mode) ? FileChange::Kind::create : FileChange::Kind::open;
    const std::uint64_t number = watch_.next_file();
    auto opened = change({.kind = kind, .file = number, .path = path}, [&] { return files_.open(path, mode); });
    if (!opened) return opened;
    return std::make_unique<WatchedFile>(std::move(*opened), number, watch_);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return change({.kind = FileChange::Kind::lock, .path = path}, [&] { return files_.lock(path); });
  }
  Result<void> make_directories(const std::string& path) override {
    return change({.kind = FileChange::Kind::make_directories, .path = path},
                  [&] { return files_.make_directories(path); });
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return change({.kind = FileChange::Kind::rename, .path = from, .to = to}, [&] { return files_.rename(from, to); });
  }
  Result<void> remove(const std::string& path) override {
    return change({.kind = FileChange::Kind::remove, .path = path}, [&] { return files_.remove(path); });
  }
  Result<void> sync_directory(const std::string& path) override {
    return change({.kind = FileChange::Kind::sync_directory, .path = path},
                  [&] { return files_.sync_directory(path); });
  }
  Result<std::vector<std::string>> list(const std::string& path) override { return files_.list(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return files_.free_bytes(path); }

 private:
  template <class Make>
  auto change(FileChange made, Make make) -> decltype(make()) {
    if (auto begun = watch_.begin(made); !begun) return std::unexpected(std::move(begun.error()));
    return watch_.make(std::move(made), make);
  }

  FileSystem& files_;
  FileWatch& watch_;
};

/// Makes changes again, one after the other, in files where none of them was made yet.
class FileReplay {
 public:
  explicit FileReplay(FileSystem& files) : files_(files) {}

  /// Of a write only the first half, if it shall be torn.
  [[nodiscard]] Result<void> make(const FileChange& change, bool is_torn = false) {
    switch (change.kind) {
      case FileChange::Kind::open: return open(change, OpenMode::write);
      case FileChange::Kind::create: return open(change, OpenMode::create_new);
      case FileChange::Kind::write: {
        const std::string_view bytes = change.bytes;
        return open_.at(change.file)->write_at(change.offset, is_torn ? bytes.substr(0, bytes.size() / 2) : bytes);
      }
      case FileChange::Kind::allocate: return open_.at(change.file)->allocate(change.offset);
      case FileChange::Kind::sync: return open_.at(change.file)->sync();
      case FileChange::Kind::lock: return lock(change);
      case FileChange::Kind::make_directories: return files_.make_directories(change.path);
      case FileChange::Kind::rename: return files_.rename(change.path, change.to);
      case FileChange::Kind::remove: return files_.remove(change.path);
      case FileChange::Kind::sync_directory: return files_.sync_directory(change.path);
    }
    return {};
  }

 private:
  Result<void> open(const FileChange& change, OpenMode mode) {
    auto opened = files_.open(change.path, mode);
    if (!opened) return std::unexpected(std::move(opened.error()));
    open_[change.file] = std::move(*opened);
    return {};
  }
  /// Only the file is left of it: who held it is gone.
  Result<void> lock(const FileChange& change) {
    auto held = files_.lock(change.path);
    if (!held) return std::unexpected(std::move(held.error()));
    return {};
  }

  FileSystem& files_;
  std::map<std::uint64_t, std::unique_ptr<File>> open_;
};

}  // namespace concord::env
