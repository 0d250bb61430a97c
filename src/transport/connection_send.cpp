// The way out: what is written at once, what waits, and who goes on with it.
//
// Invariant, with the lock: when the queue or what is sealed isn't empty and the connection neither corked nor at its end, `is_waiting_` is true, and the
// transport's thread comes to write it. Work for that thread is posted with the lock held and the connection open: so it is posted before
// the last thing that thread does, and nothing of it is left over when the thread has gone.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>

#include "transport/connection.hpp"

namespace concord::transport {
namespace {

/// Written in one go, before others have their turn.
constexpr std::size_t turn_bytes = std::size_t{1} << 20U;
constexpr std::size_t write_bytes = std::size_t{256} << 10U;
/// Room for answers that are errors when the queue is full; there is a bound on unanswered requests, and this is well above.
constexpr std::size_t error_answers_bytes = std::size_t{4} << 20U;

iovec vector_of(std::string_view bytes) noexcept {
  return {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};  // sendmsg only reads it
}

/// What is left of `bytes` when `sent` bytes, counted from before it, have gone; `sent` becomes what counts for what follows.
std::string_view rest_of(std::string_view bytes, std::size_t& sent) noexcept {
  const std::size_t gone = std::min(sent, bytes.size());
  sent -= gone;
  return bytes.substr(gone);
}

}  // namespace

std::size_t Connection::waiting_bytes() const { return queue_.size_bytes() + sealed_.size() - sealed_sent_; }

Connection::Push Connection::may_push(std::size_t size_bytes, std::size_t more_bytes) const {
  if (is_closed_ || is_broken_) return Push::ended;
  const bool has_room = queue_.empty() || waiting_bytes() + size_bytes <= shared_->limits.max_queue_bytes + more_bytes;
  return has_room ? Push::done : Push::full;
}

Connection::Push Connection::push(FrameKind kind, PayloadSum sum, std::string_view front, std::string_view body,
                                  std::size_t more_bytes) {
  const std::size_t size_bytes = frame_header_bytes + sum.size_bytes;
  if (const Push may = may_push(size_bytes, more_bytes); may != Push::done) return may;
  const FrameHeader header = frame_header(sum, next_sent_++, kind);
  const std::string_view header_bytes(header.data(), header.size());
  sent_since_check_ = true;
  std::size_t sent = 0;
  if (queue_.empty() && !is_corked_) {
    std::array<iovec, 3> vectors{vector_of(header_bytes), vector_of(front), vector_of(body)};
    const auto written = write(vectors);
    if (!written) return Push::ended;
    if (*written == size_bytes) return Push::done;
    sent = *written;
  }
  for (const std::string_view part : {header_bytes, front, body}) queue_.push(rest_of(part, sent));
  if (!is_corked_) continue_later();
  return Push::done;
}

Connection::Push Connection::push_string(FrameKind kind, PayloadSum sum, std::string_view front, std::string body) {
  if (body.size() < SendQueue::chunk_bytes) return push(kind, sum, front, body);
  if (const Push may = may_push(frame_header_bytes + sum.size_bytes, 0); may != Push::done) return may;
  const FrameHeader header = frame_header(sum, next_sent_++, kind);
  sent_since_check_ = true;
  queue_.push(std::string_view(header.data(), header.size()));
  queue_.push(front);
  queue_.push(std::move(body));
  if (!is_corked_ && !is_waiting_) write_queue();
  return Push::done;
}

void Connection::write_queue() {
  if (tls_ && !write_sealed()) return;
  for (std::size_t turn = 0; turn < turn_bytes && !queue_.empty();) {
    std::array<iovec, 16> vectors{};
    const std::size_t count = queue_.gather(vectors, write_bytes);
    const auto written = write(std::span(vectors).first(count));
    if (!written) return;
    if (*written == 0) break;
    queue_.consume(*written);
    turn += *written;
  }
  if (!queue_.empty()) continue_later();
}

/// How many bytes were taken: 0 when none are now, nothing when the connection is broken.
std::optional<std::size_t> Connection::write(std::span<iovec> vectors) {
  return tls_ ? seal(vectors) : write_to_socket(vectors);
}

std::optional<std::size_t> Connection::write_to_socket(std::span<iovec> vectors) {
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  for (;;) {
    const ssize_t written = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written >= 0) return static_cast<std::size_t>(written);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    break_off(Lost::reset);
    return std::nullopt;
  }
}

