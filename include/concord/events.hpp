// The event stream: what changed, in the order in which it changed.
//
//     auto users = store.subscribe({.key_pattern = "^user:"});
//     if (!users) return fail(users.error());
//     for (const concord::Event& event : *users) cache.forget(event.key());
//
// An event is one transaction that changed something, so there is at most one for each revision, in the order of revisions, whole, and
// none comes twice. It holds the changes that the subscription asks for; when there are none, it does not come. A key that a
// transaction changes twice is in it once, with its last change.
//
// Nothing is lost silently. A subscription has a position, the last revision it has dealt with, and a subscriber that is slow goes
// on from there. What a node keeps of the past is bounded (`EventStreamOptions`): who asks for what is no longer kept gets the error
// `compacted`, and `Subscription::oldest_revision` tells from where on there are events. Who has remembered a position
// (`Event::revision`) resumes after it with `SubscribeOptions::after_revision`, on any member of the cluster.
//
// Thread rule: a `Subscription` is used by one thread at a time, but for `unsubscribe`, which may come from any. Several threads may
// each have their own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/awaitable.hpp>
#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/revision.hpp>
#include <concord/value.hpp>

namespace concord {

/// What an event, or one change in it, is. The numbers are part of formats: never renumber.
enum class EventType : std::uint8_t {
  put = 0,
  del = 1,         ///< "delete"
  touch = 2,       ///< a new remaining time
  expire = 3,      ///< one or more keys whose time has come
  put_many = 4,    ///< several puts and nothing else
  del_many = 5,    ///< "delete_many": several deletes and nothing else; a delete_where too
  touch_many = 6,  ///< several touches and nothing else
  txn = 7,         ///< several changes of different kinds
  restored =
      8,  ///< a backup replaced everything, or all keys of some prefixes, or too much changed to name it; comes to everybody
  get = 9,        ///< a read; only to who asks for it, of this node only, and some may be left out
  get_many = 10,  ///< the same of several keys
};

/// "put", "delete", "touch", "expire", "put_many", "delete_many", ...
[[nodiscard]] CONCORD_API std::string_view event_type_name(EventType type) noexcept;
[[nodiscard]] CONCORD_API std::optional<EventType> parse_event_type(std::string_view name) noexcept;

struct EventChange {
  EventType op = EventType::put;  ///< put, del, touch, expire; get
  std::string key = {};
  std::optional<Value> value = {};  ///< put, get: what the key holds now. Not with `keys_only`.
  std::optional<Value> previous =
      {};  ///< With `with_previous`: what it held before, if it was there; of one event no more than 64 MiB.
  std::optional<std::chrono::seconds> ttl = {};  ///< put, touch: the remaining time it was given.
};

struct Event {
  EventType type = EventType::put;  ///< Of the whole transaction, whatever part of it is asked for.
  Revision revision = {};           ///< 0 for reads.
  std::chrono::system_clock::time_point timestamp = {};  ///< The leader's clock when it proposed the transaction.
  std::string node = {};                                 ///< The node that tells it.
  std::size_t change_count = 0;                          ///< Of the whole transaction.
  std::vector<EventChange> changes = {};                 ///< Those that were asked for, in order; none for `restored`.

  /// Of the first change. Precondition: there is one.
  [[nodiscard]] const std::string& key() const { return changes.front().key; }
};

struct SubscribeOptions {
  std::string key_pattern = {};  ///< RE2, searched in the key unless anchored. Empty: every key.
  std::string prefix = {};       ///< And keys begin so. Subscriptions to a prefix cost nothing when other keys change.
  /// Events of these types, or that hold a change of these. Empty: all but reads.
  std::vector<EventType> event_types = {};
  bool keys_only = false;      ///< Without values.
  bool with_previous = false;  ///< With what the keys held before.
  /// So many events wait for the subscriber at most, ready to be taken; what comes later waits in the history. At least 1; more than
  /// `EventStreamOptions::buffer_size` counts as that.
  std::size_t max_demand = 1000;
  /// Begins behind this revision; `Revision(0)` with the first change there was. None: with what happens from now on.
  std::optional<Revision> after_revision = {};
  std::string_view token = {};  ///< Looked at when authentication is on.
};

/// How a node's event stream is doing.
struct EventStats {
  bool enabled = false;
  std::uint64_t queue_size = 0;        ///< Events ready for subscribers that have not taken them.
  std::uint64_t pending_demand = 0;    ///< So many more may be made ready before back-pressure sets in.
  std::uint64_t events_published = 0;  ///< Since the node was opened.
  std::uint64_t subscribers = 0;
  Revision oldest_revision = {};  ///< Of the oldest event that is kept; when there is none, the next one.
};

class CONCORD_API Subscription {
 public:
  class Iterator;

  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;
  /// Unsubscribes. A callback is not running and not called any more when it returns, unless that is where it is called from.
  ~Subscription();

  /// The next event; none: there was none for so long.
  /// Errors: compacted; cluster_not_ready when the store was closed or nobody subscribes any more; forbidden when the right to see
  /// events was taken away. After an error there are no more events.
  [[nodiscard]] Result<std::optional<Event>> next(std::chrono::milliseconds timeout = std::chrono::seconds(5));

  /// Up to `most` events at once, at least one; none: there was none for so long. Quicker than one by one. Errors: those of `next`.
  [[nodiscard]] Result<std::vector<Event>> take(std::size_t most,
                                                std::chrono::milliseconds timeout = std::chrono::seconds(5));

  /// The next event, without waiting for it here: `done` is called once, where completions run. One at a time. A subscription that
  /// goes away meanwhile does not wait for `done`, which then gets the error `cluster_not_ready`.
  void async_next(Completion<Event> done);
  /// The same for `co_await`.
  auto async_next() {
    return detail::awaitable<Event>([this](Completion<Event> done) { async_next(std::move(done)); });
  }

  /// Calls `on_event` with each event, in order, one at a time, where completions run; then `on_end` once, with why there are no
  /// more: it may be empty. From then on nothing else but `unsubscribe` is to be called. What `on_event` throws ends the
  /// subscription, with the error `internal`.
  void deliver(std::function<void(const Event&)> on_event, std::function<void(const Error&)> on_end = {});

  /// Waits for events until there are no more; `error()` then tells why.
  [[nodiscard]] Iterator begin();
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// From any thread, also inside a callback: there are no more events.
  void unsubscribe();

  /// Up to this revision everything was taken: what to give as `after_revision` to go on later.
  [[nodiscard]] Revision position() const;
  /// After `compacted`: the oldest event that can still be had.
  [[nodiscard]] Revision oldest_revision() const;
  /// Why there are no more events; nothing: there may be more.
  [[nodiscard]] std::optional<Error> error() const;

  /// For the library itself.
  class Impl;
  explicit Subscription(std::shared_ptr<Impl> impl) noexcept;

 private:
  std::shared_ptr<Impl> impl_;
};

class Subscription::Iterator {
 public:
  using value_type = Event;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;

  explicit Iterator(Subscription& from) : from_(&from) { ++*this; }
  const Event& operator*() const { return *event_; }
  const Event* operator->() const { return &*event_; }
  Iterator& operator++() {
    event_.reset();
    while (!event_) {
      auto found = from_->next(std::chrono::hours(1));
      if (!found) break;
      event_ = std::move(*found);
    }
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return !iterator.event_; }

 private:
  Subscription* from_;
  std::optional<Event> event_;
};

inline Subscription::Iterator Subscription::begin() { return Iterator(*this); }

}  // namespace concord
