#include "transport/packets.hpp"

#include <array>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/read.hpp>

#include "base/mutant.hpp"

namespace concord::transport {
namespace {

using security::TlsSession;

/// What one TLS record takes, and its front.
constexpr std::size_t sealed_bytes = std::size_t{17} << 10U;

std::unexpected<Refusal> broken(const boost::system::error_code& error) {
  const bool was_closed = error == boost::asio::error::eof;
  return std::unexpected(not_connected(was_closed ? "the peer closed the connection during the handshake"
                                                  : "the connection broke during the handshake: " + error.message()));
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// TLS.

void Packets::secure(const std::shared_ptr<SSL_CTX>& context, TlsSession::Role role, OnSecure on_secure) {
  stream_.tls = std::make_unique<TlsSession>(context, role);
  if (auto sent = write(stream_.tls->take_output()); !sent) return on_secure(std::move(sent));
  go_on_securing(std::move(on_secure));
}

void Packets::go_on_securing(OnSecure on_secure) {
  feed([this, on_secure = std::move(on_secure)](Agreed<void> fed) mutable {
    const bool goes_on = fed && stream_.tls->state() == TlsSession::State::handshake;
    if (goes_on) return go_on_securing(std::move(on_secure));
    on_secure(fed ? check_secure() : std::move(fed));
  });
}

Agreed<void> Packets::check_secure() {
  if (stream_.tls->state() != TlsSession::State::open) return std::unexpected(not_secure(stream_.tls->problem()));
  auto binding = stream_.tls->binding();
  if (!binding) return std::unexpected(not_secure("its version has no secret to bind the cookie's proof to"));
  if (!CONCORD_MUTANT("a-proof-is-good-on-any-connection")) binding_ = std::move(*binding);
  return {};
}

/// Reads from the socket once.
void Packets::feed(OnSecure on_fed) {
  stream_.socket.async_wait(boost::asio::socket_base::wait_read,
                            [this, on_fed = std::move(on_fed)](const boost::system::error_code& failed) mutable {
                              if (failed == boost::asio::error::operation_aborted) return;
                              if (failed) return on_fed(broken(failed));
                              std::array<char, sealed_bytes> bytes;
                              boost::system::error_code error;
                              const std::size_t size_bytes =
                                  stream_.socket.read_some(boost::asio::buffer(bytes), error);
                              if (error == boost::asio::error::would_block || error == boost::asio::error::try_again) {
                                return feed(std::move(on_fed));
                              }
                              on_fed(error ? broken(error) : take_sealed({bytes.data(), size_bytes}));
                            });
}

Agreed<void> Packets::take_sealed(std::string_view bytes) {
  if (!std::exchange(has_heard_, true) && is_plain(bytes)) {
    stream_.tls.reset();  // so that it understands what it is told
    return std::unexpected(speaks_no_tls());
  }
  stream_.tls->feed(bytes);
  auto sent = write(stream_.tls->take_output());
  if (stream_.tls->state() == TlsSession::State::failed) return {};  // which says more
  return sent;
}

void Packets::receive_sealed(OnPacket on_packet, std::size_t there_bytes) {
  TlsSession& tls = *stream_.tls;
  for (std::size_t read_bytes = 1; read_bytes > 0;) {
    read_bytes = tls.read(packet_.data() + there_bytes, packet_.size() - there_bytes);
    there_bytes += read_bytes;
    if (there_bytes < packet_.size()) continue;
    const auto size_bytes = packet_size(packet_);
    if (!size_bytes) return on_packet(std::unexpected(size_bytes.error()));
    if (there_bytes == *size_bytes) return on_packet(packet_);
    packet_.resize(*size_bytes);
  }
  if (tls.state() == TlsSession::State::failed) return on_packet(std::unexpected(not_secure(tls.problem())));
  if (tls.state() == TlsSession::State::closed) return on_packet(broken(boost::asio::error::eof));
  feed([this, on_packet = std::move(on_packet), there_bytes](Agreed<void> fed) mutable {
    if (!fed) return on_packet(std::unexpected(std::move(fed.error())));
    receive_sealed(std::move(on_packet), there_bytes);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Packets.

void Packets::receive(OnPacket on_packet) {
  packet_.resize(packet_front_bytes);
  if (stream_.tls) return receive_sealed(std::move(on_packet), 0);
  boost::asio::async_read(stream_.socket, boost::asio::buffer(packet_),
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
  boost::asio::async_read(stream_.socket, boost::asio::buffer(packet_) + packet_front_bytes,
                          [this, on_packet = std::move(on_packet)](const boost::system::error_code& error,
                                                                   std::size_t /*size_bytes*/) mutable {
                            if (error == boost::asio::error::operation_aborted) return;
                            if (error) return on_packet(broken(error));
                            on_packet(packet_);
                          });
}

Agreed<void> Packets::send(std::string_view packet) {
  if (!stream_.tls) return write(packet);
  stream_.tls->write(packet);
  return write(stream_.tls->take_output());
}

Agreed<void> Packets::write(std::string_view bytes) {
  if (bytes.empty()) return {};
  boost::system::error_code error;
  const std::size_t size_bytes = stream_.socket.write_some(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error) return broken(error);
  if (size_bytes != bytes.size()) return std::unexpected(not_connected("the connection takes no data"));
  return {};
}

void Packets::refuse(const Refusal& refusal) {
  if (!refusal.told.empty()) (void)send(refusal_packet(refusal));
  boost::system::error_code ignored;
  stream_.socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
}

std::string remote_host(const boost::asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "an unknown address" : endpoint.address().to_string();
}

}  // namespace concord::transport
