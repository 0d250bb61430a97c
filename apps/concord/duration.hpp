// Durations as the command line takes them: `5`, `0.5`, `5s`, `500ms`.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace concord::app {

/// At least 1 ms, at most an hour; none for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> read_duration(std::string_view text) noexcept;

}  // namespace concord::app
