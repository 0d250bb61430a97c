// concord role|user|tenant set|list|show|delete: whom tokens belong to, and what these may do and use.
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "http/target.hpp"
#include "json_text.hpp"
#include "value/cursor.hpp"

namespace concord::app {
namespace {

/// Of one resource of the API: its rows.
struct Table {
  const char* noun;  ///< and, with an s, the path and the member of the answer
  /// `set` leaves what no flag names as it is: whom a tenant or a lock holds must not get free by a change of something else.
  bool keeps;
  std::vector<std::string> headings;
  std::vector<std::string> (*row)(std::string_view object);
};

/// None, no items, false: not given.
struct Arguments {
  std::string name;
  std::optional<std::string> description;
  std::vector<std::string> grants;  ///< of a role
  std::vector<std::string> roles;   ///< of a user
  bool has_no_roles = false;
  std::optional<std::string> tenant;
  bool has_no_tenant = false;
  bool is_disabled = false;
  bool is_enabled = false;
  std::optional<std::string> prefix;  ///< of a tenant
  std::optional<std::uint64_t> max_keys;
  std::optional<std::uint64_t> max_bytes;
  std::optional<std::uint64_t> max_operations_per_s;
  std::optional<std::uint64_t> max_subscribers;
};

std::string text_of(std::string_view object, std::string_view name) {
  const std::string text = json_to_plain(json_member(object, name).value_or("null"));
  return text.empty() || text == "null" ? "-" : text;
}

/// The items of a list by comma.
std::string joined(std::string_view list) {
  std::string text;
  value::Cursor cursor(list);
  for (cursor.open(); cursor.more();) text += (text.empty() ? "" : ",") + table_cell(cursor.skip());
  return text;
}

std::string grants_of(std::string_view role) {
  std::string text;
  value::Cursor cursor(json_member(role, "grants").value_or("[]"));
  for (cursor.open(); cursor.more();) {
    const std::string_view grant = cursor.skip();
    const std::string prefixes = joined(json_member(grant, "prefixes").value_or("[]"));
    text += (text.empty() ? "" : " ") + joined(json_member(grant, "permissions").value_or("[]"));
    if (!prefixes.empty()) text += ":" + prefixes;
  }
  return text.empty() ? "-" : text;
}

std::vector<std::string> row_of_role(std::string_view role) {
  return {text_of(role, "name"), grants_of(role), text_of(role, "description")};
}

std::vector<std::string> row_of_user(std::string_view user) {
  const std::string roles = joined(json_member(user, "roles").value_or("[]"));
  return {text_of(user, "name"), roles.empty() ? "-" : roles, text_of(user, "tenant"), text_of(user, "disabled"),
          text_of(user, "description")};
}

/// "3 of 10", or "3" without a quota.
std::string used(std::string_view tenant, std::string_view used, std::string_view quota) {
  const std::string has = text_of(json_member(tenant, "usage").value_or("{}"), used);
  const std::string most = text_of(json_member(tenant, "quotas").value_or("{}"), quota);
  return most == "0" ? has : has + " of " + most;
}

std::string quota_of(std::string_view tenant, std::string_view quota) {
  const std::string most = text_of(json_member(tenant, "quotas").value_or("{}"), quota);
  return most == "0" ? "-" : most;
}

std::vector<std::string> row_of_tenant(std::string_view tenant) {
  return {text_of(tenant, "name"),
          table_cell(json_member(tenant, "prefix").value_or("\"\"")),
          used(tenant, "keys", "max_keys"),
          used(tenant, "bytes", "max_bytes"),
          quota_of(tenant, "max_operations_per_s"),
          quota_of(tenant, "max_subscribers"),
          text_of(tenant, "description")};
}

const Table& table_of_roles() {
  static const Table table{
      .noun = "role", .keeps = false, .headings = {"NAME", "GRANTS", "DESCRIPTION"}, .row = row_of_role};
  return table;
}
const Table& table_of_users() {
  static const Table table{.noun = "user",
                           .keeps = true,
                           .headings = {"NAME", "ROLES", "TENANT", "DISABLED", "DESCRIPTION"},
                           .row = row_of_user};
  return table;
}
const Table& table_of_tenants() {
  static const Table table{
      .noun = "tenant",
      .keeps = true,
      .headings = {"NAME", "PREFIX", "KEYS", "BYTES", "OPERATIONS/S", "SUBSCRIBERS", "DESCRIPTION"},
      .row = row_of_tenant};
  return table;
}

// ---------------------------------------------------------------------------------------------------------------------
// Bodies, from the arguments and from what is there, `{}` when nothing is. None: something is not UTF-8.

std::string kept(std::string_view old, std::string_view name, std::string_view otherwise) {
  return std::string(json_member(old, name).value_or(otherwise));
}

std::optional<std::string> json_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    const auto json = json_string(text);
    if (!json) return std::nullopt;
    list += (list.size() > 1 ? "," : "") + *json;
  }
  return list + "]";
}

