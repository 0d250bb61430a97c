// Strict reading of JSON text into the stored form of a JSON value.
//
// Stored form: the same value without white space, strings in their one spelling (json_string.hpp), numbers exactly as
// written, members in the order given. Depth at most 256 (`[[]]` is 2), no member twice, integers within 64 bits, doubles
// finite, well-formed UTF-8, no lone surrogate. Stored text is never longer than what it was read from.
//
// Written by hand rather than over Boost.JSON's `basic_parser`: that one turns integers beyond 64 bits into doubles silently,
// reports numbers only after conversion, and knows nothing of duplicates; one pass over the text that copies as it checks is
// shorter than the handler that would make up for these, and several times faster.
//
// Errors: `invalid_request`, naming the offset and the reason. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <concord/error.hpp>

namespace concord::value {

inline constexpr std::size_t max_json_depth = 256;

/// The stored form of `text`. `max_depth`: more for what holds values inside, as an API's answer does.
[[nodiscard]] Result<std::string> compact_json(std::string_view text, std::size_t max_depth = max_json_depth);

/// Appends the stored form; on an error `to` is as it was.
[[nodiscard]] Result<void> append_compact_json(std::string& to, std::string_view text);

/// Writes the stored form to `to`, which has room for `text.size()` bytes, and returns its size.
[[nodiscard]] Result<std::size_t> write_compact_json(char* to, std::string_view text);

}  // namespace concord::value
