// The size of a page of a listing (CONTRACT 5: 100 unless said, at most 1000).
#pragma once

#include <cstdint>
#include <expected>

#include "http/error_status.hpp"

namespace concord::http {

inline constexpr std::uint64_t default_page_limit = 100;
inline constexpr std::uint64_t max_page_limit = 1000;

[[nodiscard]] std::expected<void, Problem> check_page_limit(std::uint64_t limit);

}  // namespace concord::http
