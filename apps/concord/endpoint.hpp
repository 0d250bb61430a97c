// Where a node's API is, as the command line and the environment say it.
//
//   endpoint = ["http://" | "https://"] host [":" port] ["/"]
//   host     = name | IPv4 address | "[" IPv6 address "]"
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace concord::app {

struct Endpoint {
  std::string host;  ///< without brackets
  std::string port;
  bool is_secure = false;  ///< https

  /// The Host header: an IPv6 address stands in brackets.
  [[nodiscard]] std::string authority() const;
};

/// "http://host:port"; scheme, port (4000) and a slash at the end may be left out. The error is for people.
[[nodiscard]] std::expected<Endpoint, std::string> read_endpoint(std::string_view text);

}  // namespace concord::app
