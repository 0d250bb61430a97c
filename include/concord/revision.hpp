// The store's one counter of change.
#pragma once

#include <compare>
#include <cstdint>

namespace concord {

/// Counts the committed transactions that changed something, over the whole store. Never reused, never goes back; survives
/// restart, restore and change of leader. 0 means "before any change" and is no entry's revision.
class Revision {
 public:
  constexpr Revision() noexcept = default;
  constexpr explicit Revision(std::uint64_t value) noexcept : value_(value) {}

  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
  [[nodiscard]] constexpr Revision next() const noexcept { return Revision(value_ + 1); }
  [[nodiscard]] constexpr Revision previous() const noexcept { return Revision(value_ - 1); }

  friend constexpr auto operator<=>(Revision, Revision) noexcept = default;

 private:
  std::uint64_t value_ = 0;
};

}  // namespace concord
