#include "client/access_codec.hpp"

#include <string>
#include <utility>
#include <variant>

#include "client/decode.hpp"
#include "client/encode.hpp"
#include "client/json_walk.hpp"
#include "client/members.hpp"

namespace concord::client {
namespace {

constexpr std::string_view tokens_root = "/api/v1/tokens";

/// "roles", "users", "tenants".
std::string_view plural(AccessKind kind) {
  switch (kind) {
    case AccessKind::role: return "roles";
    case AccessKind::user: return "users";
    case AccessKind::tenant: break;
  }
  return "tenants";
}

void set_one(Request& request, Method method, AccessKind kind, std::string_view name) {
  request.method = method;
  (request.target = "/api/v1/").append(plural(kind)) += '/';
  append_percent_encoded(request.target, name);
}

void add_permissions(Members& members, const std::vector<Permission>& permissions) {
  append_list(members.name("permissions"), permissions, [](std::string& to, Permission permission) {
    value::append_json_string(to, permission_name(permission));
  });
}

void add_texts(Members& members, std::string_view name, const std::vector<std::string>& texts) {
  append_list(members.name(name), texts, value::append_json_string);
}

void add_fields(Members& members, const Role& role) {
  append_list(members.name("grants"), role.grants, [](std::string& to, const Grant& grant) {
    Members one(to);
    add_permissions(one, grant.permissions);
    add_texts(one, "prefixes", grant.prefixes);
  });
}

void add_fields(Members& members, const User& user) {
  add_texts(members, "roles", user.roles);
  if (!user.tenant.empty()) members.text("tenant", user.tenant);
  members.boolean("disabled", user.disabled);
}

void add_fields(Members& members, const Tenant& tenant) {
  if (!tenant.prefix.empty()) members.text("prefix", tenant.prefix);
  Members quotas(members.name("quotas"));
  quotas.number("max_keys", tenant.quotas.max_keys);
  quotas.number("max_bytes", tenant.quotas.max_bytes);
  quotas.number("max_operations_per_s", tenant.quotas.max_operations_per_s);
  quotas.number("max_subscribers", tenant.quotas.max_subscribers);
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers: one member each.

std::vector<Permission> permissions_in(std::string_view array) {
  std::vector<Permission> permissions;
  each_item(array, [&](std::string_view item) {
    if (const auto permission = parse_permission(text_of(item))) permissions.push_back(*permission);
  });
  return permissions;
}

std::vector<std::string> prefixes_in(std::string_view array) {
  std::vector<std::string> prefixes;
  each_item(array, [&](std::string_view item) { prefixes.push_back(prefix_of(item)); });
  return prefixes;
}

void take(Role& role, std::string_view name, std::string_view json) {
  if (name != "grants") return;
  each_item(json, [&](std::string_view object) {
    Grant& grant = role.grants.emplace_back();
    each_member(object, [&](std::string_view part, std::string_view array) {
      if (part == "permissions") grant.permissions = permissions_in(array);
      if (part == "prefixes") grant.prefixes = prefixes_in(array);
    });
  });
}

void take(User& user, std::string_view name, std::string_view json) {
  if (name == "roles") each_item(json, [&](std::string_view role) { user.roles.push_back(text_of(role)); });
  if (name == "tenant") user.tenant = text_of(json);
  if (name == "disabled") user.disabled = is_true(json);
}

void take(Tenant& tenant, std::string_view name, std::string_view json) {
  if (name == "prefix") tenant.prefix = prefix_of(json);
  each_member(json, [&](std::string_view part, std::string_view number) {
    if (part == "max_keys") tenant.quotas.max_keys = number_of(number);
    if (part == "max_bytes") tenant.quotas.max_bytes = number_of(number);
    if (part == "max_operations_per_s") tenant.quotas.max_operations_per_s = number_of(number);
    if (part == "max_subscribers") tenant.quotas.max_subscribers = number_of(number);
    if (part == "keys") tenant.usage.keys = number_of(number);
    if (part == "bytes") tenant.usage.bytes = number_of(number);
  });
}

template <class Kind>
AccessRecord record_in(std::string_view object) {
  Kind record;
  each_member(object, [&](std::string_view name, std::string_view json) {
    if (name == "name") record.name = text_of(json);
    if (name == "description") record.description = text_of(json);
    take(record, name, json);
  });
  return record;
}

AccessRecord record_in(std::string_view object, AccessKind kind) {
  switch (kind) {
    case AccessKind::role: return record_in<Role>(object);
    case AccessKind::user: return record_in<User>(object);
    case AccessKind::tenant: break;
  }
  return record_in<Tenant>(object);
}

}  // namespace

void set_create_token(Request& request, const NewToken& token) {
  request.method = Method::post;
  request.target = tokens_root;
  Members members(request.body);
  add_permissions(members, token.permissions);
  if (!token.prefixes.empty()) add_texts(members, "prefixes", token.prefixes);
  if (!token.description.empty()) members.text("description", token.description);
  if (token.expires_in) members.number("expires_in", token.expires_in->count());
  if (!token.user.empty()) members.text("user", token.user);
  if (!token.tenant.empty()) members.text("tenant", token.tenant);
}

void set_revoke_token(Request& request, std::string_view id) {
  request.method = Method::del;
  request.target = tokens_root;
  request.target += '/';
  append_percent_encoded(request.target, id);
}

void set_revoke_secret(Request& request, std::string_view secret) {
  request.method = Method::post;
  request.target = tokens_root;
  request.target += "/revoke";
  Members members(request.body);
  members.text("token", secret);
}

void set_access(Request& request, const AccessRecord& record) {
  std::visit(
      [&](const auto& each) {
        set_one(request, Method::put, static_cast<AccessKind>(record.index() + 1), each.name);
        Members members(request.body);
        if (!each.description.empty()) members.text("description", each.description);
        add_fields(members, each);
      },
      record);
}

void set_remove_access(Request& request, AccessKind kind, std::string_view name) {
  set_one(request, Method::del, kind, name);
}

void set_list_access(Request& request, AccessKind kind) {
  request.target.insert(0, std::string("/api/v1/").append(plural(kind)));
}

Result<std::vector<AccessRecord>> access_of(Result<Answer>&& answer, AccessKind kind) {
  std::vector<AccessRecord> records;
  auto visited = visit_data(std::move(answer), [&](std::string_view name, std::string_view json) {
    if (name != plural(kind)) return;
    each_item(json, [&](std::string_view object) { records.push_back(record_in(object, kind)); });
  });
  if (!visited) return std::unexpected(std::move(visited.error()));
  return records;
}

}  // namespace concord::client
