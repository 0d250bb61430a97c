#include "exchange.hpp"

#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "client/certificate.hpp"

namespace concord::app {

namespace asio = boost::asio;
namespace beast = boost::beast;
using beast::error_code;

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10U;

}  // namespace

bool Exchange::connect(const client::Endpoint& endpoint, const ClientSettings& settings, Deadline deadline) {
  stream_.expires_at(deadline);
  asio::ip::tcp::resolver resolver(context_);
  const auto addresses = resolver.resolve(endpoint.host, endpoint.port, error_);
  if (error_) return false;
  stream_.async_connect(addresses, [this](const error_code& error, const asio::ip::tcp::endpoint&) { error_ = error; });
  run();
  return !error_ && (!endpoint.is_secure || secure(endpoint, settings));
}

bool Exchange::secure(const client::Endpoint& endpoint, const ClientSettings& settings) {
  if (settings.trusts_anybody) {
    tls_.set_verify_mode(asio::ssl::verify_none);
  } else {
    tls_.set_verify_mode(asio::ssl::verify_peer);
    if (settings.certificates_path.empty()) {
      tls_.set_default_verify_paths(error_);
    } else {
      tls_.load_verify_file(settings.certificates_path, error_);
    }
    if (error_) return false;
  }
  if (!settings.own_certificate_path.empty()) {
    tls_.use_certificate_chain_file(settings.own_certificate_path, error_);
    if (!error_) tls_.use_private_key_file(settings.own_key_path, asio::ssl::context::pem, error_);
    if (error_) return false;
  }
  secure_stream_.emplace(stream_, tls_);
  if (!client::expect_certificate_of(secure_stream_->native_handle(), endpoint.host)) {
    error_ = asio::error::no_memory;
    return false;
  }
  secure_stream_->async_handshake(asio::ssl::stream_base::client, [this](const error_code& error) { error_ = error; });
  run();
  return !error_;
}

template <class Stream>
std::optional<ClientAnswer> Exchange::exchange_on(Stream& stream, const Request& request, const BodySink& sink) {
  beast::http::async_write(stream, request, [this](const error_code& error, std::size_t) { error_ = error; });
  run();
  if (error_) return std::nullopt;
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::buffer_body> parser;
  parser.body_limit(boost::none);
  const auto note = [this](const error_code& error, std::size_t) { error_ = error; };
  beast::http::async_read_header(stream, buffer, parser, note);
  run();
  ClientAnswer answer{.status = parser.get().result_int(), .body = {}};
  const bool is_taken = sink.take && answer.status >= 200 && answer.status < 300;
  std::vector<char> piece(piece_bytes);
  while (!error_ && !parser.is_done()) {
    auto& body = parser.get().body();
    body = {.data = piece.data(), .size = piece.size(), .more = true};
    if (is_taken) stream_.expires_after(sink.timeout);
    beast::http::async_read_some(stream, buffer, parser, note);
    run();
    if (error_ == beast::http::error::need_buffer) error_ = {};  // the piece is full
    const std::string_view read(piece.data(), piece.size() - body.size);
    if (!is_taken) {
      answer.body += read;
    } else if (!read.empty() && !sink.take(read)) {
      return answer;
    }
  }
  if (error_) return std::nullopt;
  return answer;
}

std::optional<ClientAnswer> Exchange::exchange(const Request& request, Deadline deadline, const BodySink& sink) {
  stream_.expires_at(deadline);
  return secure_stream_ ? exchange_on(*secure_stream_, request, sink) : exchange_on(stream_, request, sink);
}

std::string Exchange::problem() const {
  if (error_ == beast::error::timeout) return "the time is over";
  if (error_ == beast::http::error::end_of_stream) return "it closed the connection";
  if (secure_stream_) {
    auto* const handle = const_cast<beast::ssl_stream<beast::tcp_stream&>&>(*secure_stream_).native_handle();
    if (const auto problem = client::certificate_problem(handle)) return *problem + "; --cacert names whom to trust";
  }
  return error_.message();
}

void Exchange::run() {
  context_.restart();
  context_.run();
}

}  // namespace concord::app
