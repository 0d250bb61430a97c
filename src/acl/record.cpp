#include "acl/record.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "acl/scope.hpp"
#include "base/wire.hpp"
#include "value/json_string.hpp"

namespace concord::acl {

using base::append_bytes;
using base::append_varint;
using base::Reader;

namespace {

constexpr std::uint8_t disabled_flag = 1;
constexpr std::uint8_t tenant_flag = 2;
constexpr std::size_t max_description_bytes = command::max_token_description_bytes;
/// Numbers of the API end there.
constexpr std::uint64_t max_quota = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t max_prefix_bytes = command::max_token_prefix_bytes;

std::unexpected<Error> invalid(std::string message) { return fail(Errc::invalid_request, std::move(message)); }

Result<void> check_name(std::string_view what, std::string_view name) {
  if (is_name(name)) return {};
  return invalid("the name of a " + std::string(what) + " has 1 to " + std::to_string(max_name_bytes) +
                 " of the letters a-z, 0-9, '.', '_' and '-', the first of them a-z or 0-9");
}

Result<void> check_description(std::string_view description) {
  if (description.size() <= max_description_bytes && value::is_utf8(description)) return {};
  return invalid("description: UTF-8 of at most " + std::to_string(max_description_bytes) + " bytes");
}

Result<void> check_prefix(std::string_view prefix) {
  if (!prefix.empty() && prefix.size() <= max_prefix_bytes) return {};
  return invalid("a prefix has 1 to " + std::to_string(max_prefix_bytes) + " bytes, not " +
                 std::to_string(prefix.size()));
}

Result<void> normalize(Grant& grant) {
  const command::Permissions bits = bits_of(grant.permissions);
  if (bits == 0 || bits > command::all_permissions) {
    return invalid("a grant needs at least one of the permissions read, write and admin");
  }
  if ((bits & static_cast<command::Permissions>(Permission::admin)) != 0 && !grant.prefixes.empty()) {
    return invalid("a grant of admin can't be limited to prefixes: an admin may make any other grant");
  }
  for (const std::string& prefix : grant.prefixes) {
    if (auto valid = check_prefix(prefix); !valid) return valid;
  }
  grant.permissions = permissions_of(bits);
  grant.prefixes = Scope(std::move(grant.prefixes)).prefixes();
  return {};
}

Result<void> normalize(Role& role) {
  if (role.grants.size() > max_grants) {
    return invalid("grants: " + std::to_string(role.grants.size()) + ", the limit is " + std::to_string(max_grants));
  }
  std::size_t prefixes = 0;
  for (Grant& grant : role.grants) {
    prefixes += grant.prefixes.size();
    if (prefixes > max_grant_prefixes) {
      return invalid("grants: more than " + std::to_string(max_grant_prefixes) + " prefixes in all");
    }
    if (auto valid = normalize(grant); !valid) return valid;
  }
  return {};
}

Result<void> normalize(User& user) {
  if (!user.tenant.empty()) {
    if (auto valid = check_name("tenant", user.tenant); !valid) return valid;
  }
  for (const std::string& role : user.roles) {
    if (auto valid = check_name("role", role); !valid) return valid;
  }
  std::ranges::sort(user.roles);
  user.roles.erase(std::ranges::unique(user.roles).begin(), user.roles.end());
  if (user.roles.size() <= max_roles_of_user) return {};
  return invalid("roles: " + std::to_string(user.roles.size()) + ", the limit is " + std::to_string(max_roles_of_user));
}

Result<void> normalize(Tenant& tenant) {
  if (tenant.prefix.empty()) tenant.prefix = tenant.name + '/';
  tenant.usage = {};
  const Quotas& quotas = tenant.quotas;
  for (const std::uint64_t quota :
       {quotas.max_keys, quotas.max_bytes, quotas.max_operations_per_s, quotas.max_subscribers}) {
    if (quota > max_quota) return invalid("quotas: a number is larger than " + std::to_string(max_quota));
  }
  return check_prefix(tenant.prefix);
}

// ---------------------------------------------------------------------------------------------------------------------
// Bytes.

void append_body(std::string& to, const Role& role) {
  append_varint(to, role.grants.size());
  for (const Grant& grant : role.grants) {
    to.push_back(static_cast<char>(bits_of(grant.permissions)));
    append_varint(to, grant.prefixes.size());
    for (const std::string& prefix : grant.prefixes) append_bytes(to, prefix);
  }
}

void append_body(std::string& to, const User& user) {
  to.push_back(static_cast<char>((user.disabled ? disabled_flag : 0) | (user.tenant.empty() ? 0 : tenant_flag)));
  if (!user.tenant.empty()) append_bytes(to, user.tenant);
  append_varint(to, user.roles.size());
  for (const std::string& role : user.roles) append_bytes(to, role);
}

void append_body(std::string& to, const Tenant& tenant) {
  append_bytes(to, tenant.prefix);
  append_varint(to, tenant.quotas.max_keys);
  append_varint(to, tenant.quotas.max_bytes);
  append_varint(to, tenant.quotas.max_operations_per_s);
  append_varint(to, tenant.quotas.max_subscribers);
}

/// Counts below are bounded by what is there to be read: each item takes a byte at least.
void read_body(Reader& reader, Role& role) {
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    Grant grant{.permissions = permissions_of(reader.byte())};
    for (std::uint64_t more = reader.varint(); more > 0 && reader.ok(); --more) {
      grant.prefixes.emplace_back(reader.bytes());
    }
    role.grants.push_back(std::move(grant));
  }
}

void read_body(Reader& reader, User& user) {
  const std::uint8_t flags = reader.byte();
  if (flags > (disabled_flag | tenant_flag)) reader.fail();
  user.disabled = (flags & disabled_flag) != 0;
  if ((flags & tenant_flag) != 0) user.tenant = reader.bytes();
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) user.roles.emplace_back(reader.bytes());
}

