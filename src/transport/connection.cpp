#include "transport/connection.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "base/timeout.hpp"

namespace concord::transport {
namespace {

using std::chrono::steady_clock;

/// Of keep-alives that don't come: the end.
constexpr int most_silent_periods = 5;
/// What stands before the body of a request or an answer.
constexpr std::size_t most_front_bytes = 16;
constexpr std::size_t sealed_in_bytes = std::size_t{64} << 10U;

std::string_view word_of(Lost why) noexcept {
  switch (why) {
    case Lost::closed: return "it was closed";
    case Lost::reset: return "it broke";
    case Lost::silent: return "the peer gave no sign of life";
    case Lost::garbled: return "what came was damaged";
  }
  return "it ended";
}

std::unexpected<Error> out_of_place(std::string_view what) {
  return fail(Errc::invalid_request, std::string(what) + " came where none may come");
}

}  // namespace

/// Answers when it is called, or, as late as possible, that nobody did.
struct Connection::Responder {
  std::weak_ptr<Connection> connection;
  std::uint64_t id;
  bool is_open = true;

  Responder(std::weak_ptr<Connection> connection_, std::uint64_t id_) : connection(std::move(connection_)), id(id_) {}
  Responder(Responder&& other) noexcept
      : connection(std::move(other.connection)), id(other.id), is_open(std::exchange(other.is_open, false)) {}
  Responder& operator=(Responder&&) = delete;
  ~Responder() {
    if (is_open) (*this)(fail(Errc::internal, "the request was dropped without an answer"));
  }

  void operator()(Result<std::string> result) {
    if (!std::exchange(is_open, false)) return;
    if (const auto open = connection.lock()) open->answer(id, std::move(result));
  }
};

Connection::Connection(std::shared_ptr<Shared> shared, Stream stream, Identity peer, Purpose purpose, Role role)
    : shared_(std::move(shared)),
      peer_(std::move(peer)),
      purpose_(purpose),
      role_(role),
      sealed_in_(stream.tls ? std::make_unique_for_overwrite<char[]>(sealed_in_bytes) : nullptr),
      deadline_timer_(shared_->context),
      last_received_ticks_(steady_clock::now().time_since_epoch().count()),
      socket_(std::move(stream.socket)),
      tls_(std::move(stream.tls)) {}

std::string Connection::peer_name() const {
  return "node " + std::to_string(peer_.node.value()) + (peer_.name.empty() ? "" : " (" + peer_.name + ")");
}

std::size_t Connection::max_payload_bytes() const noexcept {
  return shared_->limits.max_frame_bytes + most_front_bytes;
}

void Connection::start(OnEnd on_end) {
  on_end_ = std::move(on_end);
  {
    const base::MutexLock lock(mutex_);
    is_corked_ = false;
    write_queue();
  }
  if (tls_ && !unseal(0)) return;  // it may have come with the handshake
  read();
}

void Connection::close(Lost why, bool is_reported) {
  if (std::exchange(has_ended_, true)) return;
  const auto self = shared_from_this();  // the callbacks may let go of it
  std::unordered_map<std::uint64_t, Pending> unanswered;
  {
    const base::MutexLock lock(mutex_);
    is_closed_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
    queue_.clear();
    sealed_.clear();
    sealed_sent_ = 0;
    unanswered.swap(pending_);
  }
  deadline_timer_.cancel();
  OnEnd on_end = std::exchange(on_end_, {});
  if (is_reported && on_end) shared_->call_out([&] { on_end(why); });
  const std::string what =
      "the connection to " + peer_name() + " ended before the answer came: " + std::string(word_of(why));
  for (auto& [id, request] : unanswered) {
    shared_->call_out([&done = request.done, &what] { done(fail(Errc::timeout, what, true)); });
  }
}

void Connection::check_alive() {
  if (has_ended_) return;
  boost::system::error_code ignored;
  const bool is_silent = silent_for() > most_silent_periods * shared_->limits.keep_alive;
  if (is_silent && socket_.available(ignored) == 0)
    return close(Lost::silent);  // unless this thread was held up itself
  const base::MutexLock lock(mutex_);
  if (!std::exchange(sent_since_check_, false) && queue_.empty() && !is_corked_) {
    (void)push(FrameKind::keep_alive, {}, {}, {});
    sent_since_check_ = false;
  }
}

std::size_t Connection::queued_bytes() const {
  const base::MutexLock lock(mutex_);
  return waiting_bytes();
}

std::chrono::milliseconds Connection::silent_for() const noexcept {
  const Time received{steady_clock::duration(last_received_ticks_.load(std::memory_order_relaxed))};
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - received);
}

