#include "transport/peer_link.hpp"

#include <algorithm>
#include <utility>

namespace concord::transport {
namespace {

std::string text_of(Lost why) {
  switch (why) {
    case Lost::closed: return "the peer closed the connection";
    case Lost::reset: return "the connection broke";
    case Lost::silent: return "the peer gave no sign of life";
    case Lost::garbled: return "what the peer sent was damaged";
  }
  return "the connection ended";
}

}  // namespace

PeerLink::PeerLink(std::shared_ptr<Shared> shared, Peer peer, Purpose purpose, std::uint64_t seed)
    : shared_(std::move(shared)),
      peer_(std::move(peer)),
      purpose_(purpose),
      random_(seed),
      pause_(shared_->limits.redial_min),
      timer_(shared_->context) {}

void PeerLink::start() {
  if (shared_->is_closing) return;
  is_wanted_ = true;
  dial();
}

void PeerLink::renew() {
  disconnect();
  pause_ = shared_->limits.redial_min;
  if (is_wanted_) dial();
}

void PeerLink::stop() {
  is_wanted_ = false;
  disconnect();
}

void PeerLink::expect_directory(std::uint64_t directory) {
  if (std::exchange(peer_.directory, directory) == directory) return;
  const auto open = connection();
  if (open == nullptr || (directory != 0 && open->peer().directory != directory)) renew();
}

void PeerLink::check_alive() {
  if (const auto open = connection()) open->check_alive();
}

void PeerLink::dial() {
  dial_ = std::make_shared<Dial>(shared_, peer_.address, purpose_,
                                 Expected{.node = peer_.node, .directory = peer_.directory});
  dial_->start(
      [self = shared_from_this()](Agreed<std::shared_ptr<Connection>> outcome) { self->take(std::move(outcome)); });
}

void PeerLink::take(Agreed<std::shared_ptr<Connection>> outcome) {
  dial_.reset();
  if (outcome) return adopt(std::move(*outcome));
  const Refusal& refusal = outcome.error();
  {
    const base::MutexLock lock(mutex_);
    last_error_ = refusal.error.message();
  }
  pause();
  report(refusal);
}

/// Both channels are refused for the same reasons; who asks first reports.
void PeerLink::report(const Refusal& refusal) {
  if (!shared_->may_report(refusal.cause, peer_.address)) return;
  const std::string node = "node " + std::to_string(peer_.node.value());
  if (refusal.cause == Cause::connection) {
    shared_->say(LogLevel::info, node + " is not reached: " + refusal.error.message());
    return;
  }
  shared_->say(LogLevel::warn,
               "the connection to " + node + " at " + peer_.address + " was refused: " + refusal.error.message());
  const Refuser by = refusal.is_proved ? Refuser::member : Refuser::anybody;
  shared_->call_out([&] { shared_->handler.on_refused(peer_.address, refusal.error, by); });
}

void PeerLink::adopt(std::shared_ptr<Connection> connection) {
  {
    const base::MutexLock lock(mutex_);
    connection_ = connection;
    identity_ = connection->peer();
    last_error_.clear();
  }
  connected_at_ = std::chrono::steady_clock::now();
  // It is corked until it is started: what is sent now, by the handler too, leaves afterwards.
  if (purpose_ == Purpose::control) shared_->call_out([&] { shared_->handler.on_connected(connection->peer()); });
  connection->start([self = shared_from_this(), &adopted = *connection](Lost why) { self->lose(adopted, why); });
}

void PeerLink::lose(const Connection& connection, Lost why) {
  {
    const base::MutexLock lock(mutex_);
    if (connection_.get() == &connection) connection_.reset();
    last_error_ = text_of(why);
  }
  // One that ends as soon as it is made counts as a failure, so that it isn't made fifty times a second.
  const auto lasted = std::chrono::steady_clock::now() - connected_at_;
  if (lasted > shared_->limits.redial_max) pause_ = shared_->limits.redial_min;
  if (is_wanted_ && dial_ == nullptr) pause();
  if (purpose_ == Purpose::control) shared_->handler.on_lost(peer_.node, why);
}

/// Between half the pause and all of it, so that nodes that lost each other together don't come back together for ever.
void PeerLink::pause() {
  if (!is_wanted_) return;
  const auto half_ms = static_cast<std::uint64_t>(pause_.count()) / 2;
  timer_.expires_after(std::chrono::milliseconds(half_ms + random_.below(half_ms + 1)));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled && self->is_wanted_ && self->dial_ == nullptr && self->connection() == nullptr) self->dial();
  });
  pause_ = std::min(2 * pause_, shared_->limits.redial_max);
}

void PeerLink::disconnect() {
  timer_.cancel();
  if (const auto dial = std::exchange(dial_, {})) dial->cancel();
  if (const auto open = connection()) open->close(Lost::closed, !shared_->is_closing);
  timer_.cancel();  // losing it has begun a pause
  const base::MutexLock lock(mutex_);
  connection_.reset();
}

std::shared_ptr<Connection> PeerLink::connection() const {
  const base::MutexLock lock(mutex_);
  return connection_;
}

std::string PeerLink::last_error() const {
  const base::MutexLock lock(mutex_);
  return last_error_;
}

Identity PeerLink::identity() const {
  const base::MutexLock lock(mutex_);
  return identity_;
}

}  // namespace concord::transport
