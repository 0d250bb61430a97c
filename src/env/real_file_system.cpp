// The operating system's files.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "env/file_system.hpp"

namespace concord::env {
namespace {

std::unexpected<Error> io_error(std::string_view operation, const std::string& path, int reason) {
  const bool full = reason == ENOSPC || reason == EDQUOT;
  const Errc code = full ? Errc::storage_full : reason == ENOENT ? Errc::not_found : Errc::storage_failed;
  return fail(code, path + ": " + std::string(operation) + ": " + std::generic_category().message(reason));
}

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

int open_retrying(const char* path, int flags) noexcept {
  int number = -1;
  do {
    number = ::open(path, flags | O_CLOEXEC, 0600);
  } while (number < 0 && errno == EINTR);
  return number;
}

class RealFile final : public File {
 public:
  RealFile(Descriptor descriptor, std::string path) noexcept
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size_bytes) override {
    std::size_t done = 0;
    while (done < size_bytes) {
      const ssize_t got = ::pread(descriptor_.get(), to + done, size_bytes - done, static_cast<off_t>(offset + done));
      if (got == 0) break;
      if (got < 0 && errno != EINTR) return io_error("read", path_, errno);
      if (got > 0) done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno != EINTR) return io_error("write", path_, errno);
      if (put <= 0) continue;
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
    return {};
  }

  Result<void> sync() override {
    // Not repeated on EINTR either: what a failed sync has done is unknown (reliability: fsync is asked once).
    if (::fdatasync(descriptor_.get()) != 0) return io_error("sync", path_, errno);
    return {};
  }

  void begin_writing(std::uint64_t offset, std::uint64_t size_bytes) override {
    (void)::sync_file_range(descriptor_.get(), static_cast<off64_t>(offset), static_cast<off64_t>(size_bytes),
                            SYNC_FILE_RANGE_WRITE);
  }

  Result<void> allocate(std::uint64_t size_bytes) override {
    int reason = 0;
    do {
      reason = ::posix_fallocate(descriptor_.get(), 0, static_cast<off_t>(size_bytes));
    } while (reason == EINTR);
    if (reason != 0) return io_error("allocate", path_, reason);
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> size_bytes() const override {
    struct stat status{};
    if (::fstat(descriptor_.get(), &status) != 0) return io_error("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  Descriptor descriptor_;
  std::string path_;
};

class RealLock final : public FileLock {
 public:
  explicit RealLock(Descriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const int flags = mode == OpenMode::read ? O_RDONLY : mode == OpenMode::write ? O_RDWR : O_RDWR | O_CREAT | O_EXCL;
    Descriptor descriptor(open_retrying(path.c_str(), flags));
    if (descriptor.get() < 0) return io_error("open", path, errno);
    return std::make_unique<RealFile>(std::move(descriptor), path);
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Descriptor descriptor(open_retrying(path.c_str(), O_RDWR | O_CREAT));
    if (descriptor.get() < 0) return io_error("open", path, errno);
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return io_error("lock", path, errno);
      char holder[32] = {};
      const ssize_t size = ::pread(descriptor.get(), holder, sizeof holder - 1, 0);
      std::string_view who(holder, size > 0 ? static_cast<std::size_t>(size) : 0);
      while (who.ends_with('\n')) who.remove_suffix(1);
      return fail(Errc::cluster_not_ready,
                  path + ": already open" + (who.empty() ? "" : " by process " + std::string(who)));
    }
    // For people only: the lock is the kernel's, it ends with its holder.
    char text[32];
    const int size = std::snprintf(text, sizeof text, "%d\n", static_cast<int>(::getpid()));
    if (::ftruncate(descriptor.get(), 0) != 0 ||
        ::pwrite(descriptor.get(), text, static_cast<std::size_t>(size), 0) != size) {
      return io_error("write", path, errno);
    }
    return std::make_unique<RealLock>(std::move(descriptor));
  }

  Result<void> make_directories(const std::string& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return io_error("create directory", path, error.value());
    return {};
  }

  Result<void> make_private_directory(const std::string& path) override {
    if (auto made = make_directories(directory_of(path)); !made) return made;
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    return errno == EEXIST ? make_directories(path) : io_error("create directory", path, errno);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) return io_error("rename", from, errno);
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return io_error("remove", path, errno);
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    const Descriptor descriptor(open_retrying(path.c_str(), O_RDONLY | O_DIRECTORY));
    if (descriptor.get() < 0) return io_error("open", path, errno);
    if (::fsync(descriptor.get()) != 0) return io_error("sync", path, errno);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      names.push_back(at->path().filename().string());
    }
    if (error) return io_error("list", path, error.value());
    std::ranges::sort(names);
    return names;
  }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs status{};
    if (::statvfs(path.c_str(), &status) != 0) return io_error("statvfs", path, errno);
    return std::uint64_t{status.f_bavail} * status.f_frsize;
  }
};

}  // namespace

std::unique_ptr<FileSystem> make_real_file_system() { return std::make_unique<RealFileSystem>(); }

}  // namespace concord::env
