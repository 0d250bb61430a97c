// Whose certificate a TLS handshake must see, and what was wrong with the one it saw.
//
// Thread rule: that of the connection.
#pragma once

#include <optional>
#include <string>

struct ssl_st;

namespace concord::client {

/// Before the handshake: tells the server which name is meant, and lets a handshake that verifies accept a certificate for this
/// host only. `host`: a name or an address, IPv6 without brackets. False: there is no memory for it.
[[nodiscard]] bool expect_certificate_of(ssl_st* connection, const std::string& host);

/// After a handshake that failed: why, for people, when it was for the certificate; else none.
[[nodiscard]] std::optional<std::string> certificate_problem(const ssl_st* connection);

}  // namespace concord::client
