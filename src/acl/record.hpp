// Roles, users and tenants as bytes, in the log and in snapshots, and what may be in them.
//
//   record := kind:u8 name:bytes description:bytes body
//   kind 1   role     body := count:varint grant*
//   kind 2   user     body := flags:u8 [tenant:bytes] count:varint role:bytes*        flags := 1: disabled | 2: a tenant follows
//   kind 3   tenant   body := prefix:bytes max_keys:varint max_bytes:varint max_operations_per_s:varint max_subscribers:varint
//   grant  := permissions:u8 count:varint prefix:bytes*
//
// `normalized` makes the one form in which a record is written: permissions and roles once and in order, a tenant with its prefix.
// Numbers are never renumbered. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <concord/auth.hpp>
#include <concord/error.hpp>

#include "command/token.hpp"

namespace concord::acl {

inline constexpr std::size_t max_name_bytes = 64;
inline constexpr std::size_t max_grants = 16;
inline constexpr std::size_t max_grant_prefixes = 64;  ///< of all grants of a role
inline constexpr std::size_t max_roles_of_user = 16;
inline constexpr std::size_t max_roles = 1000;
inline constexpr std::size_t max_users = 10'000;
inline constexpr std::size_t max_tenants = 1000;

[[nodiscard]] AccessKind kind_of(const AccessRecord& record) noexcept;
/// "role", "user", "tenant".
[[nodiscard]] std::string_view kind_name(AccessKind kind) noexcept;
[[nodiscard]] const std::string& name_of(const AccessRecord& record) noexcept;
[[nodiscard]] bool is_name(std::string_view text) noexcept;
[[nodiscard]] command::Permissions bits_of(const std::vector<Permission>& permissions) noexcept;
[[nodiscard]] std::vector<Permission> permissions_of(command::Permissions bits);

/// Errors: invalid_request, naming the field.
[[nodiscard]] Result<AccessRecord> normalized(AccessRecord record);

/// Precondition: normalized.
[[nodiscard]] std::string encode(const AccessRecord& record);
/// None: the bytes do not follow the format, or are not normalized.
[[nodiscard]] std::optional<AccessRecord> decode_record(std::string_view bytes);

}  // namespace concord::acl
