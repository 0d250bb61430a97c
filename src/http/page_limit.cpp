#include "http/page_limit.hpp"

#include <string>

namespace concord::http {

std::expected<void, Problem> check_page_limit(std::uint64_t limit) {
  if (limit >= 1 && limit <= max_page_limit) return {};
  return std::unexpected(invalid_request("limit is " + std::to_string(limit) + "; it must be 1 to 1000"));
}

}  // namespace concord::http
