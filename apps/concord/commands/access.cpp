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
  std::vector<std::string> headings;
  std::vector<std::string> (*row)(std::string_view object);
};

struct Arguments {
  std::string name;
  std::string description;
  std::vector<std::string> grants;  ///< of a role
  std::vector<std::string> roles;   ///< of a user
  std::string tenant;
  bool is_disabled = false;
  std::string prefix;  ///< of a tenant
  std::uint64_t max_keys = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_operations_per_s = 0;
  std::uint64_t max_subscribers = 0;
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
  static const Table table{.noun = "role", .headings = {"NAME", "GRANTS", "DESCRIPTION"}, .row = row_of_role};
  return table;
}
const Table& table_of_users() {
  static const Table table{
      .noun = "user", .headings = {"NAME", "ROLES", "TENANT", "DISABLED", "DESCRIPTION"}, .row = row_of_user};
  return table;
}
const Table& table_of_tenants() {
  static const Table table{
      .noun = "tenant",
      .headings = {"NAME", "PREFIX", "KEYS", "BYTES", "OPERATIONS/S", "SUBSCRIBERS", "DESCRIPTION"},
      .row = row_of_tenant};
  return table;
}

// ---------------------------------------------------------------------------------------------------------------------
// Bodies. None: something is not UTF-8.

std::optional<std::string> json_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    const auto json = json_string(text);
    if (!json) return std::nullopt;
    list += (list.size() > 1 ? "," : "") + *json;
  }
  return list + "]";
}

std::optional<std::string> with_description(std::string body, const Arguments& arguments) {
  const auto description = json_string(arguments.description);
  if (!description) return std::nullopt;
  if (!arguments.description.empty()) body += R"(,"description":)" + *description;
  return body + "}";
}

/// `PERMISSIONS[:PREFIX]`; those with the same permissions and a prefix are one grant.
std::optional<std::string> role_body(const Arguments& arguments) {
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
  return with_description(body + "]", arguments);
}

std::optional<std::string> user_body(const Arguments& arguments) {
  const auto roles = json_list(arguments.roles);
  const auto tenant = json_string(arguments.tenant);
  if (!roles || !tenant) return std::nullopt;
  std::string body = R"({"roles":)" + *roles + R"(,"disabled":)" + (arguments.is_disabled ? "true" : "false");
  if (!arguments.tenant.empty()) body += R"(,"tenant":)" + *tenant;
  return with_description(std::move(body), arguments);
}

std::optional<std::string> tenant_body(const Arguments& arguments) {
  const auto prefix = json_string(arguments.prefix);
  if (!prefix) return std::nullopt;
  std::string body = R"({"quotas":{"max_keys":)" + std::to_string(arguments.max_keys) + R"(,"max_bytes":)" +
                     std::to_string(arguments.max_bytes) + R"(,"max_operations_per_s":)" +
                     std::to_string(arguments.max_operations_per_s) + R"(,"max_subscribers":)" +
                     std::to_string(arguments.max_subscribers) + "}";
  if (!arguments.prefix.empty()) body += R"(,"prefix":)" + *prefix;
  return with_description(std::move(body), arguments);
}

// ---------------------------------------------------------------------------------------------------------------------
// Calls.

std::string path_of(const Table& table, const std::string& name = {}) {
  const std::string all = std::string("/api/v1/") + table.noun + "s";
  return name.empty() ? all : all + "/" + http::percent_encode(name);
}

void set(Context& context, const Table& table, const Arguments& arguments, const std::optional<std::string>& body) {
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

using Body = std::optional<std::string> (*)(const Arguments&);

/// The subcommands of a kind; gives `set`, which has options of its own.
CLI::App& add_kind(CLI::App& kind, Context& context, const Table& table, const std::shared_ptr<Arguments>& arguments,
                   Body body) {
  kind.require_subcommand(1);
  const std::string noun = table.noun;
  CLI::App& setting = *kind.add_subcommand("set", "Make a " + noun + ", or replace it");
  setting.add_option("name", arguments->name, "Its name: a-z, 0-9, '.', '_', '-'")->required();
  setting.add_option("--description", arguments->description, "What it is for");
  setting.callback([&context, &table, arguments, body] { set(context, table, *arguments, body(*arguments)); });
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
  setting.add_option("--role", arguments->roles, "A role of his; may be repeated");
  setting.add_option("--tenant", arguments->tenant, "He reaches only keys of this tenant");
  setting.add_flag("--disabled", arguments->is_disabled, "No token of his is valid");
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
