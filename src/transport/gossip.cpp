#include "transport/gossip.hpp"

#include <array>
#include <cstddef>
#include <deque>
#include <exception>
#include <set>
#include <thread>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/multicast.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/mutex.hpp"
#include "transport/address.hpp"
#include "transport/name_lookup.hpp"
#include "transport/once_a_minute.hpp"

namespace concord::transport {

namespace asio = boost::asio;
namespace multicast = asio::ip::multicast;
using asio::ip::udp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

Result<udp::endpoint> endpoint_of(const std::string& text) {
  const auto parsed = parse_address(text);
  if (!parsed) return std::unexpected(parsed.error());
  error_code error;
  const auto address = asio::ip::make_address(parsed->host, error);
  if (error) return fail(Errc::invalid_request, '"' + text + "\" is not an address and a port");
  return udp::endpoint(address, parsed->port);
}

Result<asio::ip::address> address_of(const std::string& host) {
  error_code error;
  auto address = asio::ip::make_address(host, error);
  if (!error) return address;
  const auto found = look_up(host);
  if (!found) return std::unexpected(found.error());
  address = asio::ip::make_address(found->empty() ? std::string() : found->front(), error);
  if (error) return fail(Errc::cluster_not_ready, "the peer host " + host + " is unknown");
  return address;
}

/// One text for each cause, whoever sent it: what strangers send must not fill a log.
std::string said_of(BadGossip problem) {
  switch (problem) {
    case BadGossip::garbled: return "it is none of ours, or was garbled";
    case BadGossip::version: return "it is of a version that is not known here";
    case BadGossip::cookie: return "wrong cookie";
    case BadGossip::other_cluster: break;
  }
  return {};
}

/// A socket for addresses of version 6 knows those of version 4 by another form.
udp::endpoint as_for(const udp::socket& socket, const udp::endpoint& to) {
  error_code error;
  if (!to.address().is_v4() || !socket.local_endpoint(error).address().is_v6() || error) return to;
  return {asio::ip::make_address_v6(asio::ip::v4_mapped, to.address().to_v4()), to.port()};
}

/// Those heard last.
class Nonces {
 public:
  /// False: it was heard before.
  bool is_new(const Nonce& nonce) {
    if (!known_.insert(nonce).second) return false;
    order_.push_back(nonce);
    if (order_.size() > Gossip::remembered_nonces) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  std::set<Nonce> known_;
  std::deque<Nonce> order_;
};

}  // namespace

/// What is below `announce` runs on the gossip's one thread.
class Gossip::Impl {
 public:
  explicit Impl(GossipOptions options)
      : options_(std::move(options)), self_(options_.self), direct_(context_), group_(context_), timer_(context_) {}
  ~Impl() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] { context_.stop(); });
    thread_.join();
  }
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  [[nodiscard]] Result<void> open() {
    for (const std::string& address : options_.addresses) {
      auto lookup = NameLookup::of(address, 0);
      if (!lookup) return std::unexpected(std::move(lookup.error()));
      targets_.push_back(std::move(*lookup));
    }
    if (auto opened = open_direct(); !opened) return opened;
    return options_.group.empty() ? Result<void>() : open_group();
  }

  void start() {
    receive(direct_, direct_from_, direct_buffer_);
    if (group_.is_open()) receive(group_, group_from_, group_buffer_);
    asio::post(context_, [this] { say_it(); });
    thread_ = std::thread([this] {
      for (;;) {
        try {
          context_.run();
          return;
        } catch (const std::exception& failure) {  // must not end the thread, and with it the host
          say(LogLevel::error, std::string("a handler failed: ") + failure.what());
        }
      }
    });
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  void announce(const Announcement& self) {
    {
      const base::MutexLock lock(mutex_);
      self_ = self;
    }
    asio::post(context_, [this] { timer_.cancel(); });  // others learn it at once
  }

 private:
  using Buffer = std::array<char, max_gossip_bytes + 1>;

  [[nodiscard]] Result<void> open_direct();
  [[nodiscard]] Result<void> open_group();
  void enter_group();
  void say_it();
  void send(udp::socket& socket, const udp::endpoint& to, bool asks);
  void receive(udp::socket& socket, udp::endpoint& from, Buffer& buffer);
  void take(std::string_view datagram, const udp::endpoint& from, bool is_direct);
  [[nodiscard]] bool is_within_bounds();

  [[nodiscard]] Announcement self() const {
    const base::MutexLock lock(mutex_);
    return self_;
  }
  void say(LogLevel level, const std::string& line) const {
    if (options_.log) options_.log(level, "gossip: " + line);
  }
  void say_once_a_minute(const std::string& key, const std::string& line) {
    const std::uint64_t now_ms =
        options_.clock != nullptr ? options_.clock->monotonic_ms() : env::RealClock().monotonic_ms();
    if (reports_.allows(key, now_ms)) say(LogLevel::warn, line);
  }

  const GossipOptions options_;
  mutable base::Mutex mutex_;
  Announcement self_ ABSL_GUARDED_BY(mutex_);
  asio::io_context context_{1};
  udp::socket direct_;
  udp::socket group_;
  asio::steady_timer timer_;
  std::uint16_t port_ = 0;
  udp::endpoint group_endpoint_;
  asio::ip::address_v4 group_interface_;  // any: the system chooses
  bool is_in_group_ = false;
  std::vector<NameLookup> targets_;
  udp::endpoint direct_from_;
  udp::endpoint group_from_;
  Buffer direct_buffer_{};
  Buffer group_buffer_{};
  Nonces nonces_;
  OnceAMinute reports_;
  steady_clock::time_point second_began_;
  std::size_t looked_at_ = 0;  // in this second
  std::thread thread_;
};

