// How far a consumer of events has come, kept in the store under a name: it goes on there after a crash, on any machine.
//
//     auto orders = concord::EventCursor::open(store, "billing", {.prefix = "orders/"});
//     while (auto event = orders->next()) {                  // an error: the store is gone, or the history is (see below)
//       if (!*event) continue;                               // nothing for so long
//       bill(**event);
//       (void)orders->acknowledge(**event);                  // kept by the cluster before this returns
//     }
//
// Keys: `<prefix><name>`, by default "cursors/billing". The value is {"revision":n}, n the last event that was acknowledged; it does not
// expire. A cursor begins with what happens after it was first opened, unless `SubscribeOptions::after_revision` says otherwise; once it is
// kept, that is not looked at any more.
//
// Guarantee: each event comes at least once. What was given out and not acknowledged comes again after the cursor is opened anew; what was
// acknowledged never does. An acknowledgement holds for all events before it, and never takes a cursor back, whoever comes late. So
// do what must not happen twice in one transaction with a guard, or remember the revision with what it led to.
//
// Limit: the history is bounded (EventStreamOptions). Who stays away longer than that gets the error `compacted`: read the state anew,
// then `reset` it to the revision that it was read at. A cursor does not keep others from using the same name: each of them gets
// all events. To have one consumer at a time, hold a `Lock` meanwhile. Acknowledging is a write: for many events acknowledge the last.
//
// Thread rule: one thread at a time. The store must outlive it and stay where it is.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/events.hpp>
#include <concord/export.hpp>
#include <concord/store.hpp>

namespace concord {

struct EventCursorOptions {
  std::string prefix = "cursors/";
  std::chrono::milliseconds timeout{5000};  ///< Of each call to the store.
  std::string token = {};                   ///< Looked at when authentication is on, also for the events.
};

class CONCORD_API EventCursor {
 public:
  /// Errors: invalid_request (no such pattern, ...); compacted, when its place is no longer kept: `reset` it; those of a read and a write.
  static Result<EventCursor> open(Store& store, std::string_view name, SubscribeOptions events = {},
                                  EventCursorOptions options = {});
  /// Places the cursor behind `revision`, before anybody opens it or after `compacted`: also backwards, and whatever was acknowledged.
  static Result<void> reset(Store& store, std::string_view name, Revision revision,
                            const EventCursorOptions& options = {});

  /// The next event; none: there was none for so long. Errors: as `Subscription::next`. Events that only tell of acknowledgements
  /// are passed over.
  [[nodiscard]] Result<std::optional<Event>> next(std::chrono::milliseconds timeout = std::chrono::seconds(5));

  /// This event and all before it are done. Precondition: it has a revision (it is no read).
  Result<void> acknowledge(const Event& event) { return acknowledge(event.revision); }
  Result<void> acknowledge(Revision revision);

  /// The last that was acknowledged through this object, or was found when it was opened.
  [[nodiscard]] Revision acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  EventCursor(Store& store, std::string key, EventCursorOptions options, Revision acknowledged, Subscription events);

  Store* store_;
  std::string key_;
  EventCursorOptions options_;
  Revision acknowledged_;
  Subscription events_;
};

}  // namespace concord
