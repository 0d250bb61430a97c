// Schemas of roles, users and tenants (schema.hpp).
#pragma once

#include <array>

#include "http/schema.hpp"
#include "http/schemas.hpp"

namespace concord::http::schemas {

inline constexpr Schema access_description = {.shape = Shape::text, .description = "At most 1024 bytes."};
inline constexpr std::array named = {Field{.name = "name", .schema = &text, .required = true}};

// Roles --------------------------------------------------------------------------------------------------------------

inline constexpr Schema grant_prefixes = {
    .shape = Shape::array,
    .description = "Keys begin with one of these; none: all keys. Not with admin.",
    .items = &token_prefix};
inline constexpr std::array grant_fields = {Field{.name = "permissions", .schema = &permissions, .required = true},
                                            Field{.name = "prefixes", .schema = &grant_prefixes}};
inline constexpr Schema grant = {.shape = Shape::object, .name = "Grant", .fields = grant_fields};
inline constexpr Schema grants = {
    .shape = Shape::array, .description = "They add up; at most 16, with 64 prefixes in all.", .items = &grant};
inline constexpr std::array role_set_fields = {Field{.name = "description", .schema = &access_description},
                                               Field{.name = "grants", .schema = &grants, .required = true}};
inline constexpr Schema role_set = {
    .shape = Shape::object,
    .name = "RoleSettings",
    .fields = role_set_fields,
    .example = R"({"grants": [{"permissions": ["read", "write"], "prefixes": ["app/"]}]})"};
inline constexpr std::array shown_grant_fields = {
    Field{.name = "permissions", .schema = &permissions, .required = true},
    Field{.name = "prefixes", .schema = &shown_prefixes, .required = true}};
inline constexpr Schema shown_grant = {.shape = Shape::object, .fields = shown_grant_fields};
inline constexpr Schema shown_grants = {.shape = Shape::array, .items = &shown_grant};
inline constexpr std::array shown_role_fields = {Field{.name = "description", .schema = &text, .required = true},
                                                 Field{.name = "grants", .schema = &shown_grants, .required = true}};
inline constexpr auto role_fields = joined(named, shown_role_fields);
inline constexpr Schema shown_role = {.shape = Shape::object, .name = "Role", .fields = role_fields};
inline constexpr Schema role_list = {.shape = Shape::array, .items = &shown_role};
inline constexpr std::array roles_fields = {Field{.name = "roles", .schema = &role_list, .required = true}};
inline constexpr Schema shown_roles = {.shape = Shape::object, .name = "Roles", .fields = roles_fields};

// Users --------------------------------------------------------------------------------------------------------------

inline constexpr Schema role_names = {
    .shape = Shape::array, .description = "Of roles that are there; at most 16.", .items = &access_name};
inline constexpr std::array user_set_fields = {
    Field{.name = "description", .schema = &access_description}, Field{.name = "roles", .schema = &role_names},
    Field{.name = "tenant", .schema = &access_name, .description = "He reaches only keys of this tenant."},
    Field{.name = "disabled", .schema = &boolean, .description = "No token of his is valid."}};
inline constexpr Schema user_set = {.shape = Shape::object,
                                    .name = "UserSettings",
                                    .fields = user_set_fields,
                                    .example = R"({"roles": ["editor"], "tenant": "acme"})"};
inline constexpr Schema shown_role_names = {.shape = Shape::array, .items = &text};
inline constexpr std::array shown_user_fields = {Field{.name = "description", .schema = &text, .required = true},
                                                 Field{.name = "roles", .schema = &shown_role_names, .required = true},
                                                 Field{.name = "tenant", .schema = &shown_owner, .required = true},
                                                 Field{.name = "disabled", .schema = &boolean, .required = true}};
inline constexpr auto user_fields = joined(named, shown_user_fields);
inline constexpr Schema shown_user = {.shape = Shape::object, .name = "User", .fields = user_fields};
inline constexpr Schema user_list = {.shape = Shape::array, .items = &shown_user};
inline constexpr std::array users_fields = {Field{.name = "users", .schema = &user_list, .required = true}};
inline constexpr Schema shown_users = {.shape = Shape::object, .name = "Users", .fields = users_fields};

// Tenants ------------------------------------------------------------------------------------------------------------

inline constexpr std::array quota_fields = {
    Field{.name = "max_keys", .schema = &count},
    Field{.name = "max_bytes", .schema = &count, .description = "Of keys and values as they are stored."},
    Field{.name = "max_operations_per_s", .schema = &count, .description = "Calls of its tokens, on each node."},
    Field{.name = "max_subscribers", .schema = &count, .description = "Of its tokens, on each node."}};
inline constexpr Schema quotas = {
    .shape = Shape::object, .name = "Quotas", .description = "0, or not there: no limit.", .fields = quota_fields};
inline constexpr Schema tenant_prefix = {
    .shape = Shape::text,
    .description = "Its keys begin so; its name and a slash unless said. It never changes.",
    .min_length = 1};
inline constexpr std::array tenant_set_fields = {Field{.name = "description", .schema = &access_description},
                                                 Field{.name = "prefix", .schema = &tenant_prefix},
                                                 Field{.name = "quotas", .schema = &quotas}};
inline constexpr Schema tenant_set = {.shape = Shape::object,
                                      .name = "TenantSettings",
                                      .fields = tenant_set_fields,
                                      .example = R"({"prefix": "acme/", "quotas": {"max_keys": 10000}})"};
inline constexpr std::array usage_fields = {Field{.name = "keys", .schema = &count, .required = true},
                                            Field{.name = "bytes", .schema = &count, .required = true}};
inline constexpr Schema usage = {.shape = Shape::object, .name = "TenantUsage", .fields = usage_fields};
inline constexpr std::array shown_tenant_fields = {Field{.name = "description", .schema = &text, .required = true},
                                                   Field{.name = "prefix", .schema = &any_value, .required = true},
                                                   Field{.name = "quotas", .schema = &quotas, .required = true},
                                                   Field{.name = "usage", .schema = &usage, .required = true}};
inline constexpr auto tenant_fields = joined(named, shown_tenant_fields);
inline constexpr Schema shown_tenant = {.shape = Shape::object, .name = "Tenant", .fields = tenant_fields};
inline constexpr Schema tenant_list = {.shape = Shape::array, .items = &shown_tenant};
inline constexpr std::array tenants_fields = {Field{.name = "tenants", .schema = &tenant_list, .required = true}};
inline constexpr Schema shown_tenants = {.shape = Shape::object, .name = "Tenants", .fields = tenants_fields};

}  // namespace concord::http::schemas