std::optional<std::string> with_description(std::string body, const Arguments& arguments, std::string_view old) {
  const auto description =
      arguments.description ? json_string(*arguments.description) : kept(old, "description", R"("")");
  if (!description) return std::nullopt;
  return body + R"(,"description":)" + *description + "}";
}

/// `PERMISSIONS[:PREFIX]`; those with the same permissions and a prefix are one grant.
std::optional<std::string> role_body(const Arguments& arguments, std::string_view old) {
  std::vector<std::pair<std::string, std::vector<std::string>>> grants;
  for (const std::string& grant : arguments.grants) {
    const std::size_t colon = grant.find(':');
    const std::string permissions = grant.substr(0, colon);
    const bool has_prefix = colon != std::string::npos;
    const bool goes_on =
        has_prefix && !grants.empty() && grants.back().first == permissions && !grants.back().second.empty();
    if (!goes_on) grants.emplace_back(permissions, std::vector<std::string>());
    if (has_prefix) grants.back().second.push_back(grant.substr(colon + 1));
  }
  std::string body = R"({"grants":[)";
  for (std::size_t at = 0; at < grants.size(); ++at) {
    const auto permissions = json_list(CLI::detail::split(grants[at].first, ','));
    const auto prefixes = json_list(grants[at].second);
    if (!permissions || !prefixes) return std::nullopt;
    body += (at > 0 ? "," : "") + (R"({"permissions":)" + *permissions) + R"(,"prefixes":)" + *prefixes + "}";
  }
  return with_description(body + "]", arguments, old);
}

std::optional<std::string> user_body(const Arguments& arguments, std::string_view old) {
  const bool keeps_roles = arguments.roles.empty() && !arguments.has_no_roles;
  const auto roles = keeps_roles ? kept(old, "roles", "[]") : json_list(arguments.roles);
  const auto tenant = arguments.tenant ? json_string(*arguments.tenant) : kept(old, "tenant", "null");
  if (!roles || !tenant) return std::nullopt;
  std::string body = R"({"roles":)" + *roles;
  if (arguments.is_disabled) {
    body += R"(,"disabled":true)";
  } else if (!arguments.is_enabled) {
    body += R"(,"disabled":)" + kept(old, "disabled", "false");
  }
  if (*tenant != "null" && !arguments.has_no_tenant) body += R"(,"tenant":)" + *tenant;
  return with_description(std::move(body), arguments, old);
}

std::optional<std::string> tenant_body(const Arguments& arguments, std::string_view old) {
  const auto prefix = arguments.prefix ? json_string(*arguments.prefix) : kept(old, "prefix", "null");
  if (!prefix) return std::nullopt;
  const std::string quotas = kept(old, "quotas", "{}");
  const auto quota = [&](const char* name, std::optional<std::uint64_t> wanted) {
    return '"' + std::string(name) + R"(":)" + (wanted ? std::to_string(*wanted) : kept(quotas, name, "0"));
  };
  std::string body = R"({"quotas":{)" + quota("max_keys", arguments.max_keys) + "," +
                     quota("max_bytes", arguments.max_bytes) + "," +
                     quota("max_operations_per_s", arguments.max_operations_per_s) + "," +
                     quota("max_subscribers", arguments.max_subscribers) + "}";
  if (*prefix != "null") body += R"(,"prefix":)" + *prefix;
  return with_description(std::move(body), arguments, old);
}

// ---------------------------------------------------------------------------------------------------------------------
// Calls.

std::string path_of(const Table& table, const std::string& name = {}) {
  const std::string all = std::string("/api/v1/") + table.noun + "s";
  return name.empty() ? all : all + "/" + http::percent_encode(name);
}

using Body = std::optional<std::string> (*)(const Arguments&, std::string_view old);

/// As the API shows it, `{}` when it is not there. None after a problem was reported.
std::optional<std::string> known(Context& context, const Table& table, const std::string& name) {
  const auto answer = context.client().call({.method = "GET", .target = api_target(context, path_of(table, name))});
  if (!answer) {
    context.exit_code = report_problem(answer.error().code, answer.error().message);
    return std::nullopt;
  }
  if (answer->status == 404) return "{}";
  if (answer->status != 200) {
    context.exit_code = report_problem(*answer);
    return std::nullopt;
  }
  const auto compact = compact_answer(context, answer->body);
  if (!compact) return std::nullopt;
  if (const auto data = json_member(*compact, "data")) return std::string(*data);
  context.exit_code = report_problem(ExitCode::failed, "the answer is not one of a Concord node");
  return std::nullopt;
}