void read_body(Reader& reader, Tenant& tenant) {
  tenant.prefix = reader.bytes();
  tenant.quotas.max_keys = reader.varint();
  tenant.quotas.max_bytes = reader.varint();
  tenant.quotas.max_operations_per_s = reader.varint();
  tenant.quotas.max_subscribers = reader.varint();
}

template <class Kind>
AccessRecord read_record(Reader& reader) {
  Kind record;
  record.name = reader.bytes();
  record.description = reader.bytes();
  read_body(reader, record);
  return record;
}

}  // namespace

AccessKind kind_of(const AccessRecord& record) noexcept { return static_cast<AccessKind>(record.index() + 1); }

std::string_view kind_name(AccessKind kind) noexcept {
  switch (kind) {
    case AccessKind::role: return "role";
    case AccessKind::user: return "user";
    case AccessKind::tenant: break;
  }
  return "tenant";
}

const std::string& name_of(const AccessRecord& record) noexcept {
  return std::visit([](const auto& each) -> const std::string& { return each.name; }, record);
}

bool is_name(std::string_view text) noexcept {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto is_good = [&](char c) { return is_letter(c) || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= max_name_bytes && is_letter(text.front()) &&
         std::ranges::all_of(text, is_good);
}

command::Permissions bits_of(const std::vector<Permission>& permissions) noexcept {
  command::Permissions bits = 0;
  for (const Permission permission : permissions) bits |= static_cast<command::Permissions>(permission);
  return bits;
}

std::vector<Permission> permissions_of(command::Permissions bits) {
  std::vector<Permission> permissions;
  for (const Permission permission : {Permission::read, Permission::write, Permission::admin}) {
    if ((bits & static_cast<command::Permissions>(permission)) != 0) permissions.push_back(permission);
  }
  return permissions;
}

Result<AccessRecord> normalized(AccessRecord record) {
  auto valid = std::visit(
      [&](auto& each) -> Result<void> {
        if (auto named = check_name(kind_name(kind_of(record)), each.name); !named) return named;
        if (auto described = check_description(each.description); !described) return described;
        return normalize(each);
      },
      record);
  if (!valid) return std::unexpected(std::move(valid.error()));
  return record;
}

std::string encode(const AccessRecord& record) {
  std::string bytes(1, static_cast<char>(kind_of(record)));
  std::visit(
      [&](const auto& each) {
        append_bytes(bytes, each.name);
        append_bytes(bytes, each.description);
        append_body(bytes, each);
      },
      record);
  return bytes;
}

std::optional<AccessRecord> decode_record(std::string_view bytes) {
  Reader reader(bytes);
  AccessRecord record;
  switch (static_cast<AccessKind>(reader.byte())) {
    case AccessKind::role: record = read_record<Role>(reader); break;
    case AccessKind::user: record = read_record<User>(reader); break;
    case AccessKind::tenant: record = read_record<Tenant>(reader); break;
    default: return std::nullopt;
  }
  if (!reader.finished()) return std::nullopt;
  auto checked = normalized(std::move(record));
  if (!checked || encode(*checked) != bytes) return std::nullopt;
  return std::move(*checked);
}

}  // namespace concord::acl
