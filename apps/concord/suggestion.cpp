#include "suggestion.hpp"

#include <algorithm>

namespace concord::app {
namespace {

/// Optimal string alignment, a row for each letter of `left`.
std::size_t difference(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> cost(left.size() + 1, std::vector<std::size_t>(right.size() + 1));
  for (std::size_t i = 0; i <= left.size(); ++i) {
    for (std::size_t j = 0; j <= right.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t change = left[i - 1] == right[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      const bool is_swap = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (is_swap) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost.back().back();
}

}  // namespace

std::optional<std::string> nearest_word(std::string_view text, const std::vector<std::string>& words) {
  constexpr std::size_t longest = 32;
  if (text.size() > longest) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t least = 1 + text.size() / 3;  // a third of the letters may be wrong, and one of a short word
  for (const std::string& word : words) {
    const std::size_t found = difference(text, word);
    if (found < least || (found == least && !nearest)) {
      least = found;
      nearest = word;
    }
  }
  return nearest;
}

}  // namespace concord::app
