#include "security/secret.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/base64.hpp"
#include "base/check.hpp"

namespace concord::security {
namespace {

constexpr std::size_t random_bytes = 32;

template <std::size_t size>
Result<std::array<unsigned char, size>> draw() {
  std::array<unsigned char, size> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return fail(Errc::internal, "the system's generator of random numbers failed");
  }
  return bytes;
}

/// Looked up once: a look-up by name costs more than the hash.
const EVP_MD* sha256() {
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> digest(EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                                      EVP_MD_free);
  return digest.get();
}

command::SecretHash sha256_of(std::string_view bytes) {
  command::SecretHash hash{};
  unsigned size = 0;
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(hash.data()), &size, sha256(), nullptr);
  CONCORD_CHECK(done == 1 && size == hash.size(), "SHA-256 is there");
  return hash;
}

}  // namespace

Result<std::string> generate_secret() {
  const auto bytes = draw<random_bytes>();
  if (!bytes) return std::unexpected(bytes.error());
  std::string secret(secret_prefix);
  base::append_base64url(secret, {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  return secret;
}

Result<command::TokenId> generate_id() {
  const auto bytes = draw<sizeof(std::uint64_t)>();
  if (!bytes) return std::unexpected(bytes.error());
  std::uint64_t number = 0;
  std::memcpy(&number, bytes->data(), sizeof number);
  return command::TokenId(std::max<std::uint64_t>(number, 1));
}

bool is_well_formed(std::string_view secret) noexcept {
  if (!secret.starts_with(secret_prefix) || secret.size() == secret_prefix.size()) return false;
  if (secret.size() > max_secret_bytes) return false;
  return std::ranges::all_of(secret, [](char c) { return c > ' ' && c <= '~' && c != ','; });
}

command::SecretHash hash_of(std::string_view secret) { return sha256_of(secret); }

command::TokenId first_id_of(const command::SecretHash& hash) {
  std::string text("concord first token ");
  text.append(hash.data(), hash.size());
  const command::SecretHash of_text = sha256_of(text);
  std::uint64_t number = 0;
  std::memcpy(&number, of_text.data(), sizeof number);
  return command::TokenId(std::max<std::uint64_t>(number, 1));
}

}  // namespace concord::security
