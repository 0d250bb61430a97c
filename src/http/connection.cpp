#include "http/connection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include "http/idempotency.hpp"

namespace concord::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t smallest_buffer_bytes = 4U << 10U;
constexpr std::size_t largest_buffer_bytes = 64U << 10U;
/// Above, requests that have arrived wait until their client has taken earlier responses.
constexpr std::size_t output_limit_bytes = 256U << 10U;
constexpr std::size_t kept_output_bytes = 32U << 10U;
constexpr std::size_t max_request_id_bytes = 128;
constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

bool is_usable_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= max_request_id_bytes &&
         std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7f; });
}

void release_memory(std::string& buffer) {
  if (buffer.capacity() > kept_output_bytes) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

security::Address address_of(const asio::ip::address& address) noexcept {
  const auto as_v6 =
      address.is_v4() ? asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()) : address.to_v6();
  return as_v6.to_bytes();
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, Shared& shared, Worker& worker, std::size_t position_in_worker)
    : position(position_in_worker),
      socket_(std::move(socket)),
      shared_(shared),
      worker_(worker),
      parser_(shared.settings.limits),
      call_(shared.site, *this),
      in_(smallest_buffer_bytes, '\0') {}

Connection::~Connection() {
  // The server ends before the database has said what became of it.
  if (call_.room) audit_unanswered(fail(Errc::timeout, "it was not answered"));
}

void Connection::start() {
  error_code ignored;
  call_.caller.address = address_of(socket_.remote_endpoint(ignored).address());
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  if (shared_.draining) return close();
  if (shared_.settings.tls) {
    tls_.emplace(shared_.settings.tls->current(), security::TlsSession::Role::server);
    is_in_handshake_ = true;
    request_deadline_ = worker_.in(shared_.settings.handshake_timeout);
    worker_.begin_handshake(shared_from_this());
    if (!open_) return;
  }
  read();
  arm_deadline();
}

void Connection::close() noexcept {
  if (!open_) return;
  const auto self = shared_from_this();  // the worker's reference goes now
  open_ = false;
  if (is_in_handshake_) end_handshake();
  say_goodbye();
  feed_.reset();
  error_code ignored;
  socket_.close(ignored);
  worker_.remove(*this);
  shared_.count_connection(false);
}

void Connection::drain() {
  if (feed_) return end_feed(Error(Errc::cluster_not_ready, "the server is stopping"));
  if (lingering_ || (!parsing_ && !awaiting_ && !writing_)) close();
}

// Time ---------------------------------------------------------------------------------------------------------------

void Connection::arm_deadline() {
  if (is_in_handshake_) {
    worker_.set_deadline(*this, request_deadline_);
  } else if (awaiting_ && !writing_) {
    worker_.set_deadline(*this, Worker::no_deadline);  // the database keeps the call's own deadline
  } else if (lingering_) {
    return;  // one deadline for all of it, or a client could send for ever
  } else if (feed_ && !writing_) {
    constexpr std::chrono::milliseconds looks{1000};  // a token may be revoked at any time
    worker_.set_deadline(*this, std::min(worker_.in(looks), sign_of_life_at_));
  } else if (!writing_ && parsing_) {
    worker_.set_deadline(*this, request_deadline_);
  } else {
    worker_.set_deadline(*this, worker_.in(shared_.settings.idle_timeout));
  }
}

void Connection::meet_deadline() {
  if (!open_) return;
  if (feed_) return check_feed();
  if (lingering_ || writing_ || !parsing_) return close();
  parsing_ = false;
  refuse_and_close(
      {408, error_name(Errc::invalid_request),
       "the request did not arrive within " + std::to_string(shared_.settings.request_timeout.count()) + " ms"});
  flush();
  if (open_ && !writing_) linger();
}

// Requests -----------------------------------------------------------------------------------------------------------

void Connection::advance() {
  while (open_) {
    process_input();
    flush();
    if (!open_) return;
    if (writing_ || awaiting_) break;
    if (feed_) return pump_feed();
    if (closing_) return linger();
    if (needs_input_) {
      read();
      break;
    }
  }
  if (open_) arm_deadline();
}

