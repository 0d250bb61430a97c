// What keeps pages of other sites from using this server through the browser of somebody who can reach it.
//
//   Host     a name that an attacker's DNS points at this server ("DNS rebinding") makes its page same-origin with us. So the
//            Host must be an address, localhost, the host we listen on or one of `allowed_hosts` ("*": any). A server that listens
//            beyond the loopback with no `allowed_hosts` is meant to be found by names we can't know: any. On the loopback also
//            a name without a dot, which no public DNS has. Otherwise: 421.
//   Origin   another site's page may send simple requests, and open WebSockets, without asking. A request that could change something,
//            and a WebSocket, is refused (403) unless its origin is this server's or one of `cors_origins`.
//   CORS     off unless `cors_origins` ("*": any, without credentials) is set; then answers name the origin (Fetch standard 3.3).
//
// Thread rule: constant after construction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/error_status.hpp"
#include "http/reply.hpp"
#include "http/request.hpp"

namespace concord::http {

struct BrowserPolicy {
  std::vector<std::string> allowed_hosts = {};  ///< without port; matched without regard to case
  std::vector<std::string> cors_origins = {};   ///< "https://app.example", "http://localhost:3000"
};

class BrowserGuard {
 public:
  /// `listening_host` as it was configured: a name or an address.
  BrowserGuard(BrowserPolicy policy, std::string_view listening_host);

  /// Why the request must not be served; none: it may.
  [[nodiscard]] std::optional<Problem> check(const Request& request) const;

  /// Adds the headers that let the page of an allowed origin read the answer.
  void add_headers(const Request& request, Reply& reply) const;

 private:
  [[nodiscard]] bool is_host_allowed(std::string_view host) const;
  [[nodiscard]] bool is_origin_allowed(std::string_view origin) const;

  BrowserPolicy policy_;
  std::string listening_host_;
  bool any_host_ = false;
  bool any_origin_ = false;
  bool on_loopback_ = false;
};

}  // namespace concord::http
