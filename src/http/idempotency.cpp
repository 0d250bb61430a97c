#include "http/idempotency.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include <openssl/evp.h>

#include "base/check.hpp"
#include "command/limits.hpp"

namespace concord::http {
namespace {

/// A digest of parts, each with its length, so that no two lists of parts are the same bytes.
class Fingerprint {
 public:
  Fingerprint() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    CONCORD_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "SHA-256 is there");
  }

  void add(std::string_view part) {
    const std::uint64_t size_bytes = part.size();
    update(&size_bytes, sizeof size_bytes);
    update(part.data(), part.size());
  }

  [[nodiscard]] std::uint64_t value() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    CONCORD_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1, "a digest is given once");
    std::uint64_t first = 0;
    for (std::size_t i = 0; i < sizeof first; ++i) first = first << 8U | digest[i];
    return first;
  }

 private:
  void update(const void* data, std::size_t size_bytes) {
    CONCORD_CHECK(EVP_DigestUpdate(context_.get(), data, size_bytes) == 1, "a digest takes any bytes");
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::uint64_t fingerprint_of(const Request& request, const Target& target, const Query& query) {
  Fingerprint fingerprint;
  fingerprint.add(method_name(request.method));
  fingerprint.add(target.path);
  for (const Query::Parameter& parameter : query.parameters()) {
    if (parameter.name == "timeout_ms") continue;
    fingerprint.add(parameter.name);
    fingerprint.add(parameter.value);
  }
  for (const Header header : {Header::if_match, Header::if_none_match, Header::content_type}) {
    fingerprint.add(request.header(header));
  }
  fingerprint.add(request.body);
  return fingerprint.value();
}

}  // namespace

std::expected<std::optional<command::Once>, Problem> once_of(const Request& request, const Target& target,
                                                             const Query& query) {
  if (!request.has(Header::idempotency_key)) return std::nullopt;
  const std::string_view key = request.header(Header::idempotency_key);
  const bool printable = std::ranges::all_of(key, [](char c) { return c >= 0x20 && c < 0x7f; });
  if (key.empty() || key.size() > command::max_once_bytes || !printable) {
    return std::unexpected(invalid_request("Idempotency-Key must be 1 to " + std::to_string(command::max_once_bytes) +
                                           " printable characters"));
  }
  return command::Once{.key = key, .fingerprint = fingerprint_of(request, target, query)};
}

Problem idempotency_conflict() {
  return {409, "IDEMPOTENCY_CONFLICT", "the Idempotency-Key was used for another request; nothing was done"};
}

}  // namespace concord::http
