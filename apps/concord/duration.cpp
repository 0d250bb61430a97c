#include "duration.hpp"

#include <charconv>

namespace concord::app {

std::optional<std::chrono::milliseconds> read_duration(std::string_view text) noexcept {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.empty() || unit == "s") {
    number *= 1000;
  } else if (unit != "ms") {
    return std::nullopt;
  }
  if (!(number >= 1 && number <= 3'600'000)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(number));
}

}  // namespace concord::app
