#include "client/endpoint.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace concord::client {
namespace {

constexpr std::string_view default_port = "4000";

std::unexpected<Error> bad_endpoint(std::string_view url, std::string_view reason) {
  return fail(Errc::invalid_request, "the endpoint \"" + std::string(url.substr(0, 200)) + "\" " + std::string(reason));
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view url) {
  const std::string whole = url.find("://") == std::string_view::npos ? "http://" + std::string(url) : std::string(url);
  const auto parsed = boost::urls::parse_uri(whole);
  if (!parsed) return bad_endpoint(url, "is no URL like http://127.0.0.1:4000");
  const boost::urls::scheme scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) {
    return bad_endpoint(url, "must begin with http:// or https://, or with the host");
  }
  if (parsed->has_userinfo())
    return fail(Errc::invalid_request, "an endpoint holds no user or password; a token says who calls");
  if (parsed->encoded_host().empty()) return bad_endpoint(url, "names no host");
  if (parsed->has_query() || parsed->has_fragment() || (!parsed->encoded_path().empty() && parsed->path() != "/")) {
    return bad_endpoint(url, "may have nothing behind host and port");
  }
  if (parsed->has_port() && parsed->port_number() == 0) return bad_endpoint(url, "has a bad port");
  Endpoint endpoint{.url = std::string(url),
                    .host = parsed->host_address(),
                    .port = std::string(parsed->port()),
                    .authority = {},
                    .is_secure = scheme == boost::urls::scheme::https};
  if (endpoint.port.empty()) endpoint.port = default_port;
  endpoint.authority = std::string(parsed->encoded_host()) + ":" + endpoint.port;
  return endpoint;
}

}  // namespace concord::client
