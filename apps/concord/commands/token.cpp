// concord token create|list|revoke, and cluster token create|revoke: who may do what.
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

constexpr std::string_view tokens_path = "/api/v1/tokens";
constexpr std::string_view secret_prefix = "sk_concord_";

struct Arguments {
  std::string permissions = "read,write";
  std::vector<std::string> prefixes;
  std::uint64_t expires_in_s = 0;
  std::string description;
  std::string user;
  std::string tenant;
  std::string which;  ///< to revoke
};

/// `["a","b"]`; none: one is not UTF-8.
std::optional<std::string> json_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    const auto json = json_string(text);
    if (!json) return std::nullopt;
    list += (list.size() > 1 ? "," : "") + *json;
  }
  return list + "]";
}

std::optional<std::string> body_of(const Arguments& arguments) {
  const auto permissions = json_list(CLI::detail::split(arguments.permissions, ','));
  const auto prefixes = json_list(arguments.prefixes);
  const auto description = json_string(arguments.description);
  const auto user = json_string(arguments.user);
  const auto tenant = json_string(arguments.tenant);
  if (!permissions || !prefixes || !description || !user || !tenant) return std::nullopt;
  std::string body = R"({"permissions":)" + *permissions;
  if (!arguments.prefixes.empty()) body += R"(,"prefixes":)" + *prefixes;
  if (!arguments.description.empty()) body += R"(,"description":)" + *description;
  if (!arguments.user.empty()) body += R"(,"user":)" + *user;
  if (!arguments.tenant.empty()) body += R"(,"tenant":)" + *tenant;
  if (arguments.expires_in_s != 0) body += R"(,"expires_in":)" + std::to_string(arguments.expires_in_s);
  return body + "}";
}

std::string text_of(std::string_view object, std::string_view name) {
  const std::string text = json_to_plain(json_member(object, name).value_or("null"));
  return text.empty() || text == "null" ? "-" : text;
}

/// The items of a list by comma.
std::string joined(std::string_view object, std::string_view name) {
  std::string text;
  value::Cursor cursor(json_member(object, name).value_or("[]"));
  for (cursor.open(); cursor.more();) text += (text.empty() ? "" : ",") + table_cell(cursor.skip());
  return text.empty() ? "-" : text;
}

/// In a pipe only the secret, so that `TOKEN=$(concord token create)` has it.
void print_created(const Context& context, const std::string& token) {
  switch (context.output_form()) {
    case OutputForm::json: std::cout << token << '\n'; return;
    case OutputForm::plain: std::cout << text_of(token, "token") << '\n'; return;
    case OutputForm::table: break;
  }
  std::cout << "Created token: " << text_of(token, "token") << "\nid: " << text_of(token, "id") << '\n';
  std::cerr << "It is not shown again.\n";
}

void create(Context& context, const Arguments& arguments) {
  auto body = body_of(arguments);
  if (!body) {
    context.exit_code = report_problem(ExitCode::usage, "a prefix, a name or the description is not UTF-8");
    return;
  }
  const auto token = call_for_data(context, {.method = "POST",
                                             .target = api_target(context, std::string(tokens_path)),
                                             .body = std::move(*body),
                                             .content_type = "application/json"});
  if (token) print_created(context, *token);
}

void list(Context& context) {
  const auto data = call_for_data(context, {.method = "GET", .target = api_target(context, std::string(tokens_path))});
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
    return;
  }
  RowPrinter printer(context.output_form(),
                     {"ID", "PERMISSIONS", "PREFIXES", "EXPIRES IN", "LAST USED", "DESCRIPTION", "USER", "TENANT"});
  value::Cursor cursor(json_member(*data, "tokens").value_or("[]"));
  for (cursor.open(); cursor.more();) {
    const std::string_view token = cursor.skip();
    printer.add({text_of(token, "id"), joined(token, "permissions"), joined(token, "prefixes"),
                 text_of(token, "expires_in"), text_of(token, "last_used_at"),
                 table_cell(json_member(token, "description").value_or("\"\"")), text_of(token, "user"),
                 text_of(token, "tenant")});
  }
}

/// A secret goes in the body, never in a URL.
void revoke(Context& context, const Arguments& arguments) {
  std::string which = input_of(arguments.which);
  while (which.ends_with('\n') || which.ends_with('\r')) which.pop_back();
  ClientRequest request{.method = "DELETE",
                        .target = api_target(context, std::string(tokens_path) + "/" + http::percent_encode(which))};
  if (which.starts_with(secret_prefix)) {
    const auto secret = json_string(which);
    request = {.method = "POST",
               .target = api_target(context, std::string(tokens_path) + "/revoke"),
               .body = R"({"token":)" + secret.value_or("\"\"") + "}",
               .content_type = "application/json"};
  }
  if (const auto answer = call(context, request)) print_done(context, *answer);
}

void add_create(CLI::App& token, Context& context, const std::shared_ptr<Arguments>& arguments) {
  CLI::App& creating = *token.add_subcommand("create", "Make a token and print its secret, this once");
  creating.add_option("--permissions", arguments->permissions, "Of read, write and admin, by comma")
      ->capture_default_str();
  creating.add_option("--prefix", arguments->prefixes,
                      "Keys it may touch begin with it; may be repeated; all keys without");
  creating.add_option("--expires-in", arguments->expires_in_s, "Seconds after which it is not valid any more")
      ->check(CLI::PositiveNumber);
  creating.add_option("--user", arguments->user, "Whose it is: it may do no more than he may");
  creating.add_option("--tenant", arguments->tenant, "The tenant it is of, when it has no user");
  creating.add_option("--description", arguments->description, "What it is for");
  creating.callback([&context, arguments] { create(context, *arguments); });
}

void add_revoke(CLI::App& token, Context& context, const std::shared_ptr<Arguments>& arguments) {
  CLI::App& revoking = *token.add_subcommand("revoke", "Revoke a token, on all nodes at once");
  revoking.add_option("token", arguments->which, "Its id, or its secret; -: from standard input")->required();
  revoking.callback([&context, arguments] { revoke(context, *arguments); });
}

}  // namespace

void add_token(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& token = *app.add_subcommand("token", "Make, list and revoke the tokens of the API");
  token.require_subcommand(1);
  add_create(token, context, arguments);
  token.add_subcommand("list", "Print all tokens, without their secrets")->callback([&context] { list(context); });
  add_revoke(token, context, arguments);
}

void add_cluster_token(CLI::App& cluster, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& token = *cluster.add_subcommand("token", "The same as concord token");
  token.require_subcommand(1);
  add_create(token, context, arguments);
  add_revoke(token, context, arguments);
}

}  // namespace concord::app
