#include "observe/operation.hpp"

#include <algorithm>
#include <array>

namespace concord::observe {
namespace {

/// In the order of the enumeration.
constexpr std::array<std::string_view, operation_count> names = {"put",
                                                                 "get",
                                                                 "delete",
                                                                 "touch",
                                                                 "ttl",
                                                                 "put_many",
                                                                 "get_many",
                                                                 "delete_many",
                                                                 "touch_many",
                                                                 "txn",
                                                                 "get_all",
                                                                 "query",
                                                                 "delete_where",
                                                                 "status",
                                                                 "members",
                                                                 "member_add",
                                                                 "member_remove",
                                                                 "member_promote",
                                                                 "leader_transfer",
                                                                 "snapshot_trigger",
                                                                 "token_create",
                                                                 "token_list",
                                                                 "token_revoke",
                                                                 "token_revoke_secret",
                                                                 "role_list",
                                                                 "role_get",
                                                                 "role_set",
                                                                 "role_delete",
                                                                 "user_list",
                                                                 "user_get",
                                                                 "user_set",
                                                                 "user_delete",
                                                                 "tenant_list",
                                                                 "tenant_get",
                                                                 "tenant_set",
                                                                 "tenant_delete",
                                                                 "backup_create",
                                                                 "backup_list",
                                                                 "backup_get",
                                                                 "backup_put",
                                                                 "backup_verify",
                                                                 "backup_restore",
                                                                 "backup_cleanup"};

}  // namespace

std::string_view operation_name(ApiOperation operation) noexcept { return names[static_cast<std::size_t>(operation)]; }

std::optional<ApiOperation> operation_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<ApiOperation>(found - names.begin());
}

std::string_view outcome_name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::ok: return "ok";
    case Outcome::not_found: return "not_found";
    case Outcome::error: break;
  }
  return "error";
}

std::optional<Errc> error_named(std::string_view name) noexcept {
  for (auto code = static_cast<unsigned>(Errc::not_found); code <= static_cast<unsigned>(last_errc); ++code) {
    if (error_name(static_cast<Errc>(code)) == name) return static_cast<Errc>(code);
  }
  return std::nullopt;
}

std::string_view consistency_name(ReadConsistency consistency) noexcept {
  switch (consistency) {
    case ReadConsistency::eventual: return "eventual";
    case ReadConsistency::leader: return "leader";
    case ReadConsistency::strong: break;
  }
  return "strong";
}

}  // namespace concord::observe
