#include "observe/metrics_server.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "observe/exposition.hpp"

namespace concord::observe {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::size_t most_connections = 32;
constexpr std::size_t largest_request_bytes = 16U << 10U;
constexpr std::chrono::seconds client_time{5};
constexpr std::chrono::milliseconds accept_pause{100};

std::string answer(std::string_view status, std::string_view content_type, std::string_view body, bool with_body,
                   std::string_view fields = "") {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Type: ").append(content_type);
  text.append("\r\nContent-Length: ").append(std::to_string(body.size()));
  text.append("\r\n").append(fields).append("X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n");
  if (with_body) text.append(body);
  return text;
}

/// The first two words of a request.
struct RequestLine {
  std::string_view method;
  std::string_view path;
};

RequestLine request_line(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return {};
  const std::size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return {};
  std::string_view path = line.substr(first + 1, second - first - 1);
  return {.method = line.substr(0, first), .path = path.substr(0, path.find('?'))};
}

std::string url_of(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return "http://" + (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port()) + "/metrics";
}

}  // namespace

class MetricsServer::Impl {
 public:
  explicit Impl(std::function<std::string()> page) : page_(std::move(page)) {}
  ~Impl() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> listen(const std::string& host, std::uint16_t port) {
    error_code error;
    const auto found =
        tcp::resolver(context_).resolve(host, std::to_string(port), tcp::resolver::numeric_service, error);
    if (!error && found.empty()) error = asio::error::host_not_found;
    if (!error) acceptor_.open(found.begin()->endpoint().protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(found.begin()->endpoint(), error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return fail(Errc::invalid_request,
                  "the metrics cannot be served on " + host + ":" + std::to_string(port) + ": " + error.message());
    }
    url_ = url_of(acceptor_.local_endpoint(error));
    accept();
    thread_ = std::thread([this] { run(); });
    return {};
  }

  [[nodiscard]] const std::string& url() const noexcept { return url_; }

 private:
  struct Client {
    Client(tcp::socket accepted, std::size_t& count)
        : socket(std::move(accepted)), timer(socket.get_executor()), open(count) {
      ++open;
    }
    ~Client() { --open; }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    tcp::socket socket;
    asio::steady_timer timer;
    std::string request;
    std::string answer;
    std::size_t& open;
  };

  void run() {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception&) {  // of one client, which has gone with it
        continue;
      }
    }
  }

  void accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error || clients_ >= most_connections) {
        pause_.expires_after(accept_pause);
        return pause_.async_wait([this](const error_code& cancelled) {
          if (!cancelled) accept();
        });
      }
      serve(std::make_shared<Client>(std::move(socket), clients_));
      accept();
    });
  }

  void serve(const std::shared_ptr<Client>& client) {
    client->timer.expires_after(client_time);
    client->timer.async_wait([client](const error_code& cancelled) {
      error_code ignored;
      if (!cancelled) client->socket.close(ignored);
    });
    asio::async_read_until(client->socket, asio::dynamic_buffer(client->request, largest_request_bytes), "\r\n\r\n",
                           [this, client](const error_code& error, std::size_t) {
                             if (error) return leave(*client);
                             respond(client);
                           });
  }

  void respond(const std::shared_ptr<Client>& client) {
    const RequestLine line = request_line(client->request);
    const bool is_head = line.method == "HEAD";
    if (line.method != "GET" && !is_head) {
      client->answer =
          answer("405 Method Not Allowed", "text/plain; charset=utf-8", "GET /metrics\n", true, "Allow: GET, HEAD\r\n");
    } else if (line.path != "/metrics" && line.path != "/") {
      client->answer = answer("404 Not Found", "text/plain; charset=utf-8", "the metrics are at /metrics\n", !is_head);
    } else {
      client->answer = answer("200 OK", Exposition::content_type, page_(), !is_head);
    }
    asio::async_write(client->socket, asio::buffer(client->answer),
                      [client](const error_code&, std::size_t) { leave(*client); });
  }

  static void leave(Client& client) {
    error_code ignored;
    client.timer.cancel();
    client.socket.shutdown(tcp::socket::shutdown_both, ignored);
    client.socket.close(ignored);
  }

  std::function<std::string()> page_;
  std::size_t clients_ = 0;  // before the context, which ends them
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer pause_{context_};
  std::string url_;
  std::thread thread_;
};

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const std::string& host, std::uint16_t port,
                                                            std::function<std::string()> page) {
  auto impl = std::make_unique<Impl>(std::move(page));
  if (auto done = impl->listen(host, port); !done) return std::unexpected(std::move(done.error()));
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(impl)));
}

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() = default;

const std::string& MetricsServer::url() const noexcept { return impl_->url(); }

}  // namespace concord::observe
