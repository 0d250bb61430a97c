// One HTTP exchange on one connection, plain or over TLS. Every step runs until it is done or its deadline passes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "client.hpp"
#include "client/endpoint.hpp"

namespace concord::app {

/// Who takes the body of a success in pieces; `take` may be empty.
struct BodySink {
  std::function<bool(std::string_view)> take = {};
  std::chrono::milliseconds timeout{};  ///< for each piece
};

class Exchange {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  Exchange() : stream_(context_) {}

  /// False: nothing was sent.
  [[nodiscard]] bool connect(const client::Endpoint& endpoint, const ClientSettings& settings, Deadline deadline);
  /// None: what became of the request is unknown.
  [[nodiscard]] std::optional<ClientAnswer> exchange(const Request& request, Deadline deadline,
                                                     const BodySink& sink = {});
  /// Why the last step failed, for people.
  [[nodiscard]] std::string problem() const;

 private:
  bool secure(const client::Endpoint& endpoint, const ClientSettings& settings);
  template <class Stream>
  std::optional<ClientAnswer> exchange_on(Stream& stream, const Request& request, const BodySink& sink);
  void run();

  boost::asio::io_context context_{1};
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_client};
  boost::beast::tcp_stream stream_;
  std::optional<boost::beast::ssl_stream<boost::beast::tcp_stream&>> secure_stream_;
  boost::beast::error_code error_;
};

}  // namespace concord::app
