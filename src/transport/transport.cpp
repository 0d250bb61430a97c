#include "transport/transport.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/mutex.hpp"
#include "base/random.hpp"
#include "base/timeout.hpp"
#include "security/tls_context.hpp"
#include "transport/address.hpp"
#include "transport/connection.hpp"
#include "transport/listener.hpp"
#include "transport/one_request.hpp"
#include "transport/peer_link.hpp"
#include "transport/shared.hpp"

namespace concord::transport {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Done = Connection::Done;

constexpr std::size_t largest_max_frame_bytes = std::size_t{1} << 30U;
/// How often the files of the certificates are looked at.
constexpr milliseconds certificate_look{1000};

Result<void> check(const Options& options) {
  const Limits& limits = options.limits;
  if (options.cookie.empty()) return fail(Errc::invalid_request, "members of a cluster need a cookie");
  if (!fits(options.self)) return fail(Errc::invalid_request, "names and addresses of this node are too long");
  const bool is_sound = limits.max_frame_bytes <= largest_max_frame_bytes && limits.max_handshakes > 0 &&
                        limits.handshake_timeout > milliseconds(0) && limits.keep_alive > milliseconds(0) &&
                        limits.redial_min > milliseconds(0) && limits.redial_max >= limits.redial_min;
  if (!is_sound) return fail(Errc::invalid_request, "the limits of the peer connections make no sense");
  return {};
}

std::uint64_t random_seed() {
  std::random_device source;
  return (std::uint64_t{source()} << 32U) | source();
}

std::string name_of(base::NodeId node) { return "node " + std::to_string(node.value()); }

class SocketTransport final : public Transport {
 public:
  SocketTransport(const Options& options, Handler& handler, std::unique_ptr<security::TlsContext> tls)
      : shared_(std::make_shared<Shared>(options, handler, std::move(tls))),
        tick_timer_(shared_->context),
        certificate_timer_(shared_->context),
        listener_(shared_, [this](std::shared_ptr<Connection> connection) { adopt(std::move(connection)); }),
        seeds_(random_seed()) {}

  ~SocketTransport() override {
    if (!thread_.joinable()) return;
    asio::post(shared_->context, [this] { shut_down(); });
    thread_.join();
  }

  [[nodiscard]] Result<void> listen(const Options& options) {
    return listener_.listen(options.listen_host, options.listen_port);
  }
  [[nodiscard]] std::uint16_t port() const noexcept override { return listener_.port(); }

  void run() {
    guard_.emplace(shared_->context.get_executor());
    listener_.start();
    schedule_tick();
    if (shared_->tls != nullptr) look_at_certificates();
    thread_ = std::thread([this] {
      for (;;) {
        try {
          shared_->context.run();
          return;
        } catch (const std::exception& failure) {  // must not end the thread, and with it the host
          shared_->say(LogLevel::error, std::string("a handler failed: ") + failure.what());
        }
      }
    });
  }

  void set_self(const Identity& self) override;
  void set_peers(std::vector<Peer> peers) override;
  void drop(base::NodeId peer) override;
  [[nodiscard]] bool send(base::NodeId to, std::string_view bytes) override;
  void request(base::NodeId to, Channel channel, std::uint8_t method, std::string body, milliseconds timeout,
               Done done) override;
  void request_at(const std::string& address, std::uint8_t method, std::string body, milliseconds timeout,
                  OneRequest::Done done) override;
  [[nodiscard]] std::vector<PeerState> peers() const override;

 private:
  using Connections = std::vector<std::shared_ptr<Connection>>;
  struct Entry {
    Peer peer;
    std::shared_ptr<PeerLink> control;
    std::shared_ptr<PeerLink> bulk;
    steady_clock::time_point heard;  ///< last, as of the last tick; never: since when it is known
  };

  // On the transport's thread.
  void adopt(std::shared_ptr<Connection> connection);
  void forget(const Connection& connection);
  void renew_all();
  void schedule_tick();
  void tick();
  void look_at_certificates();
  void shut_down();
  [[nodiscard]] std::vector<std::shared_ptr<PeerLink>> links() const;
  [[nodiscard]] Connections accepted() const;

