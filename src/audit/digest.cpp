#include "audit/digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/check.hpp"

namespace concord::audit {
namespace {

/// Looked up once: a look-up by name costs more than the hash.
const EVP_MD* sha256() {
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> digest(EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                                      EVP_MD_free);
  return digest.get();
}

Hex hex_of(const unsigned char* bytes) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  Hex hex;
  for (std::size_t i = 0; i < hex_size / 2; ++i) {
    hex[2 * i] = digits[bytes[i] >> 4U];
    hex[2 * i + 1] = digits[bytes[i] & 15U];
  }
  return hex;
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) { CONCORD_CHECK(context_ != nullptr, "there is memory for a hash"); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Hex Sha256::of(std::string_view first, std::string_view second) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const bool done = EVP_DigestInit_ex2(context_.get(), sha256(), nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(context_.get(), second.data(), second.size()) == 1 &&
                    EVP_DigestFinal_ex(context_.get(), hash, &size) == 1;
  CONCORD_CHECK(done && size == hex_size / 2, "SHA-256 is there");
  return hex_of(hash);
}

Hex sign(std::string_view key, std::string_view text) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const unsigned char* const done = HMAC(sha256(), key.data(), static_cast<int>(key.size()),
                                         reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash, &size);
  CONCORD_CHECK(done != nullptr && size == hex_size / 2, "HMAC is there");
  return hex_of(hash);
}

Result<std::string> draw_key() {
  unsigned char bytes[hex_size / 2];
  if (RAND_bytes(bytes, sizeof bytes) != 1) {
    return fail(Errc::internal, "the system's generator of random numbers failed");
  }
  const Hex hex = hex_of(bytes);
  return std::string(view_of(hex));
}

}  // namespace concord::audit
