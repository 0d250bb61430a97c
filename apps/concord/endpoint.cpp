#include "endpoint.hpp"

#include <charconv>

namespace concord::app {
namespace {

constexpr std::string_view default_port = "4000";

}  // namespace

std::expected<Endpoint, std::string> read_endpoint(std::string_view text) {
  const auto bad = [&](const std::string& why) {
    return std::unexpected("the endpoint \"" + std::string(text) + "\" " + why);
  };
  std::string_view rest = text;
  if (rest.starts_with("https://")) return bad("asks for TLS, which is not available in this version");
  if (rest.starts_with("http://")) rest.remove_prefix(std::string_view("http://").size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('/') != std::string_view::npos) return bad("has a path");
  Endpoint endpoint{.host = {}, .port = std::string(default_port)};
  const std::size_t bracket = rest.find(']');
  const std::size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  endpoint.host = rest.substr(0, colon);
  if (colon != std::string_view::npos) endpoint.port = rest.substr(colon + 1);
  if (endpoint.host.starts_with('[')) endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(endpoint.port.data(), endpoint.port.data() + endpoint.port.size(), port);
  const bool is_port =
      error == std::errc() && end == endpoint.port.data() + endpoint.port.size() && port > 0 && port < 65536;
  if (endpoint.host.empty() || !is_port) return bad("is not http://host:port");
  return endpoint;
}

}  // namespace concord::app
