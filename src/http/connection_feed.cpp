// Answers that go on: a feed's parts are written as they come, and no faster than the client takes them.
#include <utility>

#include <boost/asio/post.hpp>

#include "http/connection.hpp"

namespace concord::http {
namespace {

/// Of something that another thread may still call: the server waits until it is gone.
class InFlight {
 public:
  explicit InFlight(Shared& shared) : shared_(&shared) { shared_->in_flight.fetch_add(1); }
  InFlight(InFlight&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  InFlight& operator=(InFlight&&) = delete;
  ~InFlight() {
    if (shared_ != nullptr) shared_->in_flight.fetch_sub(1);
  }

 private:
  Shared* shared_;
};

}  // namespace

/// The head; the rest follows when what stands before it is out.
void Connection::begin_feed() {
  append_feed_head(out_, call_.reply,
                   {.request_id = request_id_, .date = worker_.date(), .is_http_1_0 = call_.request.is_http_1_0});
  if (received_at_ != std::chrono::steady_clock::time_point()) record_access();
  note_answer();
  feeds_in_chunks_ = !call_.request.is_http_1_0 && call_.reply.status == 200;
  call_.reply.clear();
  sign_of_life_at_ = worker_.within(shared_.settings.sign_of_life_interval);
  in_begin_ = in_end_ = 0;
  if (!reading_) read();
}

/// Precondition: nothing is being written.
void Connection::pump_feed() {
  fed_.clear();
  const Feed::State state = feed_->append(fed_);
  if (state == Feed::State::broken) return close();
  if (!fed_.empty()) {
    append_feed_part(out_, fed_, feeds_in_chunks_);
    sign_of_life_at_ = worker_.within(shared_.settings.sign_of_life_interval);
  }
  if (state == Feed::State::ended) {
    append_feed_end(out_, feeds_in_chunks_);
    feed_.reset();
    closing_ = true;
  }
  flush();
  if (!open_) return;
  if (closing_ && !writing_) return linger();
  if (feed_ && !writing_) {
    if (state == Feed::State::more) {
      boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
        if (self->feed_ && !self->writing_) self->pump_feed();
      });
    } else {
      wait_for_feed();
    }
  }
  arm_deadline();
}

void Connection::wait_for_feed() {
  feed_->when_ready([weak = weak_from_this(), in_flight = InFlight(shared_)]() mutable {
    auto self = weak.lock();
    if (!self) return;
    const auto executor = self->socket_.get_executor();
    boost::asio::post(executor, [self = std::move(self)] {
      if (self->feed_ && !self->writing_) self->pump_feed();
    });
  });
}

void Connection::end_feed(const Error& why) {
  feed_->finish(why);
  if (!writing_) pump_feed();
}

/// Answers wait for no client that does not read: they are left out.
void Connection::take_for_feed(std::string_view input) {
  fed_.clear();
  const bool goes_on = feed_->take(input, fed_);
  if (!goes_on) {
    feed_.reset();
    closing_ = true;
  }
  if (!fed_.empty() && (!writing_ || closing_)) append_feed_part(out_, fed_, feeds_in_chunks_);
  flush();
  if (open_ && closing_ && !writing_) linger();
}

/// The client has not taken anything for long; or it is time to look whether it still may see this, and to say something.
void Connection::check_feed() {
  if (writing_) {
    shared_.log(LogLevel::info,
                "http: the client of request " + request_id_ + " does not read its stream; it is closed");
    return close();
  }
  if (worker_.now() >= sign_of_life_at_) {
    fed_.clear();
    feed_->append_sign_of_life(fed_);
    if (!fed_.empty()) append_feed_part(out_, fed_, feeds_in_chunks_);
    sign_of_life_at_ = worker_.within(shared_.settings.sign_of_life_interval);
  }
  pump_feed();
}

}  // namespace concord::http
