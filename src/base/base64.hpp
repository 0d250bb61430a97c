// Base64 (RFC 4648), strictly: no white space, no other character, unused bits zero. Ours because what the packages offer
// (OpenSSL's, Abseil's) takes more than the standard form, and a text that two readers decode differently is a hole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concord::base {

/// The standard alphabet; padding is required.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

/// The alphabet for URLs (`-`, `_`); with padding or without.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

/// Appends the standard form, padded.
void append_base64(std::string& to, std::string_view bytes);

/// Appends the form for URLs, without padding.
void append_base64url(std::string& to, std::string_view bytes);

}  // namespace concord::base
