// The packets of a handshake on a socket: one is read at a time, and never more than it.
//
// Packets are smaller than what a fresh socket takes, so that writing one never waits; an end for which it would is given up.
// Thread rule: the transport's thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "transport/handshake.hpp"

namespace concord::transport {

class Packets {
 public:
  using OnPacket = std::move_only_function<void(Agreed<std::string_view>)>;

  /// Its user keeps both alive while something is read.
  explicit Packets(boost::asio::ip::tcp::socket& socket) noexcept : socket_(socket) {}

  /// The view is valid during the call. Not called with what was cancelled by closing the socket.
  void receive(OnPacket on_packet);
  [[nodiscard]] Agreed<void> send(std::string_view packet);
  /// Tells the other end why, if it doesn't know, and that nothing else comes.
  void refuse(const Refusal& refusal);

 private:
  void receive_body(OnPacket on_packet);

  boost::asio::ip::tcp::socket& socket_;
  std::string packet_;
};

/// "10.0.0.1", or "an unknown address".
[[nodiscard]] std::string remote_host(const boost::asio::ip::tcp::socket& socket);

}  // namespace concord::transport
