// The directory a node lives in: whose it is, and that nobody else has it open.
//
//   DIR/LOCK        locked while a node has the directory open; its text, the process id, is for people
//   DIR/identity    identity := "concord data directory\nformat 1\ncluster " hex16 "\nnode " hex16 "\nincarnation " decimal
//                               "\nformed " ("yes"|"no") "\ncrc " hex8 "\n"            crc over all lines before it
//   DIR/log/        log segments (record.hpp)
//   DIR/snapshots/  snapshot files (snapshot_file.hpp)
//
// `incarnation` counts the opens, durably and before anything is done: with the node's id it makes request ids that never
// repeat. "formed no" says that the log's first segment was never completed, so nothing was ever acknowledged, and the next
// open begins again. A directory that holds anything else than a Concord directory does is refused and left as it is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"

namespace concord::log {

struct Identity {
  base::ClusterId cluster;
  base::NodeId node;
  std::uint64_t incarnation = 0;
  bool formed = false;
};

class DataDirectory {
 public:
  /// `drawn` is what a new directory gets: random ids, never 0.
  /// Errors: invalid_request (a foreign directory), cluster_not_ready (open elsewhere), storage_failed, storage_full.
  [[nodiscard]] static Result<DataDirectory> open(env::FileSystem& files, std::string path, const Identity& drawn);

  [[nodiscard]] const Identity& identity() const noexcept { return identity_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string log_path() const { return path_ + "/log"; }
  [[nodiscard]] std::string snapshots_path() const { return path_ + "/snapshots"; }
  /// The first log segment is durable.
  [[nodiscard]] Result<void> mark_formed(env::FileSystem& files);

 private:
  DataDirectory(std::string path, std::unique_ptr<env::FileLock> lock, const Identity& identity)
      : path_(std::move(path)), lock_(std::move(lock)), identity_(identity) {}

  std::string path_;
  std::unique_ptr<env::FileLock> lock_;
  Identity identity_;
};

}  // namespace concord::log