void Connection::process_input() {
  while (open_ && !awaiting_ && !closing_ && !feed_ && out_static_.empty() && out_.size() < output_limit_bytes) {
    // An empty line before a request is ignored (RFC 9112 2.2).
    while (!parsing_ && in_begin_ < in_end_ && (in_[in_begin_] == '\r' || in_[in_begin_] == '\n')) ++in_begin_;
    needs_input_ = in_begin_ == in_end_;
    if (needs_input_) return;
    if (!parsing_) {
      parser_.start(call_.request);
      parsing_ = true;
      request_deadline_ = worker_.in(shared_.settings.request_timeout);
    }
    const RequestParser::Step step = parser_.feed(input());
    in_begin_ += step.consumed;
    if (step.state == RequestParser::State::complete) {
      parsing_ = false;
      handle_request();
    } else if (step.state == RequestParser::State::failed) {
      parsing_ = false;
      refuse_and_close(parser_.problem());
    } else {
      if (parser_.take_continue()) out_ += continue_response;
      needs_input_ = true;
      return;
    }
  }
}

void Connection::choose_request_id() {
  const std::string_view given = call_.request.header(Header::request_id);
  if (is_usable_id(given)) {
    request_id_.assign(given);
    return;
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::uint64_t number = worker_.random();
  request_id_.resize(16);
  for (char& c : request_id_) {
    c = digits[number & 15U];
    number >>= 4U;
  }
}

void Connection::handle_request() {
  call_.reply.clear();
  choose_request_id();
  note_arrival();
  try {
    if (const auto problem = shared_.browser_guard.check(call_.request)) {
      call_.refuse(*problem);
    } else {
      shared_.table.dispatch(call_);
    }
  } catch (const std::exception& e) {
    fail_internally(e.what());
  }
  if (!awaiting_) respond();
}

void Connection::fail_internally(const char* what) {
  shared_.log(LogLevel::error, "http: request " + request_id_ + " failed: " + what);
  call_.refuse({500, error_name(Errc::internal), "an internal error; the log has it under request id " + request_id_});
}

void Connection::respond() {
  const Request& request = call_.request;
  const bool keep_alive = request.keep_alive && !shared_.draining;
  shared_.browser_guard.add_headers(request, call_.reply);
  if (call_.span) call_.reply.add_header("traceparent", observe::traceparent_of(call_.span->context()));
  if (feed_ && request.method == Method::head) feed_.reset();
  if (feed_) return begin_feed();
  if (shared_.settings.compress) worker_.gzip().code(request, call_.reply);
  out_static_ = append_response(out_, call_.reply,
                                {.request_id = request_id_,
                                 .date = worker_.date(),
                                 .head_only = request.method == Method::head,
                                 .keep_alive = keep_alive,
                                 .is_http_1_0 = request.is_http_1_0});
  if (!keep_alive) closing_ = true;
  if (received_at_ != std::chrono::steady_clock::time_point()) record_access();
  note_answer();
  // What is large goes now, not with the next request: that may be long in coming, or never come.
  call_.reply.clear();
  call_.request.clear();
}

void Connection::refuse_and_close(const Problem& problem) {
  call_.refuse(problem);
  choose_request_id();
  note_arrival();
  call_.request.keep_alive = false;
  call_.request.method = call_.request.method == Method::head ? Method::head : Method::other;
  respond();
}

// Transactions -------------------------------------------------------------------------------------------------------

void Connection::await(Start start, Continuation continuation) {
  continuation_ = std::move(continuation);
  awaiting_ = true;
  submitting_ = true;
  shared_.in_flight.fetch_add(1);
  try {
    start([self = shared_from_this()](Result<command::Outcome> outcome) mutable {
      complete(std::move(self), std::move(outcome));
    });
  } catch (...) {  // no memory, and no completion: the request is answered as a failed one
    shared_.in_flight.fetch_sub(1);
    submitting_ = awaiting_ = false;
    throw;
  }
  submitting_ = false;
  if (!inline_outcome_) return;
  Result<command::Outcome> outcome = std::move(*inline_outcome_);
  inline_outcome_.reset();
  awaiting_ = false;
  run_continuation(std::move(outcome));
}

/// On any thread. A thread of the library may end its work for one connection inside the `submit` of another, so the thread
/// alone does not tell that the completion came inline.
void Connection::complete(std::shared_ptr<Connection> self, Result<command::Outcome> outcome) {
  Shared& shared = self->shared_;
  if (self->worker_.is_this_thread() && self->submitting_) {
    self->inline_outcome_.emplace(std::move(outcome));
    self.reset();
  } else {
    Worker& worker = self->worker_;
    worker.deliver(std::move(self), std::move(outcome));
  }
  shared.in_flight.fetch_sub(1);  // the last touch: the server may go now
}

void Connection::receive(Result<command::Outcome> outcome) {
  awaiting_ = false;
  if (!open_ && call_.room) audit_unanswered(outcome);
  if (!open_) return;
  run_continuation(std::move(outcome));
  if (awaiting_) return;  // it began something else
  respond();
  advance();
}

void Connection::run_continuation(Result<command::Outcome> outcome) {
  Continuation continuation = std::move(continuation_);
  const command::Repeat repeat = outcome ? outcome->repeat : command::Repeat::none;
  if (outcome && call_.room) note_outcome(call_.notes, *outcome);
  if (repeat == command::Repeat::conflict) return call_.refuse(idempotency_conflict());
  try {
    continuation(call_, std::move(outcome));
    if (repeat == command::Repeat::replayed) call_.reply.add_header("Idempotency-Replayed", "true");
    if (repeat == command::Repeat::replayed_without_values) {
      call_.reply.add_header("Idempotency-Replayed", "without-values");  // store/remembered.hpp: too large to be kept
    }
  } catch (const std::exception& e) {
    fail_internally(e.what());
  }
}

// Long work ----------------------------------------------------------------------------------------------------------

void Connection::work(Step step) {
  step_ = std::move(step);
  if (run_step()) return;
  awaiting_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->go_on_with_work(); });
}

