// SHA-256, and signatures made of it (HMAC, RFC 2104), as lower case hexadecimal text.
//
// Thread rule: a `Sha256` one thread at a time; the functions any.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <concord/error.hpp>

struct evp_md_ctx_st;

namespace concord::audit {

inline constexpr std::size_t hex_size = 64;
using Hex = std::array<char, hex_size>;

[[nodiscard]] inline std::string_view view_of(const Hex& hex) noexcept { return {hex.data(), hex.size()}; }

/// What stands before the first line of a log.
[[nodiscard]] constexpr Hex no_hash() noexcept {
  Hex hash;
  hash.fill('0');
  return hash;
}

/// Used again and again: making one costs more than a hash.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  /// Of `first`, then `second`.
  [[nodiscard]] Hex of(std::string_view first, std::string_view second = {});

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

[[nodiscard]] Hex sign(std::string_view key, std::string_view text);

/// 64 hexadecimal digits from the system's generator. Errors: internal.
[[nodiscard]] Result<std::string> draw_key();

}  // namespace concord::audit