/// In one piece, so that a small frame is one record. What is sealed counts as taken, and nothing more is while some of it waits.
std::optional<std::size_t> Connection::seal(std::span<const iovec> vectors) {
  if (!write_sealed()) return is_broken_ ? std::nullopt : std::optional<std::size_t>(0);
  std::string piece;
  for (const iovec& vector : vectors) {
    const std::size_t room_bytes = write_bytes - piece.size();
    piece.append(static_cast<const char*>(vector.iov_base), std::min(vector.iov_len, room_bytes));
  }
  tls_->write(piece);
  if (tls_->state() != security::TlsSession::State::open) {
    break_off(Lost::garbled);
    return std::nullopt;
  }
  if (!write_sealed() && is_broken_) return std::nullopt;
  return piece.size();
}

/// False: some of it waits, or the connection is broken.
bool Connection::write_sealed() {
  for (;;) {
    if (sealed_sent_ == sealed_.size()) {
      sealed_ = tls_->take_output();
      sealed_sent_ = 0;
      if (sealed_.empty()) return true;
    }
    iovec rest = vector_of(std::string_view(sealed_).substr(sealed_sent_));
    const auto written = write_to_socket({&rest, 1});
    if (!written) return false;
    if (*written == 0) break;
    sealed_sent_ += *written;
  }
  continue_later();
  return false;
}

void Connection::break_off(Lost why) {
  is_broken_ = true;
  boost::asio::post(shared_->context, [self = shared_from_this(), why] { self->close(why); });
}

void Connection::continue_later() {
  if (std::exchange(is_waiting_, true)) return;
  boost::asio::post(shared_->context, [self = shared_from_this()] { self->wait_until_writable(); });
}

void Connection::wait_until_writable() {
  if (has_ended_) return;
  socket_.async_wait(boost::asio::socket_base::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (error || self->has_ended_) return;
                       const base::MutexLock lock(self->mutex_);
                       self->is_waiting_ = false;
                       if (!self->is_broken_) self->write_queue();
                     });
}

bool Connection::send(std::string_view bytes) {
  if (bytes.size() > shared_->limits.max_frame_bytes) return false;
  const PayloadSum sum = sum_of({}, bytes);
  const base::MutexLock lock(mutex_);
  return push(FrameKind::message, sum, {}, bytes) == Push::done;
}

/// A result that can't be sent is as one that was lost: what was asked for was done, so nobody may be told that it was refused.
void Connection::answer(std::uint64_t id, Result<std::string> result) {
  --unanswered_;
  std::optional<Error> error;
  if (!result) {
    error = std::move(result.error());
  } else if (result->size() > shared_->limits.max_frame_bytes) {
    error.emplace(Errc::timeout, "the answer has " + std::to_string(result->size()) + " bytes, which is too large",
                  true);
  } else {
    const std::string front = answer_front(id);
    const PayloadSum sum = sum_of(front, *result);
    const base::MutexLock lock(mutex_);
    if (push_string(FrameKind::answer, sum, front, std::move(*result)) != Push::full) return;
    error.emplace(Errc::timeout, "too many answers wait to be read", true);
  }
  const std::string payload = error_answer(id, *error);
  const PayloadSum sum = sum_of(payload, {});
  const base::MutexLock lock(mutex_);
  if (push(FrameKind::answer, sum, payload, {}, error_answers_bytes) != Push::full) return;
  break_off(Lost::silent);  // the peer asks and doesn't read
}

}  // namespace concord::transport
