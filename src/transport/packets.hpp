// The packets of a handshake on a socket, inside TLS where members speak it: one is read at a time, and never more than it. What TLS
// has taken from the socket beyond it stays in the session.
//
// Packets, and what TLS says in its own handshake, are smaller than what a fresh socket takes, so that writing never waits; an end
// for which it would is given up. What a stranger may make it hold is what OpenSSL allows one message of a handshake, some 100 KiB.
// Thread rule: the transport's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "transport/handshake.hpp"
#include "transport/stream.hpp"

namespace concord::transport {

class Packets {
 public:
  using OnPacket = std::move_only_function<void(Agreed<std::string_view>)>;
  using OnSecure = std::move_only_function<void(Agreed<void>)>;

  /// Its user keeps both alive while something is read. The socket does not block once it is connected.
  explicit Packets(Stream& stream) noexcept : stream_(stream) {}

  /// Before any packet: TLS, whose end (or failure) is told. Not called with what was cancelled by closing the socket.
  void secure(const std::shared_ptr<SSL_CTX>& context, security::TlsSession::Role role, OnSecure on_secure);
  /// Of the TLS connection; empty: it is none.
  [[nodiscard]] const std::string& binding() const noexcept { return binding_; }

  /// The view is valid during the call. Not called with what was cancelled by closing the socket.
  void receive(OnPacket on_packet);
  [[nodiscard]] Agreed<void> send(std::string_view packet);
  /// Tells the other end why, if it doesn't know, and that nothing else comes.
  void refuse(const Refusal& refusal);

 private:
  void go_on_securing(OnSecure on_secure);
  [[nodiscard]] Agreed<void> check_secure();
  void receive_body(OnPacket on_packet);
  void receive_sealed(OnPacket on_packet, std::size_t there_bytes);
  void feed(OnSecure on_fed);
  [[nodiscard]] Agreed<void> take_sealed(std::string_view bytes);
  [[nodiscard]] Agreed<void> write(std::string_view bytes);

  Stream& stream_;
  std::string packet_;
  std::string binding_;
  bool has_heard_ = false;  ///< of TLS: the first bytes came
};

/// "10.0.0.1", or "an unknown address".
[[nodiscard]] std::string remote_host(const boost::asio::ip::tcp::socket& socket);

}  // namespace concord::transport
