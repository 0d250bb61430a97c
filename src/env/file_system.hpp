// Files, as a seam: the real ones in production, faulty ones in memory in tests (memory_file_system.hpp).
//
// Errors, everywhere: storage_full (no space or quota), not_found (no such file), storage_failed (everything else). The
// message names the operation, the file and the system's reason. Paths are UTF-8 text with '/'. Files that are made can be read by
// their owner only.
//
// What survives what. A write survives the end of the process at once, a power cut only after `File::sync`. A name that was
// made, renamed or removed survives a power cut only after `sync_directory` of its directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

namespace concord::env {

enum class OpenMode : std::uint8_t {
  read,            ///< must exist
  write,           ///< must exist; reading allowed
  create_new,      ///< must not exist; reading allowed
  create_private,  ///< the same, for nobody but its owner (0600)
};

[[nodiscard]] constexpr bool makes_a_file(OpenMode mode) noexcept {
  return mode == OpenMode::create_new || mode == OpenMode::create_private;
}

/// Thread rule: calls of one file may come from several threads as long as writes don't overlap reads or writes.
class File {
 public:
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// Reads up to `size_bytes`; fewer only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size_bytes) = 0;
  /// Writes all of it or fails.
  [[nodiscard]] virtual Result<void> write_at(std::uint64_t offset, std::string_view bytes) = 0;
  /// All written bytes survive a power cut. After a failure the state of the file on disk is unknown: never try again.
  [[nodiscard]] virtual Result<void> sync() = 0;
  /// These bytes may go to the disk already, so that a later `sync` finds little to do and holds up nobody else's. Promises nothing.
  virtual void begin_writing(std::uint64_t /*offset*/, std::uint64_t /*size_bytes*/) {}
  /// Makes the file at least so long, of zeros, with its space taken: later writes inside can't meet storage_full.
  [[nodiscard]] virtual Result<void> allocate(std::uint64_t size_bytes) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size_bytes() const = 0;
  [[nodiscard]] virtual const std::string& path() const noexcept = 0;

 protected:
  File() = default;
};

/// Held as long as it lives.
class FileLock {
 public:
  virtual ~FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 protected:
  FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// Creates the file if missing and locks it against every other process and every other call.
  /// Errors: cluster_not_ready when somebody else holds it.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  /// With all parents; nothing when it exists.
  [[nodiscard]] virtual Result<void> make_directories(const std::string& path) = 0;
  /// The same; one that is made is its owner's alone.
  [[nodiscard]] virtual Result<void> make_private_directory(const std::string& path) { return make_directories(path); }
  /// Replaces `to` if it exists.
  [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> sync_directory(const std::string& path) = 0;
  /// Names in a directory, ascending, without "." and "..".
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

[[nodiscard]] Result<std::string> read_file(FileSystem& files, const std::string& path);
/// The same into `bytes`, whatever they hold: many large files in turn take one allocation.
[[nodiscard]] Result<void> read_file(FileSystem& files, const std::string& path, std::string& bytes);

/// The file holds the old bytes or the new ones, whatever happens meanwhile: temporary name, sync, rename, sync of the
/// directory. The temporary name is `path` + ".tmp".
[[nodiscard]] Result<void> write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes);

/// "a/b/c" -> "a/b"; "c" -> ".".
[[nodiscard]] std::string directory_of(const std::string& path);

/// The operating system's.
[[nodiscard]] std::unique_ptr<FileSystem> make_real_file_system();

}  // namespace concord::env
