// What stands behind a `Subscription`: a feed of events, of a node in this process or of one far away.
//
// Thread rule: `take` and `when_ready` by one thread at a time; the rest from any.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include <concord/events.hpp>

namespace concord {

class Subscription::Impl {
 public:
  virtual ~Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// Appends up to `most` events, without waiting for any. Errors: why there are no more.
  [[nodiscard]] virtual Result<void> take(std::vector<Event>& to, std::size_t most) = 0;
  /// Calls `ready` once, when `take` may have something: inside the call, or on a thread that it must not hold up. Null: not any more.
  virtual void when_ready(std::move_only_function<void()> ready) = 0;
  /// There are no more events, because of `why`; the first reason counts.
  virtual void finish(Error why) = 0;
  /// Runs a task where completions run; one of a subscription at a time.
  virtual void run(std::move_only_function<void()> task) = 0;

  [[nodiscard]] virtual Revision position() const = 0;
  [[nodiscard]] virtual Revision oldest_revision() const = 0;
  [[nodiscard]] virtual std::optional<Error> error() const = 0;

  // --- of `Subscription` itself ----------------------------------------------------------------------------------------

  /// Taken from the feed and not given out: the first `given` were.
  std::vector<Event> taken;
  std::size_t given = 0;

  /// Callbacks in progress and whether there may be more.
  class Calls;
  std::shared_ptr<Calls> calls;

 protected:
  Impl() = default;
};

}  // namespace concord
