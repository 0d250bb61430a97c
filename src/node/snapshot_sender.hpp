// Sends snapshot files to followers that are too far behind for the log.
//
// A transfer goes in pieces over the peer's bulk channel, one after the other, at a bounded rate, and goes on where it was
// when the connection broke. It says how it ended, once: raft sends such a follower nothing until then (reliability 3.8).
// Its steps are tasks of the executor: read a piece, ask the peer to take it, go on with the answer.
//
// Thread rule: any thread; `done` is called on the executor's, or inside `send`.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "env/executor.hpp"
#include "env/file_system.hpp"
#include "log/outgoing_snapshot.hpp"
#include "node/peer_messages.hpp"
#include "transport/transport.hpp"

namespace concord::node {

class SnapshotSender {
 public:
  struct Progress {
    std::uint64_t sent_bytes = 0;
    std::uint64_t size_bytes = 0;
  };
  using Done = std::function<void(base::NodeId to, bool delivered)>;
  using Say = std::function<void(const std::string&)>;

  struct Tools {
    transport::Transport& transport;
    env::FileSystem& files;
    env::Executor& executor;
    std::function<std::uint64_t()> now_ms;
    Done done;
    Say say;
  };

  explicit SnapshotSender(Tools tools) : tools_(std::move(tools)) {}
  SnapshotSender(const SnapshotSender&) = delete;
  SnapshotSender& operator=(const SnapshotSender&) = delete;
  /// Precondition: `stop`; transport and executor, in this order, have ended.
  ~SnapshotSender() = default;

  /// The transport is not called any more when this returns; what waits for an answer waits until the transport ends it.
  void stop() {
    const base::MutexLock lock(asking_mutex_);
    is_stopping_ = true;
  }

  /// One transfer a peer: a second one ends at once as not delivered, or with the one under way if that is the same snapshot. False: it
  /// was not begun.
  bool send(base::NodeId to, const std::string& path, const SnapshotHead& head, std::string message);
  [[nodiscard]] std::map<base::NodeId, Progress> progress() const;

 private:
  struct Transfer {
    base::NodeId to;
    SnapshotHead head;
    std::string path;
    std::string message;
    int attempts = 0;
    std::optional<log::OutgoingSnapshot> file = {};  // of the attempt under way, as what follows
    std::uint64_t begun_at_bytes = 0;
    std::uint64_t begun_at_ms = 0;
    std::atomic<std::uint64_t> sent_bytes{0};
    std::atomic<std::uint64_t> size_bytes{0};
    std::atomic<bool> ended{false};
  };
  using TransferPtr = std::shared_ptr<Transfer>;
  using Next = void (SnapshotSender::*)(const TransferPtr&, Result<std::string>);

  // The steps.
  void begin(const TransferPtr& transfer);
  void take_begun(const TransferPtr& transfer, Result<std::string> answer);
  void send_piece(const TransferPtr& transfer);
  void take_piece_sent(const TransferPtr& transfer, Result<std::string> answer);
  void take_ended(const TransferPtr& transfer, Result<std::string> answer);
  void end_attempt(const TransferPtr& transfer, const Error& error);
  void end(const TransferPtr& transfer, bool delivered);

  void ask(const TransferPtr& transfer, Method method, std::string body, Next next);

  const Tools tools_;
  base::Mutex asking_mutex_;  // held while the transport is called
  bool is_stopping_ ABSL_GUARDED_BY(asking_mutex_) = false;
  mutable base::Mutex mutex_;
  std::map<base::NodeId, TransferPtr> transfers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::node