// ---------------------------------------------------------------------------------------------------------------------
// In.

void Connection::read() {
  const auto room = tls_ ? std::span(sealed_in_.get(), sealed_in_bytes) : received_.room(whole_bytes_);
  socket_.async_read_some(boost::asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](const boost::system::error_code& error, std::size_t size_bytes) {
                            if (self->has_ended_) return;
                            if (error)
                              return self->close(error == boost::asio::error::eof ? Lost::closed : Lost::reset);
                            self->last_received_ticks_.store(steady_clock::now().time_since_epoch().count(),
                                                             std::memory_order_relaxed);
                            if (self->take_bytes(size_bytes)) self->read();
                          });
}

/// False: this was the end.
bool Connection::take_bytes(std::size_t size_bytes) {
  if (tls_) return unseal(size_bytes);
  received_.filled(size_bytes);
  return take_frames();
}

/// Takes apart what TLS has, with `size_bytes` more from the socket. False: this was the end.
bool Connection::unseal(std::size_t size_bytes) {
  using State = security::TlsSession::State;
  {
    const base::MutexLock lock(mutex_);
    if (is_closed_ || is_broken_) return false;
    tls_->feed({sealed_in_.get(), size_bytes});
    (void)write_sealed();  // TLS may have an answer of its own
  }
  for (;;) {
    const std::size_t plain_bytes = unseal_to(received_.room(whole_bytes_));
    if (plain_bytes == 0) break;
    received_.filled(plain_bytes);
    if (!take_frames()) return false;
  }
  State state = State::open;
  std::string problem;
  {
    const base::MutexLock lock(mutex_);
    state = tls_->state();
    problem = tls_->problem();
  }
  if (state == State::open) return true;
  if (state == State::failed && shared_->may_report(Cause::tls, peer_name())) {
    shared_->say(LogLevel::warn, "the connection with " + peer_name() + " ends: TLS failed: " + problem);
  }
  close(state == State::closed ? Lost::closed : Lost::garbled);
  return false;
}

/// As much of what was decrypted as there is, and has room.
std::size_t Connection::unseal_to(std::span<char> room) {
  const base::MutexLock lock(mutex_);
  std::size_t total_bytes = 0;
  while (total_bytes < room.size()) {
    const std::size_t size_bytes = tls_->read(room.data() + total_bytes, room.size() - total_bytes);
    if (size_bytes == 0) break;
    total_bytes += size_bytes;
  }
  return total_bytes;
}

/// False: this was the end.
bool Connection::take_frames() {
  Result<void> taken;
  for (;;) {
    const auto frame = read_frame(received_.unread(), next_received_, max_payload_bytes());
    if (!frame) {
      taken = std::unexpected(frame.error());
      break;
    }
    if (!*frame) break;
    ++next_received_;
    try {
      taken = take(**frame);
    } catch (const std::exception& failure) {  // must not end the thread, and with it the host
      taken = fail(Errc::internal, std::string("a handler failed: ") + failure.what());
    }
    if (!taken) break;
    if (has_ended_) return false;
    received_.consume((*frame)->size_bytes);
  }
  if (!taken) {
    if (shared_->may_report(Cause::protocol, peer_name())) {
      shared_->say(LogLevel::warn, "the connection with " + peer_name() + " ends: " + taken.error().message());
    }
    close(Lost::garbled);
    return false;
  }
  shared_->call_out([this] { shared_->handler.on_read_done(); });
  if (has_ended_) return false;
  const auto whole_bytes = frame_size(received_.unread(), max_payload_bytes());
  whole_bytes_ = whole_bytes ? whole_bytes->value_or(frame_header_bytes) : frame_header_bytes;
  return true;
}

Result<void> Connection::take(const Frame& frame) {
  switch (frame.kind) {
    case FrameKind::message: return take_message(frame.payload);
    case FrameKind::request: return take_request(frame.payload);
    case FrameKind::answer: return take_answer(frame.payload);
    case FrameKind::keep_alive: return {};
  }
  return out_of_place("a frame");
}

