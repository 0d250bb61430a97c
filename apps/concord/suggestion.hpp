// What somebody may have meant who mistyped a subcommand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concord::app {

/// The one of `words` that differs least from `text`; none if none is near. Adding, leaving out, changing a letter or swapping two
/// neighbours counts one.
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view text, const std::vector<std::string>& words);

}  // namespace concord::app
