#include "http/browser_guard.hpp"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

namespace concord::http {
namespace {

constexpr std::string_view any = "*";
constexpr std::string_view allowed_headers =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, X-Request-Id";
constexpr std::string_view exposed_headers = "ETag, Retry-After, X-Request-Id";
constexpr std::string_view allowed_methods = "GET, HEAD, PUT, POST, DELETE";
constexpr std::string_view preflight_age_s = "600";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equals(std::string_view a, std::string_view b) noexcept { return std::ranges::equal(a, b, {}, lower, lower); }

bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && equals(text.substr(text.size() - end.size()), end);
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::any_of(list, [text](const std::string& each) { return equals(each, text); });
}

/// The host of "host:port", "[address]:port", without the brackets.
std::string_view without_port(std::string_view authority) noexcept {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool is_address(std::string_view host) {
  const char first = host.empty() ? '\0' : host.front();
  const bool may_be = (first >= '0' && first <= '9') || host.find(':') != std::string_view::npos;
  if (!may_be) return false;
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(host), error);
  return !error;
}

bool is_loopback(std::string_view host) {
  if (equals(host, "localhost")) return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

/// "http://host:port" names the authority that the request was sent to.
bool is_same_origin(std::string_view origin, std::string_view host) noexcept {
  const std::size_t scheme_end = origin.find("://");
  return scheme_end != std::string_view::npos && equals(origin.substr(scheme_end + 3), host);
}

/// Or can be read by a page of any origin, because nobody asks whether that may (RFC 6455 10.2).
bool needs_own_origin(const Request& request) noexcept {
  const Method method = request.method;
  const bool may_change_something = method != Method::get && method != Method::head && method != Method::options;
  return may_change_something || request.has(Header::upgrade);
}

}  // namespace

BrowserGuard::BrowserGuard(BrowserPolicy policy, std::string_view listening_host)
    : policy_(std::move(policy)),
      listening_host_(listening_host),
      any_origin_(contains(policy_.cors_origins, any)),
      on_loopback_(is_loopback(listening_host)) {
  any_host_ = contains(policy_.allowed_hosts, any) || (policy_.allowed_hosts.empty() && !on_loopback_);
}

bool BrowserGuard::is_host_allowed(std::string_view host) const {
  if (any_host_) return true;
  host = without_port(host);
  if (is_address(host) || equals(host, "localhost") || ends_with(host, ".localhost")) return true;
  if (equals(host, listening_host_) || contains(policy_.allowed_hosts, host)) return true;
  return on_loopback_ && !host.empty() && host.find('.') == std::string_view::npos;
}

bool BrowserGuard::is_origin_allowed(std::string_view origin) const {
  return any_origin_ || contains(policy_.cors_origins, origin);
}

std::optional<Problem> BrowserGuard::check(const Request& request) const {
  const std::string_view host = request.header(Header::host);
  if (request.has(Header::host) && !is_host_allowed(host)) {
    return Problem(421, error_name(Errc::invalid_request),
                   "the host \"" + std::string(host.substr(0, 200)) +
                       "\" is none of this server's; api.allowed_hosts may name it");
  }
  if (!request.has(Header::origin) || !needs_own_origin(request)) return std::nullopt;
  const std::string_view origin = request.header(Header::origin);
  if (is_same_origin(origin, host) || is_origin_allowed(origin)) return std::nullopt;
  return Problem(403, error_name(Errc::forbidden),
                 "pages of \"" + std::string(origin.substr(0, 200)) +
                     "\" may not change anything here, nor open a WebSocket; api.cors_origins may name it");
}

void BrowserGuard::add_headers(const Request& request, Reply& reply) const {
  if (policy_.cors_origins.empty()) return;
  reply.vary_by("Origin");
  if (!request.has(Header::origin)) return;
  const std::string_view origin = request.header(Header::origin);
  if (!is_origin_allowed(origin)) return;
  // A named origin is one of the configuration's own; what a client sent is never repeated.
  const auto named = std::ranges::find_if(policy_.cors_origins, [&](const auto& each) { return equals(each, origin); });
  reply.add_header("Access-Control-Allow-Origin", any_origin_ ? any : std::string_view(*named));
  if (request.method == Method::options && request.has(Header::access_control_request_method)) {
    reply.add_header("Access-Control-Allow-Methods", allowed_methods);
    reply.add_header("Access-Control-Allow-Headers", allowed_headers);
    reply.add_header("Access-Control-Max-Age", preflight_age_s);
  } else {
    reply.add_header("Access-Control-Expose-Headers", exposed_headers);
  }
}

}  // namespace concord::http