Result<void> Connection::take_message(std::string_view payload) {
  if (role_ != Role::listener || purpose_ != Purpose::control || peer_.node.is_zero()) return out_of_place("a message");
  shared_->handler.on_message(peer_, payload);
  return {};
}

Result<void> Connection::take_request(std::string_view payload) {
  if (role_ != Role::listener) return out_of_place("a request");
  const auto request = read_request(payload);
  if (!request) return std::unexpected(request.error());
  const bool is_too_many = ++unanswered_ > shared_->limits.max_requests;
  Responder responder(weak_from_this(), request->id);
  if (is_too_many) {
    responder(fail(Errc::overloaded, "too many requests are unanswered"));
    return {};
  }
  shared_->handler.on_request(peer_, request->method, request->body, Respond(std::move(responder)));
  return {};
}

Result<void> Connection::take_answer(std::string_view payload) {
  if (role_ != Role::dialler) return out_of_place("an answer");
  auto answer = read_answer(payload);
  if (!answer) return std::unexpected(answer.error());
  if (answer->id == 0 || answer->id >= next_request_) return out_of_place("an answer to no request");
  Done done;
  {
    const base::MutexLock lock(mutex_);
    const auto found = pending_.find(answer->id);
    if (found == pending_.end()) return {};  // too late
    done = std::move(found->second.done);
    pending_.erase(found);
  }
  if (answer->error) {
    done(std::unexpected(std::move(*answer->error)));
  } else {
    done(std::string(answer->body));
  }
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Requests.

void Connection::request(std::uint8_t method, std::string body, std::chrono::milliseconds timeout, Done done) {
  const Time deadline = steady_clock::now() + base::bounded(timeout);
  if (auto error = try_request(method, std::move(body), deadline, done)) done(std::unexpected(std::move(*error)));
}

/// Nothing: it is on its way, and `done` is kept.
std::optional<Error> Connection::try_request(std::uint8_t method, std::string body, Time deadline, Done& done) {
  if (body.size() > shared_->limits.max_frame_bytes) {
    return Error(Errc::value_too_large,
                 "the request has " + std::to_string(body.size()) + " bytes, which is too large");
  }
  const std::uint64_t id = next_request_++;
  const std::string front = request_front(id, method);
  const PayloadSum sum = sum_of(front, body);
  const base::MutexLock lock(mutex_);
  if (pending_.size() >= shared_->limits.max_requests) {
    return Error(Errc::overloaded, "too many requests to " + peer_name() + " are unanswered");
  }
  switch (push_string(FrameKind::request, sum, front, std::move(body))) {
    case Push::full: return Error(Errc::overloaded, "too much waits to be sent to " + peer_name());
    case Push::ended: return Error(Errc::cluster_not_ready, "the connection to " + peer_name() + " has ended");
    case Push::done: break;
  }
  pending_.emplace(id, Pending{.deadline = deadline, .done = std::move(done)});
  if (deadline < watched_deadline_) {
    watched_deadline_ = deadline;
    boost::asio::post(shared_->context, [self = shared_from_this()] { self->watch_deadlines(); });
  }
  return std::nullopt;
}

void Connection::watch_deadlines() {
  if (has_ended_) return;
  Time earliest = Time::max();
  {
    const base::MutexLock lock(mutex_);
    for (const auto& [id, request] : pending_) earliest = std::min(earliest, request.deadline);
    watched_deadline_ = earliest;
  }
  if (earliest == Time::max()) return;
  deadline_timer_.expires_at(earliest);
  deadline_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->fail_late_requests();
  });
}

void Connection::fail_late_requests() {
  std::vector<Done> late;
  {
    const base::MutexLock lock(mutex_);
    const Time now = steady_clock::now();
    for (auto at = pending_.begin(); at != pending_.end();) {
      if (at->second.deadline > now) {
        ++at;
        continue;
      }
      late.push_back(std::move(at->second.done));
      at = pending_.erase(at);
    }
  }
  for (Done& done : late) {
    shared_->call_out([&] { done(fail(Errc::timeout, peer_name() + " did not answer in time", true)); });
  }
  watch_deadlines();
}

}  // namespace concord::transport
