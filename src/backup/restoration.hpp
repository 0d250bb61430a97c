// Putting a backup back: the driver of the steps that the log takes (store/staging.hpp).
//
// First all of the file is looked through; a bad one is refused before anything is begun. Then its blocks go through the log as chunks,
// some at a time, and the next ones are read meanwhile. Whatever is not answered, or comes out of order behind a change of leader, is sent
// again from the first chunk that is not staged: chunks are numbered, and staging one twice does nothing. The commit may be asked for
// again too. So the restore goes on through the loss of a leader, until its time is over. What fails before the commit is aborted, or
// dropped by the replicas themselves.
//
// Thread rule: one thread, which may be any.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <concord/backup.hpp>
#include <concord/error.hpp>

#include "backup/backup_file.hpp"
#include "command/restore.hpp"
#include "command/token.hpp"
#include "node/runtime.hpp"

namespace concord::backup {

struct RestoreRequest {
  std::string path = {};
  std::vector<std::string> prefixes = {};
  bool with_tokens = false;
  command::TokenId as_token = {};
  std::chrono::steady_clock::time_point deadline = {};
};

/// `watch` is told of bytes read, of twice the file's size.
[[nodiscard]] Result<RestoredBackup> restore(node::Runtime& runtime, env::FileSystem& files,
                                             const RestoreRequest& request, const Watch& watch);

}  // namespace concord::backup
