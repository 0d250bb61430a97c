// Where a peer is dialled, from its text.
//
//   address := host ":" port      host: a name or an IPv4 address, or an IPv6 address in brackets; port: 1 to 65535
//
// Errors: invalid_request, with the text. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <concord/error.hpp>

namespace concord::transport {

struct Address {
  std::string host = {};  ///< IPv6 without brackets
  std::uint16_t port = 0;
};

[[nodiscard]] Result<Address> parse_address(std::string_view text);

}  // namespace concord::transport
