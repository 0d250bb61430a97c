// The forms in which events are taken: one by one, many at once, by callback, by coroutine.
#include "calls/subscription.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/mutex.hpp"
#include "base/timeout.hpp"

namespace concord {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Taken at once by who takes one after the other.
constexpr std::size_t taken_ahead = 64;

/// Somebody waits on a thread of his own until the feed may have something.
class Wait {
 public:
  void end() {
    const base::MutexLock lock(mutex_);
    has_ended_ = true;
    ended_.notify_all();
  }
  [[nodiscard]] bool until(steady_clock::time_point limit) {
    base::MutexLock lock(mutex_);
    return ended_.wait_until(lock, limit, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return has_ended_; });
  }

 private:
  base::Mutex mutex_;
  base::CondVar ended_;
  bool has_ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

/// Calls to the host's code, which a subscription that goes away waits for.
class Subscription::Impl::Calls {
 public:
  [[nodiscard]] bool enter() {
    const base::MutexLock lock(mutex_);
    if (is_closed_) return false;
    inside_ = std::this_thread::get_id();
    return true;
  }
  /// Whether there may be another one.
  bool leave() {
    const base::MutexLock lock(mutex_);
    inside_ = std::thread::id();
    left_.notify_all();
    return !is_closed_;
  }
  /// When it returns no call runs, but that from which this is called, and none begins.
  void close() {
    base::MutexLock lock(mutex_);
    is_closed_ = true;
    left_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return inside_ == std::thread::id() || inside_ == std::this_thread::get_id();
    });
  }

 private:
  base::Mutex mutex_;
  base::CondVar left_;
  bool is_closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread::id inside_ ABSL_GUARDED_BY(mutex_);
};

namespace {

using Feed = std::shared_ptr<Subscription::Impl>;

Error has_ended() { return {Errc::cluster_not_ready, "the subscription has ended"}; }

/// What was taken ahead, or what the feed has.
Result<bool> has_next(Subscription::Impl& feed) {
  if (feed.given < feed.taken.size()) return true;
  feed.taken.clear();
  feed.given = 0;
  if (auto took = feed.take(feed.taken, taken_ahead); !took) return std::unexpected(std::move(took.error()));
  return !feed.taken.empty();
}

/// Waits until `look` is true, or says otherwise that there is an end.
template <class Look>
Result<bool> wait_for(Subscription::Impl& feed, milliseconds timeout, Look look) {
  const auto limit = steady_clock::now() + base::bounded(timeout);
  for (;;) {
    auto found = look();
    if (!found || *found) return found;
    const auto wait = std::make_shared<Wait>();
    feed.when_ready([wait] { wait->end(); });
    if (wait->until(limit)) continue;
    feed.when_ready(nullptr);
    return false;
  }
}

struct Delivery {
  Feed feed;
  std::shared_ptr<Subscription::Impl::Calls> calls;
  std::function<void(const Event&)> on_event;
  std::function<void(const Error&)> on_end;
};

void deliver_next(std::shared_ptr<Delivery> delivery);

/// Nobody above takes what a callback throws: it is the end of the subscription, and why.
std::optional<Error> give_next(Delivery& delivery) {
  Subscription::Impl& feed = *delivery.feed;
  std::string what = "the callback of a subscription threw";
  try {
    delivery.on_event(feed.taken[feed.given++]);
    return std::nullopt;
  } catch (const std::exception& e) {
    what += std::string(": ") + e.what();
  } catch (...) {
    what += " something that is no exception";
  }
  Error why(Errc::internal, what);
  feed.finish(why);
  return why;
}

void tell_end(const Delivery& delivery, const Error& why) {
  try {
    if (delivery.on_end) delivery.on_end(why);
  } catch (...) {  // there is nothing left that could end
    return;
  }
}

/// Gives out what there is, then waits for more.
void deliver_all(const std::shared_ptr<Delivery>& delivery) {
  for (;;) {
    const auto found = has_next(*delivery->feed);
    if (!delivery->calls->enter()) return;
    std::optional<Error> end = found ? std::nullopt : std::optional(found.error());
    if (found && *found) end = give_next(*delivery);
    if (end) tell_end(*delivery, *end);
    if (!delivery->calls->leave() || end) return;
    if (!*found) return deliver_next(delivery);
  }
}

void deliver_next(std::shared_ptr<Delivery> delivery) {
  Subscription::Impl& feed = *delivery->feed;
  feed.when_ready([delivery = std::move(delivery)]() mutable {
    Subscription::Impl& from = *delivery->feed;
    from.run([delivery = std::move(delivery)] { deliver_all(delivery); });
  });
}

/// Of `async_next`.
struct Awaited {
  Feed feed;
  std::shared_ptr<Subscription::Impl::Calls> calls;
  Completion<Event> done;
};

void await_next(std::shared_ptr<Awaited> awaited);

void go_on(std::shared_ptr<Awaited> awaited) {
  Subscription::Impl& feed = *awaited->feed;
  feed.run([awaited = std::move(awaited)]() mutable {
    auto found = has_next(*awaited->feed);
    if (found && !*found) return await_next(std::move(awaited));
    if (!awaited->calls->enter()) return awaited->done(std::unexpected(has_ended()));
    if (!found) {
      awaited->done(std::unexpected(std::move(found.error())));
    } else {
      awaited->done(std::move(awaited->feed->taken[awaited->feed->given++]));
    }
    awaited->calls->leave();
  });
}

void await_next(std::shared_ptr<Awaited> awaited) {
  Subscription::Impl& feed = *awaited->feed;
  // The feed does not tell of what was taken ahead.
  if (feed.given < feed.taken.size()) return go_on(std::move(awaited));
  feed.when_ready([awaited = std::move(awaited)]() mutable { go_on(std::move(awaited)); });
}

}  // namespace

