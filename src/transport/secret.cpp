#include "transport/secret.hpp"

#include <string>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/check.hpp"

namespace concord::transport {

Result<Nonce> random_nonce() {
  Nonce nonce{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(nonce.data()), static_cast<int>(nonce.size())) != 1) {
    return fail(Errc::internal, "the system gives no random bytes");
  }
  return nonce;
}

Mac mac_of(std::string_view cookie, std::string_view label, std::string_view transcript) {
  const std::string text = std::string(label) + std::string(transcript);
  Mac mac{};
  unsigned int size_bytes = 0;
  const unsigned char* const done = HMAC(EVP_sha256(), cookie.data(), static_cast<int>(cookie.size()),
                                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                                         reinterpret_cast<unsigned char*>(mac.data()), &size_bytes);
  CONCORD_CHECK(done != nullptr && size_bytes == mac.size(), "HMAC-SHA256 is always there");
  return mac;
}

bool is_same(const Mac& expected, std::string_view given) noexcept {
  return given.size() == expected.size() && CRYPTO_memcmp(expected.data(), given.data(), expected.size()) == 0;
}

}  // namespace concord::transport
