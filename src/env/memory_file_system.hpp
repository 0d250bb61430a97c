// Files in memory that can fail like real ones: for tests and simulation.
//
// It tells written from durable. `power_cut` keeps what was synced and, of the rest, an arbitrary part chosen by the seed:
// each 512-byte sector that was written since the last sync is kept or lost by itself, the unsynced changes of each directory
// are kept or lost as a prefix of its changes in order. Made directories are durable at once. `FaultPlan` makes the n-th
// operation of a kind fail, or stops everything at once, as the end of a process or of the power does.
//
// A failed sync is as bad as a real one: the bytes stay readable, are not on the disk, and the next sync says that all is well.
//
// Thread rule: any thread; but `power_cut`, `clone` and the destructor want that no file is in use.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "base/random.hpp"
#include "env/file_system.hpp"

namespace concord::env {

struct FaultPlan {
  std::optional<std::uint64_t> fail_write_after = {};  ///< so many writes succeed, the next fails (half of it written)
  std::optional<std::uint64_t> fail_sync_after = {};   ///< so many syncs of files succeed, the next fails
  std::optional<std::uint64_t> capacity_bytes = {};    ///< of all files together; beyond: storage_full
  /// So many changes of any kind succeed, no later one does anything, but for half of a write that comes just then.
  std::optional<std::uint64_t> stop_after = {};
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

  /// Counts of the plan begin where this object was made. `{}`: nothing fails any more.
  void set_faults(const FaultPlan& faults);
  /// Called before every sync of a file, without a lock: a test may block there. To be set while nobody uses the files.
  void before_sync(std::function<void(const std::string& path)> call) { before_sync_ = std::move(call); }
  /// The plan's stop has come, and something was refused since.
  [[nodiscard]] bool has_stopped() const;
  /// The machine loses power and comes back. Open files of before must not be used again; plans are forgotten.
  void power_cut(std::uint64_t seed);
  /// A copy with the same files, all durable; no locks.
  [[nodiscard]] std::unique_ptr<MemoryFileSystem> clone() const;
  [[nodiscard]] std::string contents(const std::string& path) const;
  /// Replaces a file's bytes, durably.
  void set_contents(const std::string& path, std::string bytes);
  [[nodiscard]] std::vector<std::string> paths() const;
  /// Count what succeeded: writes; syncs of files; changes of any kind, with syncs and changed names.
  [[nodiscard]] std::uint64_t writes() const;
  [[nodiscard]] std::uint64_t syncs() const;
  [[nodiscard]] std::uint64_t changes() const;

 private:
  friend class MemoryFile;
  friend class MemoryLock;

  /// Of a file: those that were written since the last sync.
  class Sectors {
   public:
    static constexpr std::uint64_t size_bytes = 512;

    /// All that have some of these bytes.
    void add(std::uint64_t begin_bytes, std::uint64_t end_bytes);
    void clear() noexcept { words_.clear(); }
    /// In order.
    template <class Visit>
    void visit(Visit visit) const {
      for (std::size_t at = 0; at < words_.size(); ++at) {
        for (std::uint64_t left = words_[at]; left != 0; left &= left - 1) {
          visit(at * word_bits + static_cast<std::uint64_t>(std::countr_zero(left)));
        }
      }
    }

   private:
    static constexpr std::uint64_t word_bits = 64;
    std::vector<std::uint64_t> words_;  // a bit a sector
  };
  struct Node {
    std::string bytes;
    std::string durable;
    Sectors dirty_sectors;

    void copy_sector(std::uint64_t sector, std::string& to) const;
  };
  using NodePtr = std::shared_ptr<Node>;
  using Names = std::map<std::string, NodePtr>;
  /// One change of names since the directory was synced.
  struct NameChange {
    std::string directory;
    std::string name;
    NodePtr node;            ///< null: removed
    bool with_next = false;  ///< first half of a rename: kept or lost together with the next change
  };

  void change_name(const std::string& path, NodePtr node, bool with_next = false) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void keep(const NameChange& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::uint64_t used_bytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] Result<void> check_capacity(std::uint64_t more_bytes, const std::string& path) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// Counts a change, or says why it can't be.
  [[nodiscard]] Result<void> begin_change(const std::string& path, const char* what)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::function<void(const std::string& path)> before_sync_;
  mutable base::Mutex mutex_;  // of all files too
  FaultPlan faults_ ABSL_GUARDED_BY(mutex_);
  Names names_ ABSL_GUARDED_BY(mutex_);
  Names durable_names_ ABSL_GUARDED_BY(mutex_);
  std::vector<NameChange> unsynced_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> directories_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> locks_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t writes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace concord::env
