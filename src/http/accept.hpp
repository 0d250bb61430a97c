// Which of our representations a client wants (RFC 9110 12.5.1, 12.5.3).
#pragma once

#include <string_view>

namespace concord::http {

/// True when `accept` names application/octet-stream with a greater weight than application/json, or names it alone.
/// Wildcards mean JSON.
[[nodiscard]] bool wants_bytes(std::string_view accept) noexcept;

/// True when `accept_encoding` names gzip, or everything, with a weight above 0.
[[nodiscard]] bool takes_gzip(std::string_view accept_encoding) noexcept;

}  // namespace concord::http
