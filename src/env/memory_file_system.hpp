// Files in memory that can fail like real ones: for tests and simulation.
//
// It tells written from durable. `power_cut` keeps what was synced and, of the rest, an arbitrary part chosen by the seed:
// each 512-byte sector that was written since the last sync is kept or lost by itself, each unsynced change of a directory
// is kept or lost as a prefix of its changes in order. `FaultPlan` makes the n-th operation of a kind fail.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "env/file_system.hpp"

namespace concord::env {

struct FaultPlan {
  std::optional<std::uint64_t> fail_write_after;  ///< that many writes succeed, the next fails (half of it written)
  std::optional<std::uint64_t> fail_sync_after;
  std::optional<std::uint64_t> capacity_bytes;  ///< of all files together; beyond: storage_full
};

class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Result<void> make_directories(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

  // --- faults ----------------------------------------------------------------------------------------------------------

  FaultPlan faults;
  /// The machine loses power and comes back. Open files of before must not be used again.
  void power_cut(std::uint64_t seed);
  /// A copy with the same files, all durable; no locks.
  [[nodiscard]] std::unique_ptr<MemoryFileSystem> clone() const;
  [[nodiscard]] std::string contents(const std::string& path) const;
  /// Replaces a file's bytes, durably.
  void set_contents(const std::string& path, std::string bytes);
  [[nodiscard]] std::vector<std::string> paths() const;
  /// Counts every write and sync that succeeded.
  [[nodiscard]] std::uint64_t writes() const noexcept { return writes_; }
  [[nodiscard]] std::uint64_t syncs() const noexcept { return syncs_; }

 private:
  friend class MemoryFile;
  friend class MemoryLock;

  struct Node {
    std::string bytes;
    std::string durable;
    std::set<std::uint64_t> dirty_sectors;
  };
  using NodePtr = std::shared_ptr<Node>;
  using Names = std::map<std::string, NodePtr>;
  /// One change of names since the directory was synced.
  struct NameChange {
    std::string directory;
    std::string name;
    NodePtr node;  ///< null: removed
  };

  void change_name(const std::string& path, NodePtr node);
  [[nodiscard]] std::uint64_t used_bytes() const;
  [[nodiscard]] Result<void> check_capacity(std::uint64_t more_bytes, const std::string& path) const;

  Names names_;
  Names durable_names_;
  std::vector<NameChange> unsynced_;
  std::set<std::string> directories_;
  std::set<std::string> locks_;
  std::uint64_t writes_ = 0;
  std::uint64_t syncs_ = 0;
};

}  // namespace concord::env
