// Where a node is reached, from its URL, as programs, the command line and the environment say it.
//
//   endpoint := [("http" | "https") "://"] host [":" port] ["/"]
//   host     := name | IPv4 address | "[" IPv6 address "]"
//
// Without a scheme it is http, without a port 4000.
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
