// The API operations that are counted, timed, traced and told, and how one ended. The names are those of the HTTP routes
// (`Route::operation`), of the telemetry events ("concord.api.<name>"), of spans and of metrics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <concord/error.hpp>
#include <concord/options.hpp>

namespace concord::observe {

enum class ApiOperation : std::uint8_t {
  put,
  get,
  del,
  touch,
  ttl,
  put_many,
  get_many,
  delete_many,
  touch_many,
  txn,
  get_all,
  query,
  delete_where,
  status,
  members,
  member_add,
  member_remove,
  member_promote,
  leader_transfer,
  snapshot_trigger,
  token_create,
  token_list,
  token_revoke,
  token_revoke_secret,
  role_list,
  role_get,
  role_set,
  role_delete,
  user_list,
  user_get,
  user_set,
  user_delete,
  tenant_list,
  tenant_get,
  tenant_set,
  tenant_delete,
  backup_create,
  backup_list,
  backup_get,
  backup_put,
  backup_verify,
  backup_restore,
  backup_cleanup,
};
inline constexpr std::size_t operation_count = static_cast<std::size_t>(ApiOperation::backup_cleanup) + 1;

/// "put"; `ApiOperation::del` is "delete".
[[nodiscard]] std::string_view operation_name(ApiOperation operation) noexcept;
/// None: it is no operation on the store, like a page of the documentation.
[[nodiscard]] std::optional<ApiOperation> operation_named(std::string_view name) noexcept;

enum class Outcome : std::uint8_t { ok, not_found, error };
inline constexpr std::size_t outcome_count = 3;

/// "ok", "not_found", "error".
[[nodiscard]] std::string_view outcome_name(Outcome outcome) noexcept;

[[nodiscard]] constexpr Outcome outcome_of(Errc code) noexcept {
  return code == Errc::not_found ? Outcome::not_found : Outcome::error;
}

/// By its name (`error_name`). None: it is no code of the library, like METHOD_NOT_ALLOWED.
[[nodiscard]] std::optional<Errc> error_named(std::string_view name) noexcept;

/// "eventual", "leader", "strong".
[[nodiscard]] std::string_view consistency_name(ReadConsistency consistency) noexcept;

}  // namespace concord::observe