Result<void> Gossip::Impl::open_direct() {
  const auto address = address_of(options_.listen_host);
  if (!address) return std::unexpected(address.error());
  const udp::endpoint endpoint(*address, options_.listen_port);
  error_code error;
  direct_.open(endpoint.protocol(), error);
  if (!error) direct_.bind(endpoint, error);
  if (!error) direct_.non_blocking(true, error);
  if (!error) port_ = direct_.local_endpoint(error).port();
  if (!error) return {};
  return fail(Errc::cluster_not_ready, "gossip cannot be heard on the UDP port " +
                                           with_port(options_.listen_host, options_.listen_port) + ": " +
                                           error.message());
}

/// A socket of its own, which hears what is sent to the group alone: several nodes of one machine may share it.
Result<void> Gossip::Impl::open_group() {
  const auto endpoint = endpoint_of(options_.group);
  if (!endpoint || !endpoint->address().is_v4() || !endpoint->address().is_multicast()) {
    return fail(Errc::invalid_request, '"' + options_.group + "\" is no IPv4 multicast group and port");
  }
  group_endpoint_ = *endpoint;
  error_code error;
  if (!options_.group_interface.empty()) {
    group_interface_ = asio::ip::make_address_v4(options_.group_interface, error);
    if (error) {
      return fail(Errc::invalid_request, '"' + options_.group_interface + "\" is no IPv4 address of an interface");
    }
  } else if (const auto own = direct_.local_endpoint(error).address(); !error && own.is_v4()) {
    group_interface_ = own.to_v4();
  }
  group_.open(udp::v4(), error);
  if (!error) group_.set_option(udp::socket::reuse_address(true), error);
  if (!error) group_.set_option(multicast::hops(options_.ttl), error);
  if (!error) group_.set_option(multicast::enable_loopback(true), error);
  if (!error) group_.bind(group_endpoint_, error);
  if (!error) group_.non_blocking(true, error);
  if (!error) return {};
  return fail(Errc::cluster_not_ready, "the multicast group " + options_.group + " cannot be used: " + error.message());
}

/// The network may come up later than the node.
void Gossip::Impl::enter_group() {
  error_code error;
  group_.set_option(multicast::join_group(group_endpoint_.address().to_v4(), group_interface_), error);
  if (!error && !group_interface_.is_unspecified()) {
    group_.set_option(multicast::outbound_interface(group_interface_), error);
  }
  is_in_group_ = !error;
  if (error) say_once_a_minute("group", "the group " + options_.group + " cannot be entered: " + error.message());
}

