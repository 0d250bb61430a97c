// The HTTP API over a `Database`.
//
//     auto server = http::Server::start(*database, {.host = "127.0.0.1", .port = 4000});
//     ... server->url() ...
//     server->stop(3s); database->close(1s);     // in this order; then destroy the server, then the database
//
// Threads: one io_context a thread and a connection stays on the thread it was given to, so nothing about a connection needs
// a lock or a strand. New connections go round the threads: SO_REUSEPORT would leave the choice to a hash of the addresses,
// which with a few dozen connections gives one thread twice the work of another, and drops what waits in a closed queue.
//
// Order: the requests of a connection are done one after another and answered in order; responses that are ready together
// leave in one write. A slow or silent client costs its connection's memory and nothing else (`Settings`).
//
// TLS: whoever says nothing, or takes its time, costs one of the handshakes that may be under way, and loses its place to those that
// come when there are too many. Its certificate is looked for again every second, and read again when it has changed.
//
// Errors of `start`: invalid_request, with the address and the reason. Thread rule: `stop` and `url` from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "http/access_log.hpp"
#include "http/browser_guard.hpp"
#include "http/request_parser.hpp"
#include "security/rate_limits.hpp"
#include "security/tls_context.hpp"

namespace concord::database {
class Database;
}

namespace concord::http {

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 4000;  ///< 0: a free one, see `Server::port`
  std::size_t threads = 0;    ///< 0: one a processor
  std::size_t max_connections = 10'000;
  std::shared_ptr<security::TlsContext> tls = {};       ///< none: plain HTTP
  std::size_t max_handshakes = 1024;                    ///< TLS handshakes under way; above: the oldest is closed
  std::chrono::milliseconds handshake_timeout{10'000};  ///< of TLS
  ParserLimits limits = {};
  std::chrono::milliseconds request_timeout{30'000};  ///< from a request's first byte to its last: 408
  std::chrono::milliseconds idle_timeout{75'000};     ///< between requests, and for a client that does not read
  std::chrono::milliseconds linger_timeout{
      5'000};  ///< how long a refused client may go on sending before it is cut off
  std::chrono::milliseconds sign_of_life_interval{15'000};  ///< of an answer that goes on and has nothing to say
  BrowserPolicy browsers = {};
  security::RateLimitOptions rate_limits = {};
  bool compress = true;  ///< gzip, for clients that ask for it
  AccessSink access_log = {};
  std::shared_ptr<const std::atomic<bool>> access_log_on =
      {};  ///< the switch of a log that may be turned off; none: on
  std::function<void(LogLevel, std::string_view)> log = {};
};

class Server {
 public:
  /// Binds, listens and serves. `database` must outlive the server.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(database::Database& database, Settings settings);

  /// Stops if nobody has. Waits for the outcome of every submitted transaction: close the database before.
  ~Server();
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// "http://127.0.0.1:4000"; "https://..." with TLS.
  [[nodiscard]] const std::string& url() const noexcept;

  /// Accepts no more, closes idle connections, finishes the requests being served; after `limit` cuts off what is left.
  void stop(std::chrono::milliseconds limit);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concord::http
