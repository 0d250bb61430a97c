#include "exchange.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "client/certificate.hpp"

namespace concord::app {

namespace asio = boost::asio;
namespace beast = boost::beast;
using beast::error_code;

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
std::optional<ClientAnswer> Exchange::exchange_on(Stream& stream, const Request& request) {
  beast::http::async_write(stream, request, [this](const error_code& error, std::size_t) { error_ = error; });
  run();
  if (error_) return std::nullopt;
  beast::flat_buffer buffer;
  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(boost::none);
  beast::http::async_read(stream, buffer, parser, [this](const error_code& error, std::size_t) { error_ = error; });
  run();
  if (error_) return std::nullopt;
  return ClientAnswer{.status = parser.get().result_int(), .body = std::move(parser.get().body())};
}

std::optional<ClientAnswer> Exchange::exchange(const Request& request, Deadline deadline) {
  stream_.expires_at(deadline);
  return secure_stream_ ? exchange_on(*secure_stream_, request) : exchange_on(stream_, request);
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
