// Strings as they stand in JSON text, and UTF-8.
//
// Written strings have one spelling: only `"`, `\` and the control characters U+0000..U+001F are escaped, as `\b \f \n \r
// \t` where these exist and `\u00xx` (lower case) else. So two stored strings are equal exactly when their texts are.
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace concord::value {

/// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Size of the multi-byte character at the start of `text`, 0 when it is not well-formed. Precondition: its first byte is
/// 0x80 or above.
[[nodiscard]] std::size_t utf8_sequence_size(std::string_view text) noexcept;

/// How many leading bytes of `text` stand for themselves in a JSON string: ASCII without `"`, `\` and control characters.
[[nodiscard]] std::size_t plain_prefix_size(std::string_view text) noexcept;

/// Bytes that `write_json_string` will write for `text`, quotes included. Precondition: `is_utf8(text)`.
[[nodiscard]] std::size_t json_string_size(std::string_view text) noexcept;

/// Writes `text` as a JSON string and returns the end of what was written. Precondition: `is_utf8(text)`.
char* write_json_string(char* to, std::string_view text) noexcept;

/// Appends `text` as a JSON string. Precondition: `is_utf8(text)`.
void append_json_string(std::string& to, std::string_view text);

/// Writes one character as it stands inside a JSON string; at most 6 bytes. Precondition: `c < 0x80`.
char* write_json_character(char* to, unsigned char c) noexcept;

/// Writes a code point as UTF-8; at most 4 bytes. Precondition: `code_point` <= 0x10ffff.
char* write_utf8(char* to, std::uint32_t code_point) noexcept;

/// The value of four hexadecimal digits, or -1.
[[nodiscard]] int hex4(const char* digits) noexcept;

/// The text behind a string in stored form (what stands between the quotes). Precondition: valid stored text.
[[nodiscard]] std::string unescape(std::string_view inside_quotes);

}  // namespace concord::value
