#include "transport/packets.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/read.hpp>

namespace concord::transport {
namespace {

std::unexpected<Refusal> broken(const boost::system::error_code& error) {
  const bool was_closed = error == boost::asio::error::eof;
  return std::unexpected(not_connected(was_closed ? "the peer closed the connection during the handshake"
                                                  : "the connection broke during the handshake: " + error.message()));
}

}  // namespace

void Packets::receive(OnPacket on_packet) {
  packet_.resize(packet_front_bytes);
  boost::asio::async_read(socket_, boost::asio::buffer(packet_),
                          [this, on_packet = std::move(on_packet)](const boost::system::error_code& error,
                                                                   std::size_t /*size_bytes*/) mutable {
                            if (error == boost::asio::error::operation_aborted) return;
                            if (error) return on_packet(broken(error));
                            receive_body(std::move(on_packet));
                          });
}

void Packets::receive_body(OnPacket on_packet) {
  const auto size_bytes = packet_size(packet_);
  if (!size_bytes) return on_packet(std::unexpected(size_bytes.error()));
  packet_.resize(*size_bytes);
  boost::asio::async_read(socket_, boost::asio::buffer(packet_) + packet_front_bytes,
                          [this, on_packet = std::move(on_packet)](const boost::system::error_code& error,
                                                                   std::size_t /*size_bytes*/) mutable {
                            if (error == boost::asio::error::operation_aborted) return;
                            if (error) return on_packet(broken(error));
                            on_packet(packet_);
                          });
}

Agreed<void> Packets::send(std::string_view packet) {
  boost::system::error_code error;
  const std::size_t size_bytes = socket_.write_some(boost::asio::buffer(packet.data(), packet.size()), error);
  if (error) return broken(error);
  if (size_bytes != packet.size()) return std::unexpected(not_connected("the connection takes no data"));
  return {};
}

void Packets::refuse(const Refusal& refusal) {
  if (!refusal.told.empty()) (void)send(refusal_packet(refusal));
  boost::system::error_code ignored;
  socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
}

std::string remote_host(const boost::asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "an unknown address" : endpoint.address().to_string();
}

}  // namespace concord::transport
