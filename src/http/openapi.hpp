// The OpenAPI 3.1 document of the API, written from its route table (routes/*.cpp) and schemas (schemas.hpp).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "http/route.hpp"

namespace concord::http {

/// JSON text. The same table gives the same bytes.
[[nodiscard]] std::string openapi_document(std::span<const Route> routes, std::string_view version);

}  // namespace concord::http