Subscription::Subscription(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {
  impl_->calls = std::make_shared<Impl::Calls>();
}
Subscription::Subscription(Subscription&&) noexcept = default;

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  Subscription before(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

Subscription::~Subscription() {
  if (!impl_) return;
  unsubscribe();
  impl_->calls->close();
}

Result<std::optional<Event>> Subscription::next(milliseconds timeout) {
  auto found = wait_for(*impl_, timeout, [this] { return has_next(*impl_); });
  if (!found) return std::unexpected(std::move(found.error()));
  if (!*found) return std::nullopt;
  return std::move(impl_->taken[impl_->given++]);
}

Result<std::vector<Event>> Subscription::take(std::size_t most, milliseconds timeout) {
  std::vector<Event> events;
  if (most == 0) return fail(Errc::invalid_request, "at least one event is taken at once");
  while (impl_->given < impl_->taken.size() && events.size() < most) {
    events.push_back(std::move(impl_->taken[impl_->given++]));
  }
  if (!events.empty()) return events;
  auto found = wait_for(*impl_, timeout, [&]() -> Result<bool> {
    if (auto took = impl_->take(events, most); !took) return std::unexpected(std::move(took.error()));
    return !events.empty();
  });
  if (!found) return std::unexpected(std::move(found.error()));
  return events;
}

void Subscription::async_next(Completion<Event> done) {
  await_next(std::make_shared<Awaited>(Awaited{.feed = impl_, .calls = impl_->calls, .done = std::move(done)}));
}

void Subscription::deliver(std::function<void(const Event&)> on_event, std::function<void(const Error&)> on_end) {
  deliver_next(std::make_shared<Delivery>(
      Delivery{.feed = impl_, .calls = impl_->calls, .on_event = std::move(on_event), .on_end = std::move(on_end)}));
}

void Subscription::unsubscribe() { impl_->finish(has_ended()); }

Revision Subscription::position() const {
  // What was taken ahead is not taken yet. Reads have no revision.
  for (std::size_t next = impl_->given; next < impl_->taken.size(); ++next) {
    const Revision revision = impl_->taken[next].revision;
    if (revision != Revision(0)) return revision.previous();
  }
  return impl_->position();
}

Revision Subscription::oldest_revision() const { return impl_->oldest_revision(); }
std::optional<Error> Subscription::error() const { return impl_->error(); }

std::string_view event_type_name(EventType type) noexcept {
  switch (type) {
    case EventType::put: return "put";
    case EventType::del: return "delete";
    case EventType::touch: return "touch";
    case EventType::expire: return "expire";
    case EventType::put_many: return "put_many";
    case EventType::del_many: return "delete_many";
    case EventType::touch_many: return "touch_many";
    case EventType::txn: return "txn";
    case EventType::restored: return "restored";
    case EventType::get: return "get";
    case EventType::get_many: return "get_many";
  }
  return "unknown";
}

std::optional<EventType> parse_event_type(std::string_view name) noexcept {
  for (auto number = std::uint8_t{0}; number <= static_cast<std::uint8_t>(EventType::get_many); ++number) {
    if (event_type_name(static_cast<EventType>(number)) == name) return static_cast<EventType>(number);
  }
  return std::nullopt;
}

}  // namespace concord