void Connection::go_on_with_work() {
  if (!open_) {
    step_ = nullptr;  // what it holds of the database goes now
    awaiting_ = false;
    return;
  }
  if (!run_step()) {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->go_on_with_work(); });
    return;
  }
  awaiting_ = false;
  respond();
  advance();
}

/// True when the work is done.
bool Connection::run_step() {
  try {
    if (!step_(call_)) return false;
  } catch (const std::exception& e) {
    fail_internally(e.what());
  }
  step_ = nullptr;
  return true;
}

// Sockets ------------------------------------------------------------------------------------------------------------

void Connection::read() {
  if (in_begin_ == in_end_) {
    in_begin_ = in_end_ = 0;
    if (!parsing_ && in_.size() > smallest_buffer_bytes) std::string(smallest_buffer_bytes, '\0').swap(in_);
  } else if (in_begin_ > 0) {
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  if (in_end_ == in_.size()) in_.resize(std::min(in_.size() * 2, largest_buffer_bytes));
  reading_ = true;
  if (tls_) return read_sealed();
  socket_.async_read_some(asio::buffer(in_.data() + in_end_, in_.size() - in_end_),
                          [self = shared_from_this()](const error_code& error, std::size_t size_bytes) {
                            self->reading_ = false;
                            if (!self->open_) return;
                            if (error) return self->close();
                            self->on_read(size_bytes);
                          });
}

/// Into memory that all connections of the thread share: one that waits for bytes holds none for them.
void Connection::read_sealed() {
  socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](const error_code& error) {
    self->reading_ = false;
    if (!self->open_) return;
    if (error) return self->close();
    std::string& scratch = self->worker_.scratch();
    error_code failed;
    const std::size_t size_bytes = self->socket_.read_some(asio::buffer(scratch), failed);
    if (failed == asio::error::would_block || failed == asio::error::try_again) return self->read();
    if (failed) return self->close();
    self->on_sealed(std::string_view(scratch).substr(0, size_bytes));
  });
}