void set(Context& context, const Table& table, const Arguments& arguments, Body make_body) {
  const auto old = table.keeps ? known(context, table, arguments.name) : "{}";
  if (!old) return;
  const auto body = make_body(arguments, *old);
  if (!body) {
    context.exit_code = report_problem(ExitCode::usage, "a prefix, a name or the description is not UTF-8");
    return;
  }
  const auto answer = call(context, {.method = "PUT",
                                     .target = api_target(context, path_of(table, arguments.name)),
                                     .body = *body,
                                     .content_type = "application/json"});
  if (answer) print_done(context, *answer);
}

void list(Context& context, const Table& table) {
  const auto data = call_for_data(context, {.method = "GET", .target = api_target(context, path_of(table))});
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
    return;
  }
  RowPrinter printer(context.output_form(), table.headings);
  value::Cursor cursor(json_member(*data, std::string(table.noun) + "s").value_or("[]"));
  for (cursor.open(); cursor.more();) printer.add(table.row(cursor.skip()));
}

void show(Context& context, const Table& table, const std::string& name) {
  const auto data = call_for_data(context, {.method = "GET", .target = api_target(context, path_of(table, name))});
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
    return;
  }
  RowPrinter(context.output_form(), table.headings).add(table.row(*data));
}

void remove(Context& context, const Table& table, const std::string& name) {
  const auto answer = call(context, {.method = "DELETE", .target = api_target(context, path_of(table, name))});
  if (answer) print_done(context, *answer);
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands.

/// The subcommands of a kind; gives `set`, which has options of its own.
CLI::App& add_kind(CLI::App& kind, Context& context, const Table& table, const std::shared_ptr<Arguments>& arguments,
                   Body body) {
  kind.require_subcommand(1);
  const std::string noun = table.noun;
  CLI::App& setting = *kind.add_subcommand(
      "set", "Make a " + noun + (table.keeps ? ", or change what is given of one" : ", or replace it"));
  setting.add_option("name", arguments->name, "Its name: a-z, 0-9, '.', '_', '-'")->required();
  setting.add_option("--description", arguments->description, "What it is for");
  setting.callback([&context, &table, arguments, body] { set(context, table, *arguments, body); });
  kind.add_subcommand("list", "Print all " + noun + "s")->callback([&context, &table] { list(context, table); });
  CLI::App& showing = *kind.add_subcommand("show", "Print one " + noun);
  showing.add_option("name", arguments->name, "Its name")->required();
  showing.callback([&context, &table, arguments] { show(context, table, arguments->name); });
  CLI::App& deleting = *kind.add_subcommand("delete", "Delete a " + noun + " that nothing refers to");
  deleting.add_option("name", arguments->name, "Its name")->required();
  deleting.callback([&context, &table, arguments] { remove(context, table, arguments->name); });
  return setting;
}

}  // namespace

void add_role(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& role = *app.add_subcommand("role", "What users may do: grants on prefixes of keys");
  CLI::App& setting = add_kind(role, context, table_of_roles(), arguments, role_body);
  setting.add_option(
      "--grant", arguments->grants,
      "PERMISSIONS or PERMISSIONS:PREFIX, permissions of read, write and admin by comma; may be repeated");
}

void add_user(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& user = *app.add_subcommand("user", "Whom tokens belong to");
  CLI::App& setting = add_kind(user, context, table_of_users(), arguments, user_body);
  CLI::Option* const roles =
      setting.add_option("--role", arguments->roles, "A role of his, instead of those he has; may be repeated");
  setting.add_flag("--no-roles", arguments->has_no_roles, "He has no role any more")->excludes(roles);
  CLI::Option* const tenant = setting.add_option("--tenant", arguments->tenant, "He reaches only keys of this tenant");
  setting.add_flag("--no-tenant", arguments->has_no_tenant, "He is of no tenant any more")->excludes(tenant);
  CLI::Option* const disabled = setting.add_flag("--disabled", arguments->is_disabled, "No token of his is valid");
  setting.add_flag("--enabled", arguments->is_enabled, "They are valid again")->excludes(disabled);
}

void add_tenant(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& tenant = *app.add_subcommand("tenant", "Parts of the keys, with quotas");
  CLI::App& setting = add_kind(tenant, context, table_of_tenants(), arguments, tenant_body);
  setting.add_option("--prefix", arguments->prefix, "Its keys begin so; its name and a slash without; never changes");
  setting.add_option("--max-keys", arguments->max_keys, "0: no limit, so for the next three");
  setting.add_option("--max-bytes", arguments->max_bytes, "Of keys and values as they are stored");
  setting.add_option("--max-operations", arguments->max_operations_per_s, "Calls of its tokens a second, on each node");
  setting.add_option("--max-subscribers", arguments->max_subscribers, "Subscriptions of its tokens, on each node");
}

}  // namespace concord::app
