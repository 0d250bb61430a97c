// Where a node is reached, from its URL.
//
//   endpoint := ("http" | "https") "://" host [":" port] ["/"]
//
// Errors: invalid_request, naming the endpoint. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include <concord/error.hpp>

namespace concord::client {

struct Endpoint {
  std::string url;        ///< as it was given, for messages
  std::string host;       ///< a name or an address; IPv6 without brackets
  std::string port;       ///< a number
  std::string authority;  ///< for the field Host
  bool is_secure = false;
};

[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view url);

}  // namespace concord::client
