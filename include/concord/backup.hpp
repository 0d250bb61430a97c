// Backups: everything that a store holds at one revision, in one file, and the way back.
//
// A backup is made while reads and writes go on, on any node, of the state as of one revision. It is a file of its own: compressed,
// with checksums over each part and a SHA-256 over the whole, readable by its owner alone. It has its name only once it is whole.
//
//     concord::Backup backup(store);
//     auto made = backup.create();                                   // into BackupOptions::dir of the node
//     auto verdict = backup.verify(made->name);
//     auto restored = backup.restore(made->name);                    // all nodes have that data now, at restored->revision
//     backup.cleanup({.keep_count = 24, .keep_days = 7});
//
// Which backup. A name (`concord_backup_20251023T143052.backup`) is a file in the node's directory of backups. An embedded `Node` takes
// a path too: whatever holds a '/'. Over HTTP (`Client`) there are names only.
//
// Restoring goes through the log, so it reaches all nodes and is survived by the loss of any of them: until its end nobody sees any of it;
// then all keys are replaced at one revision, which is the next one, so revisions go on. What was written meanwhile is replaced too, as
// everything else. Event streams are told by one event, `restored`. A key whose time has passed by now is left out; the others have the
// time left that they would have had. Tokens stay as they are, so nobody is locked out, and a revoked token stays revoked;
// `RestoreBackupOptions::with_tokens` adds those of the backup that are not there, for a cluster that is new; roles, users, tenants too.
//
// All calls need the permission `admin`. They take as long as the data are large: their time is an hour unless said. A call that ends
// early has left no file behind, and changed nothing unless its error says `maybe_committed()`.
//
// Errors: not_found (no such backup), invalid_backup (damaged, of a newer version, not a backup: nothing was changed), storage_full,
// storage_failed, overloaded (too much of that at once), cluster_not_ready, timeout, unauthorized, forbidden, invalid_request.
// Thread rule: any thread; the store outlives the calls. Progress is told on the thread that calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/options.hpp>
#include <concord/revision.hpp>

namespace concord {

class Store;

struct BackupInfo {
  std::string name = {};
  std::string path = {};  ///< Where it stands on the node.
  std::uint64_t size_bytes = 0;
  std::uint64_t entry_count = 0;
  Revision revision = {};  ///< Whose state it is.
  std::chrono::system_clock::time_point created_at = {};
  std::string sha256 = {};  ///< Of the file, in 64 hexadecimal digits, as sha256sum(1) has it.
  std::string id = {};      ///< 16 hexadecimal digits, drawn when it was made.
  std::string cluster = {};
  std::string node = {};
  std::string version = {};  ///< Of the program that made it.
};

struct BackupList {
  std::vector<BackupInfo> backups = {};   ///< The newest first.
  std::vector<std::string> damaged = {};  ///< Names of files that should be backups and can't be read.
};

struct BackupVerdict {
  bool valid = false;
  std::string reason = {};  ///< When it is not.
};

struct RestoredBackup {
  Revision revision = {};         ///< Of everything that was restored.
  std::uint64_t entry_count = 0;  ///< Keys that are there now; a restore by prefixes counts those it brought.
};

/// Called now and then; `total` is 0 while it is not known.
using BackupProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct CreateBackupOptions {
  std::string directory = {};                       ///< Embedded only. Empty: `BackupOptions::dir`.
  std::optional<ReadConsistency> consistency = {};  ///< As of a read. `eventual` needs no quorum.
  std::chrono::milliseconds timeout = std::chrono::hours(1);
  std::string_view token = {};
  BackupProgress progress = {};  ///< Of entries; embedded only.
};

struct BackupReadOptions {
  std::string directory = {};  ///< Embedded only. Empty: `BackupOptions::dir`.
  std::chrono::milliseconds timeout = std::chrono::hours(1);
  std::string_view token = {};
};

struct RestoreBackupOptions {
  std::vector<std::string> prefixes = {};  ///< Only keys that begin so are replaced, all others stay; at most 64.
  bool with_tokens = false;  ///< Adds the tokens, roles, users and tenants of the backup that are not there.
  std::chrono::milliseconds timeout = std::chrono::hours(1);
  std::string_view token = {};
  BackupProgress progress = {};  ///< Of bytes of the file, which is read twice; embedded only.
};

/// What any given rule keeps is kept. None given: 10 and 30 days.
struct CleanupBackupsOptions {
  std::optional<std::uint64_t> keep_count = {};  ///< So many of the newest.
  std::optional<std::uint64_t> keep_days = {};   ///< Those no older than so many days.
  std::string directory = {};                    ///< Embedded only. Empty: `BackupOptions::dir`.
  std::chrono::milliseconds timeout = std::chrono::hours(1);
  std::string_view token = {};
};

class CONCORD_API Backup {
 public:
  explicit Backup(Store& store) noexcept : store_(&store) {}

  Result<BackupInfo> create(const CreateBackupOptions& options = {});
  Result<BackupList> list(const BackupReadOptions& options = {});
  /// Reads all of it. One that is damaged is an answer, not an error.
  Result<BackupVerdict> verify(std::string_view backup, const BackupReadOptions& options = {});
  /// Replaces the data of the whole cluster.
  Result<RestoredBackup> restore(std::string_view backup, const RestoreBackupOptions& options = {});
  /// How many were removed.
  Result<std::uint64_t> cleanup(const CleanupBackupsOptions& options = {});

 private:
  Store* store_;
};

}  // namespace concord
