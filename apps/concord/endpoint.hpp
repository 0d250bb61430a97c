// Where a node's API is, as the command line and the environment say it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace concord::app {

struct Endpoint {
  std::string host;
  std::string port;
};

/// "http://host:port"; scheme, port (4000) and a slash at the end may be left out. The error is for people.
[[nodiscard]] std::expected<Endpoint, std::string> read_endpoint(std::string_view text);

}  // namespace concord::app
