// concord kv put|get|delete
#include <iostream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>

#include <concord/value.hpp>

#include "commands/commands.hpp"
#include "http/target.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

struct PutArguments {
  std::string key;
  std::string value;
  std::optional<std::int64_t> ttl_s;
  bool raw = false;
};

struct GetArguments {
  std::string key;
  bool raw = false;
};

std::string target_of(const Context& context, const std::string& key, std::string query = {}) {
  query += (query.empty() ? "timeout_ms=" : "&timeout_ms=") + std::to_string(context.timeout_value().count());
  return "/api/v1/kv/" + http::percent_encode(key) + "?" + query;
}

/// Calls the node. None after the problem was reported.
std::optional<std::string> call(Context& context, const ClientRequest& request) {
  auto answer = context.client().call(request);
  if (!answer) {
    context.exit_code = report_problem(answer.error().code, answer.error().message);
    return std::nullopt;
  }
  if (answer->status < 200 || answer->status > 299) {
    context.exit_code = report_problem(answer->status, answer->body);
    return std::nullopt;
  }
  return std::move(answer->body);
}

void print_done(const Context& context, const std::string& body) {
  if (context.output_form() == OutputForm::json) {
    std::cout << body << '\n';
    return;
  }
  const auto revision = json_member(body, "revision");
  std::cout << "ok";
  if (revision) std::cout << " revision=" << *revision;
  std::cout << '\n';
}

std::string input_of(const std::string& value) {
  if (value != "-") return value;
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

/// A value that is JSON is stored as that, any other text as a string.
std::optional<std::string> json_of(const std::string& text) {
  if (auto json = value::compact_json(text)) return std::move(*json);
  const Value as_string(text);
  if (!as_string.valid()) return std::nullopt;
  return std::string(as_string.json_text());
}

void put(Context& context, const PutArguments& arguments) {
  const std::string input = input_of(arguments.value);
  ClientRequest request{.method = "PUT", .target = target_of(context, arguments.key)};
  if (arguments.raw) {
    request.content_type = "application/octet-stream";
    request.body = input;
    if (arguments.ttl_s) request.target += "&ttl=" + std::to_string(*arguments.ttl_s);
  } else {
    const auto json = json_of(input);
    if (!json) {
      context.exit_code = report_problem(ExitCode::usage, "the value is not UTF-8; --raw stores bytes");
      return;
    }
    request.content_type = "application/json";
    request.body = R"({"value":)" + *json;
    if (arguments.ttl_s) request.body += R"(,"ttl":)" + std::to_string(*arguments.ttl_s);
    request.body += '}';
  }
  if (const auto body = call(context, request)) print_done(context, *body);
}

/// What `get` shows of a value: strings without quotes, other JSON as text, bytes as base64.
void print_entry(const Context& context, const std::string& key, const std::string& body) {
  const auto compact = value::compact_json(body);
  const auto data = compact ? json_member(*compact, "data") : std::nullopt;
  if (!data) return;
  const std::string shown = json_to_plain(json_member(*data, "value").value_or("null"));
  switch (context.output_form()) {
    case OutputForm::json: std::cout << *data << '\n'; break;
    case OutputForm::plain: std::cout << shown << '\n'; break;
    case OutputForm::table:
      std::cout << table_text({{"KEY", key},
                               {"VALUE", shown},
                               {"REVISION", json_to_plain(json_member(*data, "revision").value_or(""))},
                               {"TTL", json_to_plain(json_member(*data, "ttl").value_or(""))}});
      break;
  }
}

void get(Context& context, const GetArguments& arguments) {
  std::string query = arguments.raw ? "" : "with_ttl=true&meta=true";
  if (!context.consistency.empty()) query += (query.empty() ? "consistency=" : "&consistency=") + context.consistency;
  ClientRequest request{.method = "GET", .target = target_of(context, arguments.key, query)};
  if (arguments.raw) request.accept = "application/octet-stream";
  const auto body = call(context, request);
  if (!body) return;
  if (arguments.raw) {
    std::cout << *body;
  } else {
    print_entry(context, arguments.key, *body);
  }
}

void remove(Context& context, const std::string& key) {
  const auto body = call(context, {.method = "DELETE", .target = target_of(context, key)});
  if (body) print_done(context, *body);
}

void add_put(CLI::App& kv, Context& context) {
  CLI::App& command = *kv.add_subcommand("put", "Store a value: JSON when it is JSON, else a string");
  const auto arguments = std::make_shared<PutArguments>();
  command.add_option("key", arguments->key, "The key")->required();
  command.add_option("value", arguments->value, "The value; - reads it from standard input")->required();
  command.add_option("--ttl", arguments->ttl_s, "Seconds until the key expires");
  command.add_flag("--raw", arguments->raw, "Store the bytes as they are");
  command.callback([&context, arguments] { put(context, *arguments); });
}

void add_get(CLI::App& kv, Context& context) {
  CLI::App& command = *kv.add_subcommand("get", "Print the value of a key");
  const auto arguments = std::make_shared<GetArguments>();
  command.add_option("key", arguments->key, "The key")->required();
  command.add_flag("--raw", arguments->raw, "Print the bytes, or the JSON text, and nothing else");
  command.callback([&context, arguments] { get(context, *arguments); });
}

void add_delete(CLI::App& kv, Context& context) {
  CLI::App& command = *kv.add_subcommand("delete", "Remove a key");
  const auto key = std::make_shared<std::string>();
  command.add_option("key", *key, "The key")->required();
  command.callback([&context, key] { remove(context, *key); });
}

}  // namespace

void add_kv(CLI::App& app, Context& context) {
  CLI::App& kv = *app.add_subcommand("kv", "Read and write keys");
  kv.require_subcommand(1);  // exactly one: so a key may be called like a subcommand
  add_put(kv, context);
  add_get(kv, context);
  add_delete(kv, context);
}

}  // namespace concord::app
