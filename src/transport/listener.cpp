#include "transport/listener.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "base/mutant.hpp"
#include "transport/packets.hpp"
#include "transport/stream.hpp"

namespace concord::transport {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// One incoming connection during its handshake. In its listener's list exactly while it is under way.
class Listener::Greeting final : public std::enable_shared_from_this<Greeting> {
 public:
  Greeting(Listener& listener, tcp::socket socket)
      : listener_(&listener),
        shared_(listener.shared_),
        stream_{.socket = std::move(socket)},
        timer_(shared_->context),
        packets_(stream_),
        host_(remote_host(stream_.socket)) {}

  void start() {
    timer_.expires_after(shared_->limits.handshake_timeout);
    timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled) self->end();
    });
    error_code error;
    stream_.socket.set_option(tcp::no_delay(true), error);
    if (!error) stream_.socket.non_blocking(true, error);
    if (error) return end();
    if (shared_->tls == nullptr) return receive_hello();
    packets_.secure(shared_->tls->current(), security::TlsSession::Role::server,
                    [self = shared_from_this()](Agreed<void> secured) {
                      if (self->listener_ == nullptr) return;
                      if (!secured) return self->give_up(secured.error());
                      self->receive_hello();
                    });
  }

  /// Leaves the list.
  void end() {
    Listener* const listener = std::exchange(listener_, nullptr);
    if (listener == nullptr) return;
    timer_.cancel();
    error_code ignored;
    stream_.socket.close(ignored);
    const auto self = shared_from_this();
    listener->greetings_.remove(self);
  }

 private:
  void receive_hello() {
    packets_.receive([self = shared_from_this()](Agreed<std::string_view> packet) {
      if (self->listener_ != nullptr) self->take_hello(std::move(packet));
    });
  }

  void take_hello(Agreed<std::string_view> packet) {
    if (!packet) return give_up(packet.error());
    const auto nonce = random_nonce();
    if (!nonce) return end();
    handshake_.emplace(shared_->credentials(packets_.binding()), *nonce);
    const auto answer = handshake_->take_hello(*packet);
    if (!answer) return give_up(answer.error());
    if (auto sent = packets_.send(*answer); !sent) return give_up(sent.error());
    packets_.receive([self = shared_from_this()](Agreed<std::string_view> received) {
      if (self->listener_ != nullptr) self->take_proof(std::move(received));
    });
  }

  void take_proof(Agreed<std::string_view> packet) {
    if (!packet) return give_up(packet.error());
    if (auto proved = handshake_->take_proof(*packet); !proved) return give_up(proved.error());
    if (auto admitted = shared_->handler.admit(handshake_->peer()); !admitted) {
      Refusal refusal = not_admitted(admitted.error());
      (void)packets_.send(handshake_->refusal(refusal));
      refusal.told.clear();  // it is told
      return give_up(refusal);
    }
    if (auto sent = packets_.send(ListenerHandshake::welcome()); !sent) return give_up(sent.error());
    Listener& listener = *listener_;
    auto connection = std::make_shared<Connection>(shared_, std::move(stream_), handshake_->peer(),
                                                   handshake_->purpose(), Connection::Role::listener);
    end();
    listener.on_connection_(std::move(connection));
  }

  void give_up(const Refusal& refusal) {
    // Who looks for others among addresses may find its own.
    const bool asked_itself =
        refusal.cause == Cause::itself && handshake_ && handshake_->purpose() == Purpose::one_request;
    if (refusal.cause != Cause::connection && !asked_itself && shared_->may_report(refusal.cause, host_)) {
      shared_->say(LogLevel::warn, "a connection from " + host_ + " was refused: " + refusal.error.message());
    }
    packets_.refuse(refusal);
    end();
  }

  Listener* listener_;  ///< nothing: it has ended
  const std::shared_ptr<Shared> shared_;
  Stream stream_;
  asio::steady_timer timer_;
  Packets packets_;
  const std::string host_;
  std::optional<ListenerHandshake> handshake_;
};

namespace {

/// How long accepting pauses after it failed, when descriptors have run out, say.
constexpr std::chrono::milliseconds accept_pause{100};

Result<tcp::endpoint> endpoint_of(asio::io_context& context, const std::string& host, std::uint16_t port) {
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (!error) return tcp::endpoint(address, port);
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return fail(Errc::cluster_not_ready, "the peer host " + host + " is unknown: " + error.message());
  }
  return found.begin()->endpoint();
}

}  // namespace

Listener::Listener(std::shared_ptr<Shared> shared, OnConnection on_connection)
    : shared_(std::move(shared)),
      on_connection_(std::move(on_connection)),
      acceptor_(shared_->context),
      pause_timer_(shared_->context) {}

Listener::~Listener() { close(); }

Result<void> Listener::listen(const std::string& host, std::uint16_t port) {
  const auto endpoint = endpoint_of(shared_->context, host, port);
  if (!endpoint) return std::unexpected(endpoint.error());
  error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  if (error) {
    return fail(Errc::cluster_not_ready,
                "peers cannot be listened for on " + host + ":" + std::to_string(port) + ": " + error.message());
  }
  return {};
}

void Listener::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
    if (error) return pause_accepting(error);
    greet(std::move(socket));
    accept();
  });
}

void Listener::pause_accepting(const error_code& error) {
  if (shared_->may_report(Cause::connection, "accepting")) {
    shared_->say(LogLevel::warn, "accepting a connection failed: " + error.message());
  }
  pause_timer_.expires_after(accept_pause);
  pause_timer_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) accept();
  });
}

void Listener::greet(tcp::socket socket) {
  const bool is_limited = !CONCORD_MUTANT("half-open-connections-have-no-limit");
  if (is_limited && greetings_.size() >= shared_->limits.max_handshakes) greetings_.front()->end();
  greetings_.push_back(std::make_shared<Greeting>(*this, std::move(socket)));
  greetings_.back()->start();
}

void Listener::forget_handshakes() {
  while (!greetings_.empty()) greetings_.front()->end();
}

void Listener::close() {
  forget_handshakes();
  error_code ignored;
  acceptor_.close(ignored);
  pause_timer_.cancel();
}

}  // namespace concord::transport
