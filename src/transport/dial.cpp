#include "transport/dial.hpp"

#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

namespace concord::transport {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Dial::Dial(std::shared_ptr<Shared> shared, std::string address, Purpose purpose, Expected expected)
    : shared_(std::move(shared)),
      address_(std::move(address)),
      purpose_(purpose),
      expected_(expected),
      resolver_(shared_->context),
      stream_{.socket = tcp::socket(shared_->context)},
      timer_(shared_->context),
      packets_(stream_) {}

void Dial::start(Done done) {
  done_ = std::move(done);
  timer_.expires_after(shared_->limits.handshake_timeout);
  timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (cancelled) return;
    self->give_up(not_connected("connecting to " + self->address_ + " took longer than " +
                                std::to_string(self->shared_->limits.handshake_timeout.count()) + " ms"));
  });
  asio::post(shared_->context, [self = shared_from_this()] { self->begin(); });
}

void Dial::begin() {
  if (!done_) return;
  const auto address = parse_address(address_);
  if (!address) return give_up({.cause = Cause::connection, .error = address.error(), .told = {}});
  error_code error;
  const auto numeric = asio::ip::make_address(address->host, error);
  if (error) return resolve(*address);
  connect({tcp::endpoint(numeric, address->port)});
}

void Dial::resolve(const Address& address) {
  resolver_.async_resolve(
      address.host, std::to_string(address.port), tcp::resolver::numeric_service,
      [self = shared_from_this()](const error_code& error, const tcp::resolver::results_type& found) {
        if (!self->done_) return;
        if (error)
          return self->give_up(not_connected("the name of " + self->address_ + " is unknown: " + error.message()));
        Endpoints endpoints;
        for (const auto& entry : found) endpoints.push_back(entry.endpoint());
        self->connect(endpoints);
      });
}

void Dial::connect(const Endpoints& endpoints) {
  asio::async_connect(
      stream_.socket, endpoints, [self = shared_from_this()](const error_code& error, const tcp::endpoint& /*to*/) {
        if (!self->done_) return;
        if (error) return self->give_up(not_connected("no connection to " + self->address_ + ": " + error.message()));
        self->secure();
      });
}

void Dial::secure() {
  error_code error;
  stream_.socket.set_option(tcp::no_delay(true), error);
  if (!error) stream_.socket.non_blocking(true, error);
  if (error) return give_up(not_connected("no connection to " + address_ + ": " + error.message()));
  // Dialling a free local port may be given that very port to dial from, and TCP then connects it to itself.
  if (stream_.socket.local_endpoint(error) == stream_.socket.remote_endpoint(error)) {
    return give_up(not_connected("nobody listens at " + address_));
  }
  if (shared_->tls == nullptr) return greet();
  packets_.secure(shared_->tls->current(), security::TlsSession::Role::client,
                  [self = shared_from_this()](Agreed<void> secured) {
                    if (!self->done_) return;
                    if (!secured) return self->give_up(secured.error());
                    self->greet();
                  });
}

void Dial::greet() {
  const auto nonce = random_nonce();
  if (!nonce) return give_up({.cause = Cause::connection, .error = nonce.error(), .told = {}});
  handshake_.emplace(shared_->credentials(packets_.binding()), purpose_, expected_, *nonce);
  if (auto sent = packets_.send(handshake_->hello()); !sent) return give_up(sent.error());
  packets_.receive([self = shared_from_this()](Agreed<std::string_view> packet) {
    if (self->done_) self->take_answer(std::move(packet));
  });
}

void Dial::take_answer(Agreed<std::string_view> packet) {
  if (!packet) return give_up(packet.error());
  const auto proof = handshake_->take_answer(*packet);
  if (!proof) return give_up(proof.error());
  if (auto sent = packets_.send(*proof); !sent) return give_up(sent.error());
  packets_.receive([self = shared_from_this()](Agreed<std::string_view> received) {
    if (self->done_) self->take_welcome(std::move(received));
  });
}

void Dial::take_welcome(Agreed<std::string_view> packet) {
  if (!packet) return give_up(packet.error());
  if (auto welcome = handshake_->take_welcome(*packet); !welcome) return give_up(welcome.error());
  finish(std::make_shared<Connection>(shared_, std::move(stream_), handshake_->peer(), purpose_,
                                      Connection::Role::dialler));
}

void Dial::give_up(const Refusal& refusal) {
  if (stream_.socket.is_open()) packets_.refuse(refusal);
  finish(std::unexpected(refusal));
}

void Dial::finish(Agreed<std::shared_ptr<Connection>> outcome) {
  Done done = std::exchange(done_, {});
  cancel();
  if (done) done(std::move(outcome));
}

void Dial::cancel() {
  done_ = {};
  timer_.cancel();
  resolver_.cancel();
  error_code ignored;
  stream_.socket.close(ignored);
}

}  // namespace concord::transport
