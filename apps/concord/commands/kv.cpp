// concord kv put|get|delete|touch|ttl|cas: one key.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "commands/commands.hpp"
#include "json_text.hpp"

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

void put(Context& context, const PutArguments& arguments) {
  const std::string input = input_of(arguments.value);
  ClientRequest request{.method = "PUT", .target = key_target(context, arguments.key)};
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
void print_entry(Context& context, const std::string& key, const std::string& body) {
  const auto compact = compact_answer(context, body);
  const auto data = compact ? json_member(*compact, "data") : std::nullopt;
  if (!data) return;
  const std::string_view value = json_member(*data, "value").value_or("null");
  switch (context.output_form()) {
    case OutputForm::json: std::cout << *data << '\n'; break;
    case OutputForm::plain: std::cout << json_to_plain(value) << '\n'; break;
    case OutputForm::table:
      RowPrinter(OutputForm::table, {"KEY", "VALUE", "REVISION", "TTL"})
          .add({key, table_cell(value), std::string(json_member(*data, "revision").value_or("")),
                std::string(json_member(*data, "ttl").value_or("null"))});
      break;
  }
}

void get(Context& context, const GetArguments& arguments) {
  std::string query = arguments.raw ? "" : "with_ttl=true&meta=true";
  add_parameters(query, consistency_of(context));
  ClientRequest request{.method = "GET", .target = key_target(context, arguments.key, query)};
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
  const auto body = call(context, {.method = "DELETE", .target = key_target(context, key)});
  if (body) print_done(context, *body);
}

void touch(Context& context, const std::string& key, std::int64_t ttl_s) {
  ClientRequest request{.method = "POST", .target = key_target(context, key, "", "/touch")};
  request.content_type = "application/json";
  request.body = R"({"ttl":)" + std::to_string(ttl_s) + "}";
  if (const auto body = call(context, request)) print_done(context, *body);
}

void ttl(Context& context, const std::string& key) {
  const auto data =
      call_for_data(context, {.method = "GET", .target = key_target(context, key, consistency_of(context), "/ttl")});
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
  } else {
    std::cout << json_member(*data, "ttl").value_or("null") << '\n';
  }
}

struct CasArguments {
  std::string key;
  std::string expected;
  std::string value;
  std::optional<std::int64_t> ttl_s;
};

void compare_and_set(Context& context, const CasArguments& arguments) {
  const auto expected = json_of(arguments.expected);
  const auto value = json_of(input_of(arguments.value));
  if (!expected || !value) {
    context.exit_code = report_problem(ExitCode::usage, "the value is not UTF-8");
    return;
  }
  ClientRequest request{.method = "PUT", .target = key_target(context, arguments.key)};
  request.content_type = "application/json";
  request.body = R"({"value":)" + *value + R"(,"expected":)" + *expected;
  if (arguments.ttl_s) request.body += R"(,"ttl":)" + std::to_string(*arguments.ttl_s);
  request.body += '}';
  if (const auto body = call(context, request)) print_done(context, *body);
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

void add_touch(CLI::App& kv, Context& context) {
  CLI::App& command = *kv.add_subcommand("touch", "Set the seconds until a key expires; its value stays");
  const auto key = std::make_shared<std::string>();
  const auto ttl_s = std::make_shared<std::int64_t>(0);
  command.add_option("key", *key, "The key")->required();
  command.add_option("ttl", *ttl_s, "Seconds until the key expires")->required();
  command.callback([&context, key, ttl_s] { touch(context, *key, *ttl_s); });
}

void add_ttl(CLI::App& kv, Context& context) {
  CLI::App& command = *kv.add_subcommand("ttl", "Print the seconds until a key expires; null: it does not");
  const auto key = std::make_shared<std::string>();
  command.add_option("key", *key, "The key")->required();
  command.callback([&context, key] { ttl(context, *key); });
}

void add_cas(CLI::App& kv, Context& context) {
  CLI::App& command = *kv.add_subcommand("cas", "Store a value if the key has the expected one");
  const auto arguments = std::make_shared<CasArguments>();
  command.add_option("key", arguments->key, "The key")->required();
  command.add_option("expected", arguments->expected, "The value it must have: JSON when it is JSON, else a string")
      ->required();
  command.add_option("value", arguments->value, "The new value; - reads it from standard input")->required();
  command.add_option("--ttl", arguments->ttl_s, "Seconds until the key expires");
  command.callback([&context, arguments] { compare_and_set(context, *arguments); });
}

}  // namespace

void add_kv(CLI::App& app, Context& context) {
  CLI::App& kv = *app.add_subcommand("kv", "Read and write keys");
  kv.require_subcommand(1);  // exactly one: so a key may be called like a subcommand
  add_put(kv, context);
  add_get(kv, context);
  add_delete(kv, context);
  add_touch(kv, context);
  add_ttl(kv, context);
  add_cas(kv, context);
  add_kv_list(kv, context);
  add_kv_transfer(kv, context);
}

}  // namespace concord::app
