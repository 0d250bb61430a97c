// How often something may happen: at most `limit` times in a `window`, for each subject (a user, an address, a customer).
//
//     concord::RateLimiter limiter(store, {.limit = 100, .window = 1min});
//     auto decision = limiter.allow("user:17");
//     if (!decision) ...                                         // the store's error: the caller decides what that means
//     if (!decision->allowed) return busy(decision->retry_after);
//
// Two kinds of window:
//
//   - fixed: the first call of a subject opens a window, which ends after `window`; then the next call opens another. The store's
//     own time counts, and no clock of a caller. At most `limit` calls in each window, so up to twice as many around the
//     border of two. `window` is in whole seconds. One small number a subject.
//   - sliding: at most `limit` calls in *every* stretch of time of length `window`, wherever it begins. Time is counted in
//     `slices`, and a slice counts until all of it is old enough: so a call is free again up to window/slices later than it
//     might be, never earlier. The callers' clocks count; see below. About 20 bytes a slice that was used.
//
// Guarantee: never more than `limit`, however many threads and programs ask at once: a call is allowed only by a write
// that found the count as it was read. A call that ends with an error was not allowed; if `maybe_committed()` it may have been
// counted. Denied calls write nothing.
//
// Clocks (sliding): a call is counted at the time that `clock` tells just after its count was read. When the clocks of callers
// differ by at most d, the limit holds for every real stretch of length window - d. A clock far ahead of the others lets its caller
// through and keeps the others waiting, but not longer than until no call was allowed for a window and a slice: then the
// key expires, by the store's time.
//
// Keys: `<prefix><subject>`, by default "rate/user:17"; fixed: the count, as JSON; sliding: [[end of slice in ms, count], ...].
// They expire by themselves. Limiters with different rules need different prefixes.
//
// Thread rule: a `RateLimiter` may be used by many threads at once. The store must outlive it and stay where it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/store.hpp>

namespace concord {

enum class RateWindow : std::uint8_t { fixed, sliding };

struct RateLimiterOptions {
  std::uint64_t limit = 100;                 ///< At least 1.
  std::chrono::milliseconds window{60'000};  ///< fixed: whole seconds, at least 1 s. sliding: at least 1 ms a slice.
  RateWindow kind = RateWindow::fixed;
  std::uint32_t slices = 16;  ///< sliding: 1 to 1000.
  std::string prefix = "rate/";
  /// sliding: the time of a call; it may run on many threads at once. None: the system's clock.
  std::function<std::chrono::system_clock::time_point()> clock = {};
  std::chrono::milliseconds timeout{5000};  ///< Of each call.
  std::string token = {};                   ///< Looked at when authentication is on.
};

struct RateDecision {
  bool allowed = false;
  std::uint64_t remaining = 0;  ///< Calls that are left now.
  std::chrono::milliseconds retry_after{
      0};  ///< Denied: not before this time has passed; fixed: rounded up to a second.
};

class CONCORD_API RateLimiter {
 public:
  /// With options outside their bounds every call is `invalid_request`.
  explicit RateLimiter(Store& store, RateLimiterOptions options = {});

  /// Counts a call of `subject` if it is within the limit, and tells. `cost`: how many calls it counts as, all or none.
  /// Errors: invalid_request for a cost of 0 or above the limit, or a key that holds something else; timeout without
  /// `maybe_committed()` when others asked for the same subject all the time.
  [[nodiscard]] Result<RateDecision> allow(std::string_view subject, std::uint64_t cost = 1);

  /// Forgets what was counted for `subject`.
  Result<void> reset(std::string_view subject);

 private:
  Store* store_;
  RateLimiterOptions options_;
};

}  // namespace concord
