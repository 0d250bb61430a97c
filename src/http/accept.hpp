// Which of our two representations a client wants (RFC 9110 12.5.1).
#pragma once

#include <string_view>

namespace concord::http {

/// True when `accept` names application/octet-stream with a greater weight than application/json, or names it alone.
/// Wildcards mean JSON.
[[nodiscard]] bool wants_bytes(std::string_view accept) noexcept;

}  // namespace concord::http
