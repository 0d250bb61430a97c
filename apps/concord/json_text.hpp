// JSON text in the hands of the commands: taken apart, and made from what people write.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace concord::app {

/// The value of a member of a JSON object, as text; none when it is missing. Precondition: compact JSON text.
[[nodiscard]] std::optional<std::string_view> json_member(std::string_view object, std::string_view name);

/// The text behind a JSON string; any other JSON as it is.
[[nodiscard]] std::string json_to_plain(std::string_view json);

/// A value that is JSON is stored as that, any other text as a string. None: not UTF-8.
[[nodiscard]] std::optional<std::string> json_of(const std::string& text);

/// A text as a JSON string. None: not UTF-8.
[[nodiscard]] std::optional<std::string> json_string(std::string_view text);

}  // namespace concord::app
