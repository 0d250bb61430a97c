// Incoming connections up to the end of their handshake.
//
// What a stranger may cost: one handshake of `limits.max_handshakes`, 4 KiB (with TLS some 100 KiB, and the work of one handshake of
// TLS), `limits.handshake_timeout` over all of it. When there are too many, the oldest goes: a real peer needs two round trips, three
// with TLS; who says nothing loses its place.
//
// Thread rule: the transport's thread, but `listen`, which comes before that thread.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "transport/connection.hpp"
#include "transport/shared.hpp"

namespace concord::transport {

class Listener {
 public:
  /// A connection that was admitted and welcomed, and isn't started.
  using OnConnection = std::move_only_function<void(std::shared_ptr<Connection>)>;

  Listener(std::shared_ptr<Shared> shared, OnConnection on_connection);
  ~Listener();
  Listener(Listener&&) = delete;
  Listener& operator=(Listener&&) = delete;

  /// Errors: cluster_not_ready.
  [[nodiscard]] Result<void> listen(const std::string& host, std::uint16_t port);
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  void start() { accept(); }
  /// Ends the handshakes under way: this node says something else of itself now.
  void forget_handshakes();
  void close();

 private:
  class Greeting;

  void accept();
  void pause_accepting(const boost::system::error_code& error);
  void greet(boost::asio::ip::tcp::socket socket);

  const std::shared_ptr<Shared> shared_;
  OnConnection on_connection_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_timer_;
  std::list<std::shared_ptr<Greeting>> greetings_;  ///< the oldest first
  std::uint16_t port_ = 0;
};

}  // namespace concord::transport
