// /api/v1/roles, users and tenants: whom tokens belong to, and what these may do and use.
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "acl/record.hpp"
#include "http/access_schemas.hpp"
#include "http/envelope.hpp"
#include "http/routes/access_fields.hpp"
#include "http/routes/routes.hpp"
#include "value/json_string.hpp"

namespace concord::http::routes {
namespace {

using concord::AccessRecord;  // and not the access log's
using Read = std::expected<void, Problem>;

// ---------------------------------------------------------------------------------------------------------------------
// Answers. Each appends what stands behind name and description, without the braces.

void append_fields(std::string& to, const Role& role) {
  to += ",\"grants\":[";
  bool is_first = true;
  for (const Grant& grant : role.grants) {
    if (!std::exchange(is_first, false)) to += ',';
    std::string members;
    append_permissions(members, grant.permissions);
    append_prefixes(members, grant.prefixes);
    (to += '{').append(members, 1) += '}';  // without the first comma
  }
  to += ']';
}

void append_fields(std::string& to, const User& user) {
  append_texts(to, "roles", user.roles);
  to += ",\"tenant\":";
  if (user.tenant.empty()) {
    to += "null";
  } else {
    value::append_json_string(to, user.tenant);
  }
  (to += ",\"disabled\":") += user.disabled ? "true" : "false";
}

void append_fields(std::string& to, const Tenant& tenant) {
  to += ",\"prefix\":";
  append_key(to, tenant.prefix);
  to += ",\"quotas\":{\"max_keys\":";
  append_number(to, tenant.quotas.max_keys);
  to += ",\"max_bytes\":";
  append_number(to, tenant.quotas.max_bytes);
  to += ",\"max_operations_per_s\":";
  append_number(to, tenant.quotas.max_operations_per_s);
  to += ",\"max_subscribers\":";
  append_number(to, tenant.quotas.max_subscribers);
  to += "},\"usage\":{\"keys\":";
  append_number(to, tenant.usage.keys);
  to += ",\"bytes\":";
  append_number(to, tenant.usage.bytes);
  to += '}';
}

void append_record(std::string& to, const AccessRecord& record) {
  std::visit(
      [&](const auto& each) {
        to += "{\"name\":";
        value::append_json_string(to, each.name);
        to += ",\"description\":";
        value::append_json_string(to, each.description);
        append_fields(to, each);
        to += '}';
      },
      record);
}

template <AccessKind kind>
void list(Call& call) {
  const auto records = call.site.database.list_access(kind);
  if (!records) return call.refuse(records.error());
  std::string& body = call.reply.body;
  call.reply.begin_data();
  ((body += "{\"") += acl::kind_name(kind)) += "s\":[";
  for (std::size_t i = 0; i < records->size(); ++i) {
    if (i > 0) body += ',';
    append_record(body, (*records)[i]);
  }
  body += "]}";
  call.reply.end_data();
}

template <AccessKind kind>
void get(Call& call) {
  const auto records = call.site.database.list_access(kind);
  if (!records) return call.refuse(records.error());
  for (const AccessRecord& record : *records) {
    if (acl::name_of(record) != call.key) continue;
    call.reply.begin_data();
    append_record(call.reply.body, record);
    return call.reply.end_data();
  }
  call.refuse(Error(Errc::not_found, "there is no such " + std::string(acl::kind_name(kind))));
}

// ---------------------------------------------------------------------------------------------------------------------
// Bodies. Each reads the field that was come to.

template <class Value, class Got>
Read take(std::expected<Got, Problem> got, Value& to) {
  if (!got) return std::unexpected(std::move(got.error()));
  to = std::move(*got);
  return {};
}

Read read_grant(BodyText& text, Place place, Grant& grant) {
  ObjectReader reader(text, schemas::grant, place);
  while (const Field* const field = reader.next()) {
    auto read = field->name == "permissions" ? read_permissions(text, *field, grant.permissions)
                                             : read_texts(text, *field, grant.prefixes);
    if (!read) return read;
  }
  return {};
}

Read read_field(BodyText& text, ObjectReader& reader, const Field& field, Role& role) {
  if (field.name == "description") return take(read_string(reader.value(), field.name, {}), role.description);
  ArrayReader items(text, *field.schema, field.name);
  while (items.next()) {
    if (auto read = read_grant(text, items.item(), role.grants.emplace_back()); !read) return read;
  }
  return {};
}

Read read_field(BodyText& text, ObjectReader& reader, const Field& field, User& user) {
  if (field.name == "roles") return read_texts(text, field, user.roles);
  if (field.name == "disabled") return take(read_bool(reader.value(), field.name, {}), user.disabled);
  if (field.name == "tenant") return take(read_access_name(reader.value(), field.name), user.tenant);
  return take(read_string(reader.value(), field.name, {}), user.description);
}

Read read_quotas(BodyText& text, const Field& field, Quotas& quotas) {
  ObjectReader reader(text, *field.schema, {.name = field.name});
  while (const Field* const quota = reader.next()) {
    std::uint64_t& number = quota->name == "max_keys"               ? quotas.max_keys
                            : quota->name == "max_bytes"            ? quotas.max_bytes
                            : quota->name == "max_operations_per_s" ? quotas.max_operations_per_s
                                                                    : quotas.max_subscribers;
    if (auto read = take(read_unsigned(reader.value(), quota->name, {.name = field.name}), number); !read) return read;
  }
  return {};
}

Read read_field(BodyText& text, ObjectReader& reader, const Field& field, Tenant& tenant) {
  if (field.name == "quotas") return read_quotas(text, field, tenant.quotas);
  if (field.name == "description") return take(read_string(reader.value(), field.name, {}), tenant.description);
  auto read = take(read_string(reader.value(), field.name, {}), tenant.prefix);
  if (read && tenant.prefix.empty()) return std::unexpected(wrong_type(field.name, {}, "at least one character"));
  return read;
}

// ---------------------------------------------------------------------------------------------------------------------

using Done = std::move_only_function<void(Result<void>)>;

/// `start(done)`.
template <class StartChange>
void change(Call& call, const StartChange& start) {
  call.await(
      [&](Completion<command::Outcome> done) {
        start([done = std::move(done)](Result<void> changed) mutable {
          if (!changed) return done(std::unexpected(std::move(changed.error())));
          done(command::Outcome());
        });
      },
      [](Call& answered, const Result<command::Outcome>& outcome) {
        if (!outcome) return answered.refuse(outcome.error());
        answered.reply.set_done(false, {});
      });
}

template <class Kind, const Schema& schema>
void set(Call& call) {
  Kind record{.name = call.key};
  BodyText text(call.request.body);
  ObjectReader reader(text, schema);
  while (const Field* const field = reader.next()) {
    if (auto read = read_field(text, reader, *field, record); !read && !text.problem()) {
      return call.refuse(read.error());
    }
  }
  if (text.problem()) return call.refuse(*text.problem());
  change(call, [&](Done done) {
    call.site.database.set_access(std::move(record), call.access, call.timeout, std::move(done));
  });
}

template <AccessKind kind>
void remove(Call& call) {
  change(call, [&](Done done) {
    call.site.database.remove_access(kind, call.key, call.access, call.timeout, std::move(done));
  });
}

/// What the four routes of a kind differ in.
struct Resource {
  std::string_view tag;
  std::string_view path;                       ///< of all
  std::string_view one_path;                   ///< of one
  std::array<std::string_view, 4> operations;  ///< list, get, set, delete
  std::array<std::string_view, 4> summaries;
  std::string_view set_description;
  const Schema* all;
  const Schema* one;
  const Schema* settings;
};

struct Handlers {
  void (*list)(Call&);
  void (*get)(Call&);
  void (*set)(Call&);
  void (*remove)(Call&);
};

void add(std::vector<Route>& routes, const Resource& resource, const Handlers& handlers) {
  routes.push_back({.method = Method::get,
                    .path = resource.path,
                    .operation = resource.operations[0],
                    .handler = handlers.list,
                    .tag = resource.tag,
                    .summary = resource.summaries[0],
                    .needs = Needs::admin,
                    .is_read = true,
                    .answer = {.kind = AnswerKind::data, .schema = resource.all}});
  routes.push_back({.method = Method::get,
                    .path = resource.one_path,
                    .operation = resource.operations[1],
                    .handler = handlers.get,
                    .tag = resource.tag,
                    .summary = resource.summaries[1],
                    .needs = Needs::admin,
                    .is_read = true,
                    .may_miss = true,
                    .answer = {.kind = AnswerKind::data, .schema = resource.one}});
  routes.push_back({.method = Method::put,
                    .path = resource.one_path,
                    .operation = resource.operations[2],
                    .handler = handlers.set,
                    .tag = resource.tag,
                    .summary = resource.summaries[2],
                    .description = resource.set_description,
                    .needs = Needs::admin,
                    .body = BodyKind::json,
                    .body_schema = resource.settings,
                    .may_conflict = true,
                    .may_wait = true});
  routes.push_back({.method = Method::del,
                    .path = resource.one_path,
                    .operation = resource.operations[3],
                    .handler = handlers.remove,
                    .tag = resource.tag,
                    .summary = resource.summaries[3],
                    .needs = Needs::admin,
                    .may_miss = true,
                    .may_conflict = true,
                    .may_wait = true});
}

}  // namespace

void add_access(std::vector<Route>& routes) {
  add(routes,
      {.tag = "Roles",
       .path = "/api/v1/roles",
       .one_path = "/api/v1/roles/{name}",
       .operations = {"role_list", "role_get", "role_set", "role_delete"},
       .summaries = {"All roles", "A role", "Makes a role, or replaces it", "Deletes a role that no user has"},
       .set_description =
           "It is replaced as a whole. What is taken away is gone at once, for open event streams too; what is "
           "added counts on a node once that has applied it: until then it may answer 403.",
       .all = &schemas::shown_roles,
       .one = &schemas::shown_role,
       .settings = &schemas::role_set},
      {list<AccessKind::role>, get<AccessKind::role>, set<Role, schemas::role_set>, remove<AccessKind::role>});
  add(routes,
      {.tag = "Users",
       .path = "/api/v1/users",
       .one_path = "/api/v1/users/{name}",
       .operations = {"user_list", "user_get", "user_set", "user_delete"},
       .summaries = {"All users", "A user", "Makes a user, or replaces him", "Deletes a user who has no tokens"},
       .set_description =
           "Tokens of his may do what his roles grant together, and what they say themselves. He is replaced "
           "as a whole: without `tenant` he is of none, without `disabled` he is let in again.",
       .all = &schemas::shown_users,
       .one = &schemas::shown_user,
       .settings = &schemas::user_set},
      {list<AccessKind::user>, get<AccessKind::user>, set<User, schemas::user_set>, remove<AccessKind::user>});
  add(routes,
      {.tag = "Tenants",
       .path = "/api/v1/tenants",
       .one_path = "/api/v1/tenants/{name}",
       .operations = {"tenant_list", "tenant_get", "tenant_set", "tenant_delete"},
       .summaries = {"All tenants, with what they use", "A tenant, with what it uses",
                     "Makes a tenant, or replaces its quotas and description",
                     "Deletes a tenant without users and tokens; its keys stay"},
       .set_description =
           "A quota below what is there refuses only what adds to it. Quotas that are not named are no limit "
           "any more.",
       .all = &schemas::shown_tenants,
       .one = &schemas::shown_tenant,
       .settings = &schemas::tenant_set},
      {list<AccessKind::tenant>, get<AccessKind::tenant>, set<Tenant, schemas::tenant_set>,
       remove<AccessKind::tenant>});
}

}  // namespace concord::http::routes
