// "Did you mean": the known word that a mistyped one is probably meant to be.
//
// Distance: how many letters must be inserted, removed, exchanged or swapped with their neighbour (optimal string alignment).
// A word is near when that is at most a third of its length, and at least one letter stays: further away the guess would
// mislead more than it helps. Cost: the product of the lengths for each candidate; for tables, not for data.
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace concord::base {

[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

/// The first of the nearest candidates; none when no candidate is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean X?", or empty: to be put behind a message.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace concord::base
