// A selector, ready to be asked about many keys.
//
// A scan in key order needs to visit only the keys within `bounds()`; `matches_key` decides among them, and `matches` looks
// at the value too. Errors: `invalid_request` (pattern, filter, start behind end). Thread rule: immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "command/filter.hpp"
#include "command/pattern.hpp"
#include "command/transaction.hpp"

namespace concord::command {

/// The keys from `low` up to, not including, `high`; without `high` there is no upper end.
struct KeyBounds {
  std::string low;
  std::optional<std::string> high;

  [[nodiscard]] bool empty() const noexcept { return high && low >= *high; }
  [[nodiscard]] bool contain(std::string_view key) const noexcept { return key >= low && (!high || key < *high); }
};

/// The keys that begin with `prefix`.
[[nodiscard]] KeyBounds prefix_bounds(std::string_view prefix);

class CompiledSelector {
 public:
  /// Copies what it needs from `selector`.
  [[nodiscard]] static Result<CompiledSelector> compile(const Selector& selector);

  [[nodiscard]] const KeyBounds& bounds() const noexcept { return bounds_; }
  /// 0: none.
  [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
  /// Whether `matches` looks further than the key.
  [[nodiscard]] bool has_filter() const noexcept { return filter_.has_value(); }

  [[nodiscard]] bool matches_key(std::string_view key) const;
  [[nodiscard]] bool matches_filter(const FilterSubject& subject) const {
    return !filter_ || filter_->matches(subject);
  }
  [[nodiscard]] bool matches(const FilterSubject& subject) const {
    return matches_key(subject.key) && matches_filter(subject);
  }

 private:
  CompiledSelector() = default;

  KeyBounds bounds_;  ///< start, end and prefix together
  std::optional<std::string> suffix_;
  std::optional<std::string> contains_;
  std::optional<Pattern> pattern_;
  std::optional<Filter> filter_;
  std::uint64_t limit_ = 0;
};

}  // namespace concord::command
