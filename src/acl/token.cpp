#include "acl/token.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "acl/record.hpp"
#include "base/wire.hpp"

namespace concord::acl {
namespace {

constexpr std::uint8_t expires_flag = 1;
constexpr std::uint8_t first_flag = 2;
constexpr std::uint8_t revoked_flag = 4;
constexpr std::uint8_t user_flag = 8;
constexpr std::uint8_t tenant_flag = 16;
constexpr std::uint8_t all_flags = 31;
constexpr std::size_t id_digits = 16;

}  // namespace

std::string id_text(TokenId id) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(id_digits, '0');
  std::uint64_t number = id.value();
  for (std::size_t i = id_digits; i-- > 0; number >>= 4U) text[i] = digits[number & 15U];
  return text;
}

std::optional<TokenId> parse_id(std::string_view text) noexcept {
  if (text.size() != id_digits) return std::nullopt;
  if (std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'F'; })) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return TokenId(number);
}

Rights limited(Rights base, const Token& token) {
  base.limit_to(token.permissions, token.scope);
  return base;
}

std::string encode(const Token& token) {
  std::string bytes;
  base::append_fixed64(bytes, token.id.value());
  bytes.append(token.hash.data(), token.hash.size());
  bytes.push_back(static_cast<char>(token.permissions));
  base::append_varint(bytes, token.created_wall_ms);
  bytes.push_back(static_cast<char>((token.deadline_ms ? expires_flag : 0) | (token.is_first ? first_flag : 0) |
                                    (token.is_revoked ? revoked_flag : 0) | (token.user.empty() ? 0 : user_flag) |
                                    (token.tenant.empty() ? 0 : tenant_flag)));
  if (token.deadline_ms) base::append_varint(bytes, *token.deadline_ms);
  if (!token.user.empty()) base::append_bytes(bytes, token.user);
  if (!token.tenant.empty()) base::append_bytes(bytes, token.tenant);
  base::append_bytes(bytes, token.description);
  base::append_varint(bytes, token.scope.prefixes().size());
  for (const std::string& prefix : token.scope.prefixes()) base::append_bytes(bytes, prefix);
  return bytes;
}

std::optional<Token> decode(std::string_view bytes) {
  base::Reader reader(bytes);
  Token token;
  token.id = TokenId(reader.fixed64());
  std::ranges::copy(reader.take(token.hash.size()), token.hash.begin());
  token.permissions = reader.byte();
  token.created_wall_ms = reader.varint();
  const std::uint8_t flags = reader.byte();
  if ((flags & expires_flag) != 0) token.deadline_ms = reader.varint();
  token.is_first = (flags & first_flag) != 0;
  token.is_revoked = (flags & revoked_flag) != 0;
  if (token.is_revoked && !token.is_first) reader.fail();
  if ((flags & user_flag) != 0) token.user = reader.bytes();
  if ((flags & tenant_flag) != 0) token.tenant = reader.bytes();
  if (((flags & user_flag) != 0 && !is_name(token.user)) || ((flags & tenant_flag) != 0 && !is_name(token.tenant))) {
    reader.fail();
  }
  token.description = reader.bytes();
  const std::uint64_t count = reader.varint();
  if (count > command::max_token_prefixes || flags > all_flags) reader.fail();
  if (token.id.is_zero() || token.permissions == 0 || token.permissions > command::all_permissions) reader.fail();
  std::vector<std::string> prefixes;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    prefixes.emplace_back(reader.bytes());
    if (prefixes.back().empty()) reader.fail();
  }
  if (!reader.finished()) return std::nullopt;
  token.scope = Scope(std::move(prefixes));
  if (token.scope.prefixes().size() != count) return std::nullopt;  // not as it was written
  return token;
}

}  // namespace concord::acl
