// One connection to a node: TCP, or TLS over it, and HTTP/1.1, one request at a time.
//
// Thread rule: the transport's thread only. `close` may be called while something is awaited: that then ends with an error.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "client/endpoint.hpp"
#include "client/request.hpp"

namespace concord::client {

/// What became of a request on a connection.
struct Exchanged {
  boost::system::error_code error;
  std::string problem = {};  ///< the error in words
  bool was_sent = false;     ///< The kernel took all of it: the node may have executed it.
  Answer answer = {};        ///< without an error
};

class Connection {
 public:
  using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

  /// `tls` is null for http; it outlives this.
  Connection(boost::asio::io_context& io, boost::asio::ssl::context* tls);

  /// Resolves, connects, shakes hands.
  boost::asio::awaitable<boost::system::error_code> open(const Endpoint& endpoint, bool verify);
  /// Why `open` ended with `error`, for people.
  [[nodiscard]] std::string problem(const boost::system::error_code& error) const;
  boost::asio::awaitable<Exchanged> exchange(HttpRequest request);

  /// Gets the body of an answer that goes on, as it comes.
  class Sink {
   public:
    /// The head has come, with status 200.
    virtual void begin() = 0;
    /// False: that is enough. Nothing is read before it has returned.
    virtual boost::asio::awaitable<bool> add(std::string part) = 0;

   protected:
    ~Sink() = default;
  };
  /// The same for an answer of status 200 whose body goes to `sink`; of any other it is in what is returned. The connection is good for
  /// nothing else.
  boost::asio::awaitable<Exchanged> follow(HttpRequest request, Sink& sink);

  /// The node has neither closed it nor said anything unasked, as far as this machine knows.
  [[nodiscard]] bool is_usable(std::chrono::steady_clock::time_point now, std::chrono::milliseconds idle_timeout);
  void close() noexcept;

 private:
  using Tcp = boost::asio::ip::tcp;

  boost::asio::awaitable<boost::system::error_code> shake_hands(const Endpoint& endpoint, bool verify);
  template <class Stream>
  boost::asio::awaitable<Exchanged> exchange_on(Stream& stream, HttpRequest request);
  template <class Stream>
  boost::asio::awaitable<Exchanged> follow_on(Stream& stream, HttpRequest request, Sink& sink);

  Tcp::resolver resolver_;
  Tcp::socket socket_;
  std::unique_ptr<boost::asio::ssl::stream<Tcp::socket&>> secure_;
  boost::beast::flat_buffer buffer_;
  std::chrono::steady_clock::time_point idle_since_;
  bool is_kept_ = false;  ///< the last answer lets another request follow
};

}  // namespace concord::client
