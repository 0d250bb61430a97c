#include "endpoint.hpp"

#include <charconv>

namespace concord::app {
namespace {

constexpr std::string_view default_port = "4000";

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

}  // namespace

std::string Endpoint::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + port;
}

std::expected<Endpoint, std::string> read_endpoint(std::string_view text) {
  const auto bad = [&](const std::string& why) {
    return std::unexpected("the endpoint \"" + std::string(text) + "\" " + why);
  };
  std::string_view rest = text;
  Endpoint endpoint{.host = {}, .port = std::string(default_port)};
  endpoint.is_secure = take(rest, "https://");
  if (!endpoint.is_secure) take(rest, "http://");
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) return bad("has a path; it is http://host:port");
  if (rest.find('@') != std::string_view::npos) return bad("has a user name; --token says who calls");
  std::string_view after_host;
  if (take(rest, "[")) {
    const std::size_t bracket = rest.find(']');
    if (bracket == std::string_view::npos) return bad("has a [ without ]");
    endpoint.host = rest.substr(0, bracket);
    after_host = rest.substr(bracket + 1);
  } else {
    const std::size_t colon = rest.find(':');
    endpoint.host = rest.substr(0, colon);
    if (colon != std::string_view::npos) after_host = rest.substr(colon);
    if (after_host.find(':', 1) != std::string_view::npos) return bad("needs brackets: http://[address]:port");
  }
  if (!after_host.empty()) {
    if (!take(after_host, ":") || !is_port(after_host)) return bad("is not http://host:port");
    endpoint.port = after_host;
  }
  if (endpoint.host.empty()) return bad("is not http://host:port");
  return endpoint;
}

}  // namespace concord::app
