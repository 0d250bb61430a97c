// What a sliding rate limit has counted, by slices of time.
//
// A slice is (its end, count). All its calls happened before its end, so that it may be forgotten when its end is a window ago,
// and whatever lies in the window that ends now is among what is kept. That needs no agreement on how long a slice is. Ends rise:
// a call at an earlier time, of a clock that runs behind, is counted in the last slice, as later than it was.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include <concord/error.hpp>
#include <concord/value.hpp>

namespace concord::recipes {

using std::chrono::milliseconds;

class SlidingCount {
 public:
  /// Errors: invalid_request for a value of another form.
  [[nodiscard]] static Result<SlidingCount> read(const Value& value);

  SlidingCount() = default;

  /// Calls that lie in the window that ends `now`, or may.
  [[nodiscard]] std::uint64_t sum() const noexcept;
  void forget_before(milliseconds now, milliseconds window);
  void add(milliseconds now, milliseconds slice, std::uint64_t cost);

  /// How long until at most `most` are left. Precondition: nothing older than the window is kept.
  [[nodiscard]] milliseconds until_at_most(std::uint64_t most, milliseconds now, milliseconds window) const noexcept;

  [[nodiscard]] Value value() const { return slices_; }

 private:
  std::vector<std::pair<std::int64_t, std::uint64_t>> slices_;  ///< end in ms, count
};

}  // namespace concord::recipes
