#include "transport/address.hpp"

#include <charconv>

namespace concord::transport {
namespace {

constexpr std::size_t most_host_bytes = 255;

std::unexpected<Error> bad_address(std::string_view text, std::string_view reason) {
  return fail(Errc::invalid_request,
              "the peer address \"" + std::string(text.substr(0, 300)) + "\" " + std::string(reason));
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text, "has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    return bad_address(text, "has no port from 1 to 65535");
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.contains(':')) {
    return bad_address(text, "needs brackets around its IPv6 address");
  }
  if (host.empty() || host.size() > most_host_bytes) return bad_address(text, "names no host");
  return Address{.host = std::string(host), .port = port};
}

}  // namespace concord::transport
