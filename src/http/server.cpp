#include "http/server.hpp"

#include <random>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <concord/version.hpp>

#include "http/connection.hpp"
#include "http/openapi.hpp"
#include "http/shared.hpp"
#include "http/worker.hpp"

namespace concord::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

/// How long accepting pauses after it failed, when descriptors have run out, say.
constexpr milliseconds accept_pause{100};
/// How often the files of the certificate are looked at.
constexpr milliseconds certificate_look{1000};

constexpr std::string_view too_many_connections =
    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: 102\r\nRetry-After: 1\r\n"
    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    R"({"status":"error","error":{"code":"TOO_MANY_REQUESTS","message":"limits.max_connections is reached"}})"
    "\n";

Result<tcp::endpoint> resolve(asio::io_context& context, const std::string& host, std::uint16_t port) {
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (!error) return tcp::endpoint(address, port);
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty())
    return fail(Errc::invalid_request, "the API host " + host + " is unknown: " + error.message());
  return found.begin()->endpoint();
}

std::string url_of(const tcp::endpoint& endpoint, bool is_secure) {
  const std::string address = endpoint.address().to_string();
  return (is_secure ? "https://" : "http://") + (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

}  // namespace

class Server::Impl {
 public:
  Impl(database::Database& database, Settings settings)
      : rate_limits(settings.rate_limits),
        shared{.site = {.database = database, .rate_limits = rate_limits},
               .table = RouteTable(api_routes()),
               .settings = settings,
               .browser_guard = BrowserGuard(settings.browsers, settings.host)} {
    shared.site.openapi = &openapi;
    shared.site.audit = database.audit();
    shared.site.observer = database.observer();
    if (shared.site.observer != nullptr && shared.site.observer->metrics() != nullptr) tell_routes();
    std::random_device seeds;
    std::size_t threads = shared.settings.threads;
    if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
    shared.worker_count = threads;
    for (std::size_t i = 0; i < threads; ++i) {
      workers.push_back(std::make_unique<Worker>(shared, (std::uint64_t{seeds()} << 32U) | seeds()));
    }
    acceptor.emplace(workers.front()->context());
    accept_timer.emplace(workers.front()->context());
    certificate_timer.emplace(workers.front()->context());
  }

  Result<void> listen() {
    const auto endpoint = resolve(workers.front()->context(), shared.settings.host, shared.settings.port);
    if (!endpoint) return std::unexpected(endpoint.error());
    error_code error;
    acceptor->open(endpoint->protocol(), error);
    if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor->bind(*endpoint, error);
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return fail(Errc::invalid_request, "the API cannot listen on " + shared.settings.host + ":" +
                                             std::to_string(shared.settings.port) + ": " + error.message());
    }
    const tcp::endpoint local = acceptor->local_endpoint(error);
    port = local.port();
    shared.site.api_url = url_of(local, shared.settings.tls != nullptr);
    return {};
  }

  void run() {
    accept();
    if (shared.settings.tls) look_at_certificate();
    for (auto& worker : workers) worker->run();
  }

  /// Metrics name the routes. Once: a second server of the same database counts with the first.
  void tell_routes() const {
    observe::HttpMetrics& metrics = shared.site.observer->metrics()->http;
    if (metrics.has_routes()) return;
    std::vector<observe::HttpRoute> routes;
    for (const Route& route : shared.table.routes()) {
      routes.push_back({.method = std::string(method_name(route.method)), .path = std::string(route.path)});
    }
    metrics.set_routes(std::move(routes));
  }

  void accept() {
    Worker& worker = *workers[next_worker];
    next_worker = (next_worker + 1) % workers.size();
    acceptor->async_accept(worker.context(), [this, &worker](const error_code& error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || !acceptor->is_open()) return;
      if (error) return pause_accepting(error);
      if (shared.count_connection(true) >= shared.settings.max_connections) {
        shared.count_connection(false);
        if (!shared.settings.tls) refuse(socket);  // with TLS nothing can be said before a handshake
      } else {
        worker.adopt(std::move(socket));
      }
      accept();
    });
  }

  static void refuse(tcp::socket& socket) {
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(too_many_connections), ignored);
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }

  void pause_accepting(const error_code& error) {
    shared.log(LogLevel::warn, "http: accepting a connection failed: " + error.message());
    accept_timer->expires_after(accept_pause);
    accept_timer->async_wait([this](const error_code& cancelled) {
      if (!cancelled) accept();
    });
  }

  void look_at_certificate() {
    certificate_timer->expires_after(certificate_look);
    certificate_timer->async_wait([this](const error_code& cancelled) {
      if (cancelled) return;
      const auto changed = shared.settings.tls->refresh();
      if (!changed) {
        shared.log(LogLevel::error, "http: the certificate in use stays: " + changed.error().message());
      } else if (*changed) {
        shared.log(LogLevel::info, "http: the certificate was read again");
      }
      look_at_certificate();
    });
  }

  void wait_for_no_connections(std::chrono::steady_clock::time_point until) const {
    while (shared.connections > 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(milliseconds(2));
    }
  }

  void stop(milliseconds limit) {
    if (stopped) return;
    stopped = true;
    const auto until = std::chrono::steady_clock::now() + limit;
    shared.draining = true;
    asio::post(workers.front()->context(), [this] {
      error_code ignored;
      acceptor->close(ignored);
      accept_timer->cancel();
      certificate_timer->cancel();
    });
    for (auto& worker : workers) worker->drain();
    wait_for_no_connections(until);
    for (auto& worker : workers) worker->close_all();
    wait_for_no_connections(std::chrono::steady_clock::now() + milliseconds(500));
    for (auto& worker : workers) worker->stop_and_join();
  }

  security::RateLimits rate_limits;
  Shared shared;
  OpenapiDocument openapi{shared.table.routes(), concord::version, shared.settings.compress};
  std::vector<std::unique_ptr<Worker>> workers;
  std::optional<tcp::acceptor> acceptor;  ///< on the first worker
  std::optional<asio::steady_timer> accept_timer;
  std::optional<asio::steady_timer> certificate_timer;
  std::size_t next_worker = 0;
  std::uint16_t port = 0;
  bool stopped = false;
};

Result<std::unique_ptr<Server>> Server::start(database::Database& database, Settings settings) {
  auto impl = std::make_unique<Impl>(database, std::move(settings));
  if (auto done = impl->listen(); !done) return std::unexpected(done.error());
  impl->run();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Server::~Server() {
  stop(milliseconds(0));
  while (impl_->shared.in_flight > 0) std::this_thread::sleep_for(milliseconds(1));
}

std::uint16_t Server::port() const noexcept { return impl_->port; }

const std::string& Server::url() const noexcept { return impl_->shared.site.api_url; }

void Server::stop(milliseconds limit) { impl_->stop(limit); }

}  // namespace concord::http
