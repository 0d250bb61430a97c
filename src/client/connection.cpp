#include "client/connection.hpp"

#include <sys/socket.h>

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/none.hpp>

#include "client/certificate.hpp"

namespace concord::client {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

Connection::Connection(asio::io_context& io, asio::ssl::context* tls) : resolver_(io), socket_(io) {
  if (tls != nullptr) secure_ = std::make_unique<asio::ssl::stream<Tcp::socket&>>(socket_, *tls);
}

asio::awaitable<error_code> Connection::open(const Endpoint& endpoint, bool verify) {
  const auto [resolve_error, addresses] = co_await resolver_.async_resolve(endpoint.host, endpoint.port, as_result);
  if (resolve_error) co_return resolve_error;
  const auto [connect_error, address] = co_await asio::async_connect(socket_, addresses, as_result);
  if (connect_error) co_return connect_error;
  error_code ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  if (secure_) co_return co_await shake_hands(endpoint, verify);
  co_return error_code();
}

asio::awaitable<error_code> Connection::shake_hands(const Endpoint& endpoint, bool verify) {
  error_code error;
  secure_->set_verify_mode(verify ? asio::ssl::verify_peer : asio::ssl::verify_none, error);
  if (error) co_return error;
  if (!expect_certificate_of(secure_->native_handle(), endpoint.host)) co_return error_code(asio::error::no_memory);
  const auto [handshake_error] = co_await secure_->async_handshake(asio::ssl::stream_base::client, as_result);
  co_return handshake_error;
}

std::string Connection::problem(const error_code& error) const {
  const auto of_certificate = secure_ ? certificate_problem(secure_->native_handle()) : std::nullopt;
  return of_certificate ? *of_certificate + "; ClientOptions::cacert names whom to trust" : error.message();
}

asio::awaitable<Exchanged> Connection::exchange(HttpRequest request) {
  if (secure_) co_return co_await exchange_on(*secure_, std::move(request));
  co_return co_await exchange_on(socket_, std::move(request));
}

template <class Stream>
asio::awaitable<Exchanged> Connection::exchange_on(Stream& stream, HttpRequest request) {
  is_kept_ = false;
  Exchanged exchanged;
  const auto [write_error, written] = co_await http::async_write(stream, request, as_result);
  if (write_error) {
    exchanged.error = write_error;
    exchanged.problem = write_error.message();
    co_return exchanged;
  }
  exchanged.was_sent = true;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);  // the node bounds its answers, and values may be large
  const auto [read_error, read] = co_await http::async_read(stream, buffer_, parser, as_result);
  if (read_error) {
    exchanged.error = read_error;
    exchanged.problem = read_error.message();
    co_return exchanged;
  }
  is_kept_ = parser.get().keep_alive() && buffer_.size() == 0;
  idle_since_ = steady_clock::now();
  exchanged.answer.status = parser.get().result_int();
  exchanged.answer.body = std::move(parser.get().body());
  co_return exchanged;
}

asio::awaitable<Exchanged> Connection::follow(HttpRequest request, Sink& sink) {
  if (secure_) co_return co_await follow_on(*secure_, std::move(request), sink);
  co_return co_await follow_on(socket_, std::move(request), sink);
}

template <class Stream>
asio::awaitable<Exchanged> Connection::follow_on(Stream& stream, HttpRequest request, Sink& sink) {
  constexpr unsigned ok = 200;
  is_kept_ = false;
  Exchanged exchanged;
  const auto failed = [&exchanged](const error_code& error) {
    exchanged.error = error;
    exchanged.problem = error.message();
    return exchanged;
  };
  const auto [write_error, written] = co_await http::async_write(stream, request, as_result);
  if (write_error) co_return failed(write_error);
  exchanged.was_sent = true;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  const auto [head_error, head] = co_await http::async_read_header(stream, buffer_, parser, as_result);
  if (head_error) co_return failed(head_error);
  exchanged.answer.status = parser.get().result_int();
  if (exchanged.answer.status != ok) {
    const auto [body_error, body] = co_await http::async_read(stream, buffer_, parser, as_result);
    if (body_error) co_return failed(body_error);
    exchanged.answer.body = std::move(parser.get().body());
    co_return exchanged;
  }
  sink.begin();
  while (!parser.is_done()) {
    const auto [part_error, part] = co_await http::async_read_some(stream, buffer_, parser, as_result);
    if (part_error) co_return failed(part_error);
    std::string bytes = std::exchange(parser.get().body(), std::string());
    if (bytes.empty()) continue;
    const bool wants_more = co_await sink.add(std::move(bytes));
    if (!wants_more) break;
  }
  co_return exchanged;
}

bool Connection::is_usable(steady_clock::time_point now, std::chrono::milliseconds idle_timeout) {
  if (!is_kept_ || !socket_.is_open() || now - idle_since_ >= idle_timeout) return false;
  char byte = 0;
  // Nothing to read is the only good sign: an end, an error or a word unasked for are the node's farewell. Over TLS that is
  // a message of its own; the session tickets, which are not, came with the first answer at the latest.
  const ssize_t seen = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::close() noexcept {
  error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
}

}  // namespace concord::client