  [[nodiscard]] Entry new_entry(const Peer& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::shared_ptr<Connection> connection_to(base::NodeId node) const;
  [[nodiscard]] steady_clock::time_point last_heard(const Entry& entry) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<Shared> shared_;
  asio::steady_timer tick_timer_;
  asio::steady_timer certificate_timer_;
  Listener listener_;
  std::unordered_set<std::shared_ptr<OneRequest>> one_requests_;  ///< of the transport's thread
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> guard_;

  mutable base::Mutex mutex_;  ///< taken before the locks of links and connections
  base::Random seeds_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<base::NodeId, Entry> peers_ ABSL_GUARDED_BY(mutex_);
  Connections accepted_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;
};

// ---------------------------------------------------------------------------------------------------------------------
// What is told from outside.

void SocketTransport::set_self(const Identity& self) {
  const base::MutexLock lock(mutex_);  // changes take effect in their order
  const Identity before = shared_->set_self(self);
  const bool is_another = before.cluster_name != self.cluster_name || before.cluster != self.cluster ||
                          before.node != self.node || before.directory != self.directory;
  if (is_another) asio::post(shared_->context, [this] { renew_all(); });
}

SocketTransport::Entry SocketTransport::new_entry(const Peer& peer) {
  return {.peer = peer,
          .control = std::make_shared<PeerLink>(shared_, peer, Purpose::control, seeds_.next()),
          .bulk = std::make_shared<PeerLink>(shared_, peer, Purpose::bulk, seeds_.next()),
          .heard = steady_clock::now()};
}

void SocketTransport::set_peers(std::vector<Peer> peers) {
  const base::MutexLock lock(mutex_);
  std::unordered_map<base::NodeId, Entry> before = std::exchange(peers_, {});
  for (const Peer& peer : peers) {
    if (peers_.contains(peer.node)) continue;
    const auto known = before.find(peer.node);
    if (known == before.end() || known->second.peer.address != peer.address) {
      const Entry& entry = peers_.emplace(peer.node, new_entry(peer)).first->second;
      asio::post(shared_->context, [control = entry.control, bulk = entry.bulk] {
        control->start();
        bulk->start();
      });
      continue;
    }
    Entry entry = std::move(known->second);
    before.erase(known);
    entry.peer = peer;
    asio::post(shared_->context, [control = entry.control, bulk = entry.bulk, directory = peer.directory] {
      control->expect_directory(directory);
      bulk->expect_directory(directory);
    });
    peers_.emplace(peer.node, std::move(entry));
  }
  for (const auto& [node, entry] : before) {
    asio::post(shared_->context, [control = entry.control, bulk = entry.bulk] {
      control->stop();
      bulk->stop();
    });
  }
}

void SocketTransport::drop(base::NodeId peer) {
  const base::MutexLock lock(mutex_);
  Connections dropped;
  for (const auto& connection : accepted_) {
    if (connection->peer().node == peer) dropped.push_back(connection);
  }
  if (const auto known = peers_.find(peer); known != peers_.end()) {
    dropped.push_back(known->second.control->connection());
    dropped.push_back(known->second.bulk->connection());
  }
  asio::post(shared_->context, [dropped = std::move(dropped)] {
    for (const auto& connection : dropped) {
      if (connection != nullptr) connection->close(Lost::closed);
    }
  });
}

std::shared_ptr<Connection> SocketTransport::connection_to(base::NodeId node) const {
  const base::MutexLock lock(mutex_);
  const auto known = peers_.find(node);
  return known == peers_.end() ? nullptr : known->second.control->connection();
}

bool SocketTransport::send(base::NodeId to, std::string_view bytes) {
  const auto connection = connection_to(to);
  return connection != nullptr && connection->send(bytes);
}

void SocketTransport::request(base::NodeId to, Channel channel, std::uint8_t method, std::string body,
                              milliseconds timeout, Done done) {
  std::shared_ptr<PeerLink> link;
  {
    const base::MutexLock lock(mutex_);
    if (const auto known = peers_.find(to); known != peers_.end()) {
      link = channel == Channel::control ? known->second.control : known->second.bulk;
    }
  }
  if (link == nullptr) return done(fail(Errc::cluster_not_ready, name_of(to) + " is no peer of this node"));
  const auto connection = link->connection();
  if (connection == nullptr) {
    return done(fail(Errc::cluster_not_ready, name_of(to) + " is not connected: " + link->last_error()));
  }
  connection->request(method, std::move(body), timeout, std::move(done));
}

void SocketTransport::request_at(const std::string& address, std::uint8_t method, std::string body,
                                 milliseconds timeout, OneRequest::Done done) {
  if (const auto parsed = parse_address(address); !parsed) return done(std::unexpected(parsed.error()));
  OneRequest::Question question{.address = address,
                                .method = method,
                                .body = std::move(body),
                                .deadline = steady_clock::now() + base::bounded(timeout)};
  auto request = std::make_shared<OneRequest>(shared_, std::move(question), std::move(done));
  asio::post(shared_->context, [this, request = std::move(request)] {
    if (shared_->is_closing) return request->cancel();
    one_requests_.insert(request);
    request->start([this](const std::shared_ptr<OneRequest>& over) { one_requests_.erase(over); });
  });
}

steady_clock::time_point SocketTransport::last_heard(const Entry& entry) const {
  steady_clock::time_point heard = entry.heard;
  const auto now = steady_clock::now();
  const auto hear = [&](const std::shared_ptr<Connection>& connection) {
    if (connection != nullptr) heard = std::max(heard, now - connection->silent_for());
  };
  hear(entry.control->connection());
  hear(entry.bulk->connection());
  for (const auto& connection : accepted_) {
    if (connection->peer().node == entry.peer.node) hear(connection);
  }
  return heard;
}

std::vector<PeerState> SocketTransport::peers() const {
  std::vector<PeerState> states;
  const base::MutexLock lock(mutex_);
  for (const auto& [node, entry] : peers_) {
    const auto control = entry.control->connection();
    const auto bulk = entry.bulk->connection();
    const auto silent = std::chrono::duration_cast<milliseconds>(steady_clock::now() - last_heard(entry));
    states.push_back({.node = node,
                      .connected = control != nullptr,
                      .silent_ms = static_cast<std::uint64_t>(std::max(silent, milliseconds(0)).count()),
                      .queued_bytes = (control ? control->queued_bytes() : 0) + (bulk ? bulk->queued_bytes() : 0),
                      .last_error = control ? std::string() : entry.control->last_error(),
                      .identity = entry.control->identity()});
  }
  std::ranges::sort(states, {}, &PeerState::node);
  return states;
}

// ---------------------------------------------------------------------------------------------------------------------
// On the transport's thread.

/// A peer keeps one connection a channel: an older one is left over from before it restarted or lost its way.
void SocketTransport::adopt(std::shared_ptr<Connection> connection) {
  const base::NodeId node = connection->peer().node;
  const Purpose purpose = connection->purpose();
  if (!node.is_zero() && purpose != Purpose::one_request) {
    for (const auto& older : accepted()) {
      if (older->peer().node == node && older->purpose() == purpose) older->close(Lost::closed);
    }
  }
  {
    const base::MutexLock lock(mutex_);
    accepted_.push_back(connection);
  }
  connection->start([this, &ended = *connection](Lost why) {
    const base::NodeId peer = ended.peer().node;
    const bool is_told = ended.purpose() == Purpose::control && !peer.is_zero();
    forget(ended);
    if (is_told) shared_->handler.on_lost(peer, why);
  });
}

void SocketTransport::forget(const Connection& connection) {
  const base::MutexLock lock(mutex_);
  std::erase_if(accepted_, [&](const auto& accepted) { return accepted.get() == &connection; });
}

void SocketTransport::renew_all() {
  if (shared_->is_closing) return;
  listener_.forget_handshakes();
  for (const auto& connection : accepted()) connection->close(Lost::closed);
  for (const auto& link : links()) link->renew();
}

std::vector<std::shared_ptr<PeerLink>> SocketTransport::links() const {
  const base::MutexLock lock(mutex_);
  std::vector<std::shared_ptr<PeerLink>> all;
  for (const auto& [node, entry] : peers_) {
    all.push_back(entry.control);
    all.push_back(entry.bulk);
  }
  return all;
}

SocketTransport::Connections SocketTransport::accepted() const {
  const base::MutexLock lock(mutex_);
  return accepted_;
}

void SocketTransport::schedule_tick() {
  tick_timer_.expires_after(std::max(shared_->limits.keep_alive / 2, milliseconds(1)));
  tick_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled && !shared_->is_closing) tick();
  });
}

