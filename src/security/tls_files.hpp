// The files TLS is made of. PEM; the key must not be encrypted, as nobody is there to type a password.
#pragma once

#include <string>

namespace concord::security {

struct TlsFiles {
  std::string certificate = {};  ///< one's own first, then those that lead to an authority
  std::string key = {};
  std::string authority = {};  ///< whom the other end's certificate must lead to; empty: none is asked for

  [[nodiscard]] bool are_none() const noexcept { return certificate.empty() && key.empty() && authority.empty(); }
};

}  // namespace concord::security
