// Receives the snapshot file of a leader, piece by piece, and reads it, before raft hears of it.
//
// One transfer at a time: a newer one, or one of another term, ends that before. Reading the whole file takes its time, so that is done
// by tasks of the executor, block by block with pauses: the machine's other threads, those of other members perhaps, find a processor
// within a millisecond, and the writes of the cluster don't wait for a follower that catches up.
//
// Thread rule: one thread (the transport's); `post` and `done` are called on the executor's. The executor ends first.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <concord/error.hpp>

#include "env/executor.hpp"
#include "env/file_system.hpp"
#include "log/incoming_snapshot.hpp"
#include "node/input.hpp"
#include "node/peer_messages.hpp"
#include "store/snapshot.hpp"

namespace concord::node {

class SnapshotReceiver {
 public:
  using Done = std::move_only_function<void(Result<void>)>;

  SnapshotReceiver(env::FileSystem& files, env::Executor& executor, std::string directory,
                   std::function<void(Input)> post)
      : files_(files), executor_(executor), directory_(std::move(directory)), post_(std::move(post)) {}
  ~SnapshotReceiver() = default;
  SnapshotReceiver(const SnapshotReceiver&) = delete;
  SnapshotReceiver& operator=(const SnapshotReceiver&) = delete;

  /// Where the sender is to go on.
  [[nodiscard]] Result<std::uint64_t> begin(const SnapshotHead& head);
  [[nodiscard]] Result<void> append(const SnapshotPiece& piece);
  /// All bytes are here: `done` says whether they are good.
  void end(base::NodeId from, const SnapshotPiece& message, Done done);

 private:
  /// A received file that is being read.
  struct Reading {
    base::NodeId from;
    std::string message;
    Done done;
    std::optional<store::SnapshotLoader> loader = {};
  };
  using ReadingPtr = std::unique_ptr<Reading>;

  // The steps.
  void begin_reading(ReadingPtr reading);
  void read_block(ReadingPtr reading);
  void end_reading(ReadingPtr reading);

  void answer(ReadingPtr reading, Result<void> outcome);

  env::FileSystem& files_;
  env::Executor& executor_;
  const std::string directory_;
  const std::function<void(Input)> post_;
  std::unique_ptr<log::IncomingSnapshot> incoming_;  // the transport's thread, but while `is_reading_`
  std::atomic<bool> is_reading_{false};
};

}  // namespace concord::node