void Connection::on_sealed(std::string_view bytes) {
  using State = security::TlsSession::State;
  if (lingering_) return read();
  tls_->feed(bytes);
  const std::size_t size_bytes = unseal();
  const State state = tls_->state();
  if (is_in_handshake_ && state != State::handshake) end_handshake();
  if (size_bytes > 0) return on_read(size_bytes);
  flush();
  if (!open_) return;
  if (state == State::failed || state == State::closed) return close();
  if (!writing_) read();  // else once that is written
  arm_deadline();
}

/// How many bytes it has added behind the input.
std::size_t Connection::unseal() {
  std::size_t total = 0;
  for (;;) {
    if (in_end_ + total == in_.size()) in_.resize(in_.size() * 2);
    const std::size_t size_bytes = tls_->read(in_.data() + in_end_ + total, in_.size() - in_end_ - total);
    if (size_bytes == 0) return total;
    total += size_bytes;
  }
}

void Connection::end_handshake() noexcept {
  is_in_handshake_ = false;
  worker_.end_handshake();
}

/// As far as it goes at once.
void Connection::say_goodbye() noexcept {
  if (!tls_ || writing_ || !unsent().empty() || !tls_->shut()) return;
  error_code ignored;
  socket_.write_some(asio::buffer(tls_->take_output()), ignored);
}

void Connection::on_read(std::size_t size_bytes) {
  if (lingering_ || feed_) {
    if (feed_) take_for_feed({in_.data() + in_end_, size_bytes});
    if (!open_ || reading_) return;
    in_begin_ = in_end_ = 0;
    return read();
  }
  in_end_ += size_bytes;
  if (closing_) {  // refused for its time while the client was still sending
    in_begin_ = in_end_ = 0;
    return;
  }
  // A read that filled the buffer is part of something large: the next one may be larger.
  const bool was_full = in_end_ == in_.size() && in_.size() < largest_buffer_bytes;
  advance();
  if (was_full && open_ && parsing_ && !reading_) in_.resize(in_.size() * 2);
}

std::string_view Connection::unsent() const noexcept {
  if (sent_ < sending_.size()) return std::string_view(sending_).substr(sent_);
  return sending_static_.substr(sent_ - sending_.size());
}

/// Precondition: all before was sent. False: there is nothing to send.
bool Connection::take_output() {
  sent_ = 0;
  // The last write may have ended outside of `flush`: what it sent must not come back as `out_`.
  release_memory(sending_);
  sending_static_ = {};
  if (!tls_) {
    std::swap(sending_, out_);
    sending_static_ = std::exchange(out_static_, {});
  } else {
    tls_->write(out_);
    tls_->write(out_static_);
    release_memory(out_);
    out_static_ = {};
    sending_ = tls_->take_output();
  }
  return !sending_.empty();
}

void Connection::flush() {
  if (!open_ || writing_) return;
  if (unsent().empty() && !take_output()) return;
  // The head first, then a static body, which is large: in one call, both in the same segments, the system takes 20 us more for 140 KB.
  for (std::string_view rest = unsent(); !rest.empty(); rest = unsent()) {
    error_code error;
    const std::size_t size = socket_.write_some(asio::buffer(rest), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      writing_ = true;
      socket_.async_write_some(asio::buffer(rest),
                               [self = shared_from_this()](const error_code& failed, std::size_t size_bytes) {
                                 self->writing_ = false;
                                 if (!self->open_) return;
                                 if (failed) return self->close();
                                 self->on_written(size_bytes);
                               });
      return;
    }
    if (error) return close();
    sent_ += size;
  }
  release_memory(sending_);
  sending_static_ = {};
  sent_ = 0;
}

void Connection::on_written(std::size_t size_bytes) {
  sent_ += size_bytes;
  flush();
  if (open_ && !writing_ && !awaiting_) return advance();
  if (open_) arm_deadline();
}

void Connection::linger() {
  if (shared_.draining) return close();
  if (tls_ && tls_->shut()) {
    flush();
    if (!open_ || writing_) return;  // again once that is written
  }
  lingering_ = true;
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  worker_.set_deadline(*this, worker_.in(shared_.settings.linger_timeout));
  in_begin_ = in_end_ = 0;
  if (!reading_) read();
}

}  // namespace concord::http
