// The way out: what is written at once, what waits, and who goes on with it.
//
// Invariant, with the lock: when the queue isn't empty and the connection neither corked nor at its end, `is_waiting_` is true, and the
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

Connection::Push Connection::may_push(std::size_t size_bytes, std::size_t more_bytes) const {
  if (is_closed_ || is_broken_) return Push::ended;
  const bool has_room =
      queue_.empty() || queue_.size_bytes() + size_bytes <= shared_->limits.max_queue_bytes + more_bytes;
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

/// How many bytes the socket took: 0 when it takes none now, nothing when the connection is broken.
std::optional<std::size_t> Connection::write(std::span<iovec> vectors) {
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  for (;;) {
    const ssize_t written = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written >= 0) return static_cast<std::size_t>(written);
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    is_broken_ = true;
    boost::asio::post(shared_->context, [self = shared_from_this()] { self->close(Lost::reset); });
    return std::nullopt;
  }
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

void Connection::answer(std::uint64_t id, Result<std::string> result) {
  --unanswered_;
  std::optional<Error> error;
  if (!result) {
    error = std::move(result.error());
  } else if (result->size() > shared_->limits.max_frame_bytes) {
    error.emplace(Errc::value_too_large,
                  "the answer has " + std::to_string(result->size()) + " bytes, which is too large");
  } else {
    const std::string front = answer_front(id);
    const PayloadSum sum = sum_of(front, *result);
    const base::MutexLock lock(mutex_);
    if (push_string(FrameKind::answer, sum, front, std::move(*result)) != Push::full) return;
    error.emplace(Errc::overloaded, "too many answers wait to be read");
  }
  const std::string payload = error_answer(id, *error);
  const PayloadSum sum = sum_of(payload, {});
  const base::MutexLock lock(mutex_);
  if (push(FrameKind::answer, sum, payload, {}, error_answers_bytes) != Push::full) return;
  is_broken_ = true;  // the peer asks and doesn't read
  boost::asio::post(shared_->context, [self = shared_from_this()] { self->close(Lost::silent); });
}

}  // namespace concord::transport
