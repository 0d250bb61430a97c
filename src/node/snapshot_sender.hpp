// Sends snapshot files to followers that are too far behind for the log, each in a thread of its own.
//
// A transfer goes in pieces over the peer's bulk channel, one after the other, at a bounded rate, and goes on where it was
// when the connection broke. It says how it ended, once: raft sends such a follower nothing until then (reliability 3.8).
//
// Thread rule: any thread; `done` is called on the transfer's thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"
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

  SnapshotSender(transport::Transport& transport, env::FileSystem& files, Done done, Say say)
      : transport_(transport), files_(files), done_(std::move(done)), say_(std::move(say)) {}
  /// Precondition: `stop`, and the transport has ended its requests.
  ~SnapshotSender();
  SnapshotSender(const SnapshotSender&) = delete;
  SnapshotSender& operator=(const SnapshotSender&) = delete;

  /// The transport is not called any more when this returns; what waits for an answer waits until the transport ends it.
  void stop() {
    const std::lock_guard lock(asking_mutex_);
    stopping_.store(true, std::memory_order_relaxed);
  }

  /// One transfer a peer: a second one ends at once as not delivered.
  void send(base::NodeId to, const std::string& path, const SnapshotHead& head, std::string message);
  [[nodiscard]] std::map<base::NodeId, Progress> progress() const;

 private:
  struct Transfer {
    base::NodeId to;
    SnapshotHead head;
    std::string path;
    std::string message;
    std::atomic<std::uint64_t> sent_bytes{0};
    std::atomic<std::uint64_t> size_bytes{0};
    std::atomic<bool> ended{false};
    std::thread thread = {};
  };

  void run(Transfer& transfer);
  void pause(std::chrono::milliseconds time) const;
  Result<void> transmit(Transfer& transfer);
  Result<std::string> ask(base::NodeId to, Method method, std::string body);
  [[nodiscard]] bool is_stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }

  transport::Transport& transport_;
  env::FileSystem& files_;
  const Done done_;
  const Say say_;
  std::mutex asking_mutex_;  // held while the transport is called
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::map<base::NodeId, std::unique_ptr<Transfer>> transfers_;  // guarded by mutex_
};

}  // namespace concord::node
