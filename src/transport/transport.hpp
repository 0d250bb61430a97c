// Connections between the members of a cluster: who is at the other end is proved first, then messages and requests pass.
//
// Every node dials every peer it is told of and keeps that connection; messages and requests to a peer leave on the connection this
// node dialled, answers come back on it. What a peer sends arrives on the connection the peer dialled. Each peer has two channels, each
// a connection of its own: `control` for messages and small requests, `bulk` for what must not delay them (snapshots).
//
//   handler.admit       once a connection's handshake proved the cookie: may this peer talk, and as what
//   handler.on_message  in the order sent, each at most once; what a broken connection had in flight is lost
//   request/answer      at most once; fails with `timeout` (and maybe_committed) when the connection broke or time passed after
//                       it was sent, or the answer could not be sent, with `cluster_not_ready` when it was never sent, with `overloaded` when too many are
//                       unanswered or the queue is full
//
// A send writes to the socket on the calling thread when nothing is queued before it: no change of thread on the way out.
//
// Bounds (reliability I12): frames, queues in bytes, handshakes under way, requests unanswered. A peer that stops reading costs its
// queue and nothing else. Half-open connections end by keep-alive; a handshake that isn't finished in time is closed.
//
// Thread rule: any thread for every call. The handler is called on the transport's one thread, never with a lock held.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "base/ids.hpp"
#include "security/tls_files.hpp"

namespace concord::env {
class Clock;
}

namespace concord::transport {

/// Who a node is, as it says in the handshake.
struct Identity {
  std::string cluster_name = {};
  base::ClusterId cluster = {};   ///< 0: belongs to none yet
  base::NodeId node = {};         ///< 0: has no id yet; may only make requests ("stranger")
  std::uint64_t directory = 0;    ///< random number of its data directory: a wiped one is told by it
  std::uint64_t incarnation = 0;  ///< of the directory's opens
  std::string name = {};          ///< node.name
  std::string peer_address = {};  ///< host:port others dial
  std::string api_url = {};       ///< empty: no HTTP API
  std::string version = {};       ///< of the program
};

enum class Channel : std::uint8_t { control = 0, bulk = 1 };

struct Limits {
  std::size_t max_frame_bytes = 160U << 20U;  ///< one message or request
  std::size_t max_queue_bytes =
      64U << 20U;                   ///< waiting for one channel of one peer; one frame always fits an empty queue
  std::size_t max_handshakes = 64;  ///< of incoming connections; above: the oldest is closed
  std::size_t max_requests = 4096;  ///< of one peer, unanswered
  std::chrono::milliseconds handshake_timeout{3000};
  std::chrono::milliseconds keep_alive{
      1000};  ///< a frame at least so often each way; silence of 5 of them ends a connection
  std::chrono::milliseconds redial_min{20};  ///< doubled after each failure up to redial_max, with jitter
  std::chrono::milliseconds redial_max{1000};
};

struct Options {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;  ///< 0: a free one
  std::string cookie = {};        ///< not empty
  Identity self = {};
  security::TlsFiles tls = {};  ///< all three, or none: then what passes between members can be read on the way
  Limits limits = {};
  std::function<void(LogLevel, const std::string&)> log = {};  ///< any thread
  const env::Clock* clock = nullptr;                           ///< for "once a minute" alone; none: the real one
};

/// Gives the answer to a request: once, from any thread; dropped: the requester gets `internal`. An error travels as its code and text.
using Respond = std::move_only_function<void(Result<std::string>)>;

enum class Lost : std::uint8_t { closed, reset, silent, garbled };  ///< why a connection ended; closed: EOF, reset: RST

/// Who refused a connection: whoever listens there, or who proved in that handshake that it knows the cookie.
enum class Refuser : std::uint8_t { anybody, member };

class Handler {
 public:
  /// An incoming connection proved the cookie and the same cluster name. An error refuses it; its text goes to the peer and the log.
  virtual Result<void> admit(const Identity& peer) = 0;
  /// From an admitted peer with an id. `bytes` is valid during the call.
  virtual void on_message(const Identity& from, std::string_view bytes) = 0;
  /// From any admitted peer, strangers too. `method` and `body` are the application's.
  virtual void on_request(const Identity& from, std::uint8_t method, std::string_view body, Respond respond) = 0;
  /// What was read from one socket at once was handed over: the moment to work on all of it together.
  virtual void on_read_done() = 0;
  /// A dialled connection is up (control channel): who answered. Called before any message to it can arrive there.
  virtual void on_connected(const Identity& peer) = 0;
  /// A connection to or from this peer ended (control channel, either direction).
  virtual void on_lost(base::NodeId peer, Lost why) = 0;
  /// The last handshake of a dialled peer was refused, by it or by us: at most once a minute for the same reason.
  virtual void on_refused(const std::string& address, const Error& why, Refuser by) = 0;

 protected:
  ~Handler() = default;
};

struct Peer {
  base::NodeId node = {};
  std::uint64_t directory = 0;  ///< the dialled node must say so; 0: any
  std::string address = {};     ///< host:port; resolved at every dial
};

struct PeerState {
  base::NodeId node = {};
  bool connected = false;       ///< control channel, dialled by us
  std::uint64_t silent_ms = 0;  ///< since the last frame from it, any connection
  std::size_t queued_bytes = 0;
  std::string last_error = {};  ///< why it is not connected
  Identity identity = {};       ///< as of its last handshake
};

/// An interface, so that a simulation can bring a network of its own.
class Transport {
 public:
  /// Over TCP. Listens. Errors: cluster_not_ready (the address is in use or unknown), invalid_request.
  [[nodiscard]] static Result<std::unique_ptr<Transport>> open(const Options& options, Handler& handler);
  /// No handler call after it returned. Requests that were sent fail with `timeout` (what they asked for may happen), those that
  /// were not with `cluster_not_ready`. Not to be called from the handler.
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
  /// Changes what this node says of itself: connections are made anew when cluster, node or directory differ.
  virtual void set_self(const Identity& self) = 0;
  /// The peers to keep connections with, instead of those before. Connections from ids that are not among them go on (admit decides).
  virtual void set_peers(std::vector<Peer> peers) = 0;
  /// Closes what the peer has open, both ways (it was removed).
  virtual void drop(base::NodeId peer) = 0;

  /// False: not connected, its queue is full, or the message is too large; the message is lost.
  virtual bool send(base::NodeId to, std::string_view bytes) = 0;
  /// `done` is called once, on the transport's thread, or inside the call when it can't be sent at all.
  virtual void request(base::NodeId to, Channel channel, std::uint8_t method, std::string body,
                       std::chrono::milliseconds timeout, std::move_only_function<void(Result<std::string>)> done) = 0;
  /// The same to an address, on a connection made for it and closed afterwards; who answers is told beside the answer. Fails with
  /// already_exists when that is this node itself.
  virtual void request_at(const std::string& address, std::uint8_t method, std::string body,
                          std::chrono::milliseconds timeout,
                          std::move_only_function<void(Result<std::pair<Identity, std::string>>)> done) = 0;

  [[nodiscard]] virtual std::vector<PeerState> peers() const = 0;

 protected:
  Transport() = default;
};

}  // namespace concord::transport
