// A connection whose handshake is done: frames out, frames in, requests and their answers.
//
// Out: `send` writes to the socket on the calling thread as long as nothing waits; what the socket doesn't take waits in a queue, and the
// transport's thread goes on when it can. In: the transport's thread reads what has come in one piece and hands out views of it.
//
// With TLS what is sealed and not yet taken by the socket waits too, before the queue: never more than `write_bytes` of it, so that the
// queue and its limit stay what holds a peer's arrears. Without it nothing is copied and nothing asked but whether there is TLS.
//
// Its lock covers the queue, TLS, the numbers of frames, the requests and the socket's life; no callback is called with it.
// Thread rule: `send`, `request`, `answer`, `queued_bytes` and `silent_for` from any thread, the rest on the transport's thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/mutex.hpp"
#include "transport/frame.hpp"
#include "transport/handshake.hpp"
#include "transport/receive_buffer.hpp"
#include "transport/send_queue.hpp"
#include "transport/shared.hpp"
#include "transport/stream.hpp"
#include "transport/transport.hpp"

namespace concord::transport {

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Done = std::move_only_function<void(Result<std::string>)>;
  using OnEnd = std::move_only_function<void(Lost)>;
  enum class Role : std::uint8_t { dialler, listener };

  Connection(std::shared_ptr<Shared> shared, Stream stream, Identity peer, Purpose purpose, Role role);

  [[nodiscard]] const Identity& peer() const noexcept { return peer_; }
  [[nodiscard]] Purpose purpose() const noexcept { return purpose_; }

  /// Reads and writes from now on; what was sent before has waited. `on_end` is called once, unless `close` is told not to.
  void start(OnEnd on_end);
  /// Requests without an answer fail.
  void close(Lost why, bool is_reported = true);
  /// Sends a sign of life when nothing else was sent since the last call; ends the connection when the peer gave none for too long.
  void check_alive();

  [[nodiscard]] bool send(std::string_view bytes);
  void request(std::uint8_t method, std::string body, std::chrono::milliseconds timeout, Done done);
  [[nodiscard]] std::size_t queued_bytes() const;
  /// Since the last byte came.
  [[nodiscard]] std::chrono::milliseconds silent_for() const noexcept;

 private:
  struct Pending {
    Time deadline;
    Done done;
  };
  struct Responder;
  enum class Push : std::uint8_t { done, full, ended };

  // Sending: connection_send.cpp.
  /// `more_bytes`: what the queue may hold beyond its limit.
  Push push(FrameKind kind, PayloadSum sum, std::string_view front, std::string_view body, std::size_t more_bytes = 0)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// The same for a body that may be kept instead of copied.
  Push push_string(FrameKind kind, PayloadSum sum, std::string_view front, std::string body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] Push may_push(std::size_t size_bytes, std::size_t more_bytes) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  /// Of the queue and what is sealed.
  [[nodiscard]] std::size_t waiting_bytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void write_queue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::optional<std::size_t> write(std::span<iovec> vectors) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::optional<std::size_t> write_to_socket(std::span<iovec> vectors)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::optional<std::size_t> seal(std::span<const iovec> vectors) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] bool write_sealed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void break_off(Lost why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void continue_later() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void wait_until_writable();
  void answer(std::uint64_t id, Result<std::string> result);

  // Receiving and requests: connection.cpp.
  void read();
  [[nodiscard]] bool take_bytes(std::size_t size_bytes);
  [[nodiscard]] bool unseal(std::size_t size_bytes);
  [[nodiscard]] std::size_t unseal_to(std::span<char> room);
  [[nodiscard]] bool take_frames();
  [[nodiscard]] Result<void> take(const Frame& frame);
  [[nodiscard]] Result<void> take_message(std::string_view payload);
  [[nodiscard]] Result<void> take_request(std::string_view payload);
  [[nodiscard]] Result<void> take_answer(std::string_view payload);
  [[nodiscard]] std::optional<Error> try_request(std::uint8_t method, std::string body, Time deadline, Done& done);
  void watch_deadlines();
  void fail_late_requests();
  [[nodiscard]] std::string peer_name() const;
  [[nodiscard]] std::size_t max_payload_bytes() const noexcept;

  const std::shared_ptr<Shared> shared_;  ///< before the socket: it must outlive it
  const Identity peer_;
  const Purpose purpose_;
  const Role role_;

  // Of the transport's thread.
  const std::unique_ptr<char[]> sealed_in_;  ///< where the socket's bytes go with TLS; none without
  ReceiveBuffer received_;
  std::uint64_t next_received_ = 1;
  std::size_t whole_bytes_ = frame_header_bytes;  ///< of the frame that is coming in, as far as is known
  boost::asio::steady_timer deadline_timer_;
  OnEnd on_end_;
  bool has_ended_ = false;

  std::atomic<std::int64_t> last_received_ticks_;
  std::atomic<std::size_t> unanswered_{0};  ///< requests of the peer
  std::atomic<std::uint64_t> next_request_{1};

  mutable base::Mutex mutex_;
  boost::asio::ip::tcp::socket
      socket_;  ///< closed under the lock, so that no other thread writes to a number that is used anew
  const std::unique_ptr<security::TlsSession> tls_ ABSL_PT_GUARDED_BY(mutex_);  ///< none: bytes go as they are
  std::string sealed_ ABSL_GUARDED_BY(mutex_);  ///< from `sealed_sent_` on: before anything of the queue
  std::size_t sealed_sent_ ABSL_GUARDED_BY(mutex_) = 0;
  SendQueue queue_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t next_sent_ ABSL_GUARDED_BY(mutex_) = 1;
  std::unordered_map<std::uint64_t, Pending> pending_ ABSL_GUARDED_BY(mutex_);
  Time watched_deadline_ ABSL_GUARDED_BY(mutex_) = Time::max();
  bool is_corked_ ABSL_GUARDED_BY(mutex_) = true;    ///< nothing is written yet
  bool is_waiting_ ABSL_GUARDED_BY(mutex_) = false;  ///< the transport's thread goes on with the queue
  bool is_broken_ ABSL_GUARDED_BY(mutex_) = false;   ///< writing failed; the end follows
  bool is_closed_ ABSL_GUARDED_BY(mutex_) = false;   ///< `has_ended_`, as other threads see it
  bool sent_since_check_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace concord::transport
