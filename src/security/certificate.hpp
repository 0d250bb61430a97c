// Certificates for a cluster of one's own: an authority, and certificates of nodes and clients that it signs.
//
// Keys are of the curve P-256. A node's certificate serves and dials (members are clients of each other), a client's only dials.
// Thread rule: pure but for the system's generator and the clock.
#pragma once

#include <string>
#include <vector>

#include <concord/error.hpp>

namespace concord::security {

/// As PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

struct CertificateWish {
  std::string name = {};                ///< common name
  std::vector<std::string> hosts = {};  ///< names and addresses it is good for
  bool serves = false;
  int days = 825;
};

/// Errors: internal.
[[nodiscard]] Result<Certificate> make_authority(const std::string& name, int days);
/// Errors: invalid_request (a host, an authority that can't be read), internal.
[[nodiscard]] Result<Certificate> make_certificate(const Certificate& authority, const CertificateWish& wish);

}  // namespace concord::security