void Gossip::Impl::say_it() {
  if (group_.is_open() && !is_in_group_) enter_group();
  const bool asks = self().cluster.is_zero();
  if (is_in_group_) send(group_, group_endpoint_, asks);
  for (NameLookup& target : targets_) {
    const NameLookup::Found found = target.found();
    if (!found.problem.empty()) say_once_a_minute(found.problem, found.problem);
    for (const std::string& address : found.addresses) {
      if (const auto endpoint = endpoint_of(address)) send(direct_, *endpoint, asks);
    }
  }
  timer_.expires_after(asks ? options_.interval_looking : options_.interval_settled);
  timer_.async_wait([this](const error_code&) { say_it(); });  // cancelled: there is news
}

void Gossip::Impl::send(udp::socket& socket, const udp::endpoint& to, bool asks) {
  Announcement said = self();
  const auto nonce = random_nonce();
  if (!nonce) return say_once_a_minute("nonce", nonce.error().message());
  said.asks = asks;
  said.nonce = *nonce;
  const std::string datagram = encode_gossip(said, options_.cookie);
  if (datagram.empty()) return say_once_a_minute("long", "names and addresses of this node are too long to be said");
  error_code error;
  socket.send_to(asio::buffer(datagram), as_for(socket, to), 0, error);
  if (!error || error == asio::error::would_block) return;  // lost, like many a datagram
  const std::string where = with_port(to.address().to_string(), to.port());
  say_once_a_minute("send " + where, where + " cannot be told: " + error.message());
}

void Gossip::Impl::receive(udp::socket& socket, udp::endpoint& from, Buffer& buffer) {
  socket.async_receive_from(asio::buffer(buffer), from, [&](const error_code& error, std::size_t size_bytes) {
    if (error == asio::error::operation_aborted) return;
    if (!error && is_within_bounds()) take({buffer.data(), size_bytes}, from, &socket == &direct_);
    receive(socket, from, buffer);
  });
}

bool Gossip::Impl::is_within_bounds() {
  const auto now = steady_clock::now();
  if (now - second_began_ >= std::chrono::seconds(1)) {
    second_began_ = now;
    looked_at_ = 0;
  }
  if (++looked_at_ <= most_a_second) return true;
  say_once_a_minute("flood",
                    "more than " + std::to_string(most_a_second) + " datagrams a second came; some are not looked at");
  return false;
}

void Gossip::Impl::take(std::string_view datagram, const udp::endpoint& from, bool is_direct) {
  const Announcement own = self();
  const auto said = decode_gossip(datagram, own.cluster_name, options_.cookie);
  if (!said) {
    if (said.error() == BadGossip::other_cluster) return;
    const std::string why = said_of(said.error());
    return say_once_a_minute(why, "a datagram from " + from.address().to_string() + " was dropped: " + why);
  }
  if (said->directory == own.directory || !nonces_.is_new(said->nonce)) return;
  if (!parse_address(said->peer_address)) {
    return say_once_a_minute("address", "what " + from.address().to_string() + " says of itself can't be dialled");
  }
  if (said->asks && is_direct) send(direct_, from, false);
  if (options_.heard) options_.heard(*said);
}

// ---------------------------------------------------------------------------------------------------------------------

Gossip::Gossip(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Gossip::~Gossip() = default;

Result<std::unique_ptr<Gossip>> Gossip::open(GossipOptions options) {
  try {
    auto impl = std::make_unique<Impl>(std::move(options));
    if (auto opened = impl->open(); !opened) return std::unexpected(std::move(opened.error()));
    impl->start();
    return std::unique_ptr<Gossip>(new Gossip(std::move(impl)));
  } catch (const std::exception& failure) {
    return fail(Errc::internal, std::string("gossip cannot be opened: ") + failure.what());
  }
}

std::uint16_t Gossip::port() const noexcept { return impl_->port(); }
void Gossip::announce(const Announcement& self) { impl_->announce(self); }

}  // namespace concord::transport
