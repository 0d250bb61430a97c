#include "client.hpp"

#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "endpoint.hpp"

namespace concord::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using beast::error_code;

/// One exchange on one connection. Every step runs until it is done or the deadline passes.
class Exchange {
 public:
  explicit Exchange(std::chrono::steady_clock::time_point deadline) : stream_(context_) {
    stream_.expires_at(deadline);
  }

  /// False: nothing was sent.
  [[nodiscard]] bool connect(const Endpoint& endpoint) {
    asio::ip::tcp::resolver resolver(context_);
    const auto addresses = resolver.resolve(endpoint.host, endpoint.port, error_);
    if (error_) return false;
    stream_.async_connect(addresses,
                          [this](const error_code& error, const asio::ip::tcp::endpoint&) { error_ = error; });
    run();
    return !error_;
  }

  std::optional<ClientAnswer> exchange(const beast::http::request<beast::http::string_body>& request) {
    beast::http::async_write(stream_, request, [this](const error_code& error, std::size_t) { error_ = error; });
    run();
    if (error_) return std::nullopt;
    beast::flat_buffer buffer;
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(boost::none);
    beast::http::async_read(stream_, buffer, parser, [this](const error_code& error, std::size_t) { error_ = error; });
    run();
    if (error_) return std::nullopt;
    return ClientAnswer{parser.get().result_int(), std::move(parser.get().body())};
  }

  [[nodiscard]] std::string problem() const {
    return error_ == beast::error::timeout ? "the time is over" : error_.message();
  }

 private:
  void run() {
    context_.restart();
    context_.run();
  }

  asio::io_context context_{1};
  beast::tcp_stream stream_;
  error_code error_;
};

beast::http::request<beast::http::string_body> wire_request(const ClientRequest& request, const Endpoint& endpoint,
                                                            const std::string& token) {
  namespace http = beast::http;
  http::request<http::string_body> message(http::string_to_verb(request.method), request.target, 11);
  message.set(http::field::host, endpoint.host + ":" + endpoint.port);
  message.set(http::field::connection, "close");
  if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
  if (!request.accept.empty()) message.set(http::field::accept, request.accept);
  if (!token.empty()) message.set(http::field::authorization, "Bearer " + token);
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

}  // namespace

std::expected<ClientAnswer, ClientFailure> Client::call(const ClientRequest& request) const {
  const auto deadline = std::chrono::steady_clock::now() + settings_.timeout;
  std::expected<ClientAnswer, ClientFailure> last =
      std::unexpected(ClientFailure{ExitCode::usage, "no endpoint was given"});
  for (const std::string& text : settings_.endpoints) {
    const auto endpoint = read_endpoint(text);
    if (!endpoint) return std::unexpected(ClientFailure{ExitCode::usage, endpoint.error()});
    Exchange exchange(deadline);
    if (!exchange.connect(*endpoint)) {
      last = std::unexpected(ClientFailure{ExitCode::unavailable, "cannot reach " + text + ": " + exchange.problem()});
      continue;
    }
    auto answer = exchange.exchange(wire_request(request, *endpoint, settings_.token));
    if (!answer) {
      const bool is_read = request.method == "GET";
      return std::unexpected(
          ClientFailure{ExitCode::unavailable, text + " did not answer: " + exchange.problem() +
                                                   (is_read ? "" : "; whether the write was done is unknown")});
    }
    last = std::move(*answer);
    if (last->status != 503) return last;
  }
  return last;
}

ExitCode exit_code_of(unsigned status) noexcept {
  switch (status) {
    case 401:
    case 403: return ExitCode::not_allowed;
    case 404: return ExitCode::not_found;
    case 409:
    case 412: return ExitCode::condition_failed;
    case 429:
    case 503:
    case 504: return ExitCode::unavailable;
    default: return status >= 200 && status < 300 ? ExitCode::done : ExitCode::failed;
  }
}

}  // namespace concord::app