void SocketTransport::tick() {
  schedule_tick();
  {
    const base::MutexLock lock(mutex_);
    for (auto& [node, entry] : peers_) entry.heard = last_heard(entry);
  }
  for (const auto& link : links()) link->check_alive();
  for (const auto& connection : accepted()) connection->check_alive();
  const std::vector<std::shared_ptr<OneRequest>> requests(one_requests_.begin(), one_requests_.end());
  for (const auto& request : requests) request->check_alive();
}

void SocketTransport::look_at_certificates() {
  certificate_timer_.expires_after(certificate_look);
  certificate_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled || shared_->is_closing) return;
    const auto changed = shared_->tls->refresh();
    if (!changed) {
      shared_->say(LogLevel::error, "the certificates in use stay: " + changed.error().message());
    } else if (*changed) {
      shared_->say(LogLevel::info, "the certificates were read again");
    }
    look_at_certificates();
  });
}

/// Closes all there is; the thread ends when nothing is under way any more.
void SocketTransport::shut_down() {
  shared_->is_closing = true;
  listener_.close();
  tick_timer_.cancel();
  certificate_timer_.cancel();
  for (const auto& link : links()) link->stop();
  for (const auto& connection : accepted()) connection->close(Lost::closed, false);
  const std::vector<std::shared_ptr<OneRequest>> requests(one_requests_.begin(), one_requests_.end());
  for (const auto& request : requests) request->cancel();
  guard_.reset();
}

}  // namespace

Result<std::unique_ptr<Transport>> Transport::open(const Options& options, Handler& handler) {
  if (auto checked = check(options); !checked) return std::unexpected(checked.error());
  try {
    std::unique_ptr<security::TlsContext> tls;
    if (!options.tls.are_none()) {
      auto loaded = security::TlsContext::load(options.tls, security::TlsUse::member);
      if (!loaded) return std::unexpected(std::move(loaded.error()));
      tls = std::move(*loaded);
    }
    auto transport = std::make_unique<SocketTransport>(options, handler, std::move(tls));
    if (auto listening = transport->listen(options); !listening) return std::unexpected(listening.error());
    transport->run();
    return transport;
  } catch (const std::exception& failure) {  // of descriptors or threads there are none left
    return fail(Errc::cluster_not_ready, std::string("peer connections cannot be opened: ") + failure.what());
  }
}

}  // namespace concord::transport
