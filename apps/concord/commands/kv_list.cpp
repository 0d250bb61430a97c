// concord kv list: the keys in order, page after page.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "commands/selection.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

struct ListArguments {
  Selection selection;
  bool keys_only = false;
  bool with_ttl = false;
};

/// A key that is not text is shown as its base64, marked.
std::string shown_key(std::string_view row) {
  if (const auto key = json_member(row, "key")) return json_to_plain(*key);
  return "base64:" + json_to_plain(json_member(row, "key_b64").value_or(R"("")"));
}

void show_row(const Context& context, const ListArguments& arguments, std::string_view row) {
  if (context.output_form() == OutputForm::json) {
    std::cout << row << '\n';
    return;
  }
  std::cout << shown_key(row);
  if (!arguments.keys_only) std::cout << '\t' << json_to_plain(json_member(row, "value").value_or("null"));
  if (arguments.with_ttl) std::cout << '\t' << json_member(row, "ttl").value_or("null");
  std::cout << '\n';
}

void list(Context& context, const ListArguments& arguments) {
  std::string query = listing_parameters(arguments.selection);
  if (arguments.keys_only) add_parameters(query, "keys_only=true");
  if (arguments.with_ttl) add_parameters(query, "with_ttl=true");
  add_parameters(query, consistency_of(context));
  const auto fetch = [&](const std::string& cursor, std::uint64_t limit) -> std::optional<std::string> {
    std::string page = query;
    add_parameters(page, "limit=" + std::to_string(limit));
    if (!cursor.empty()) add_parameters(page, "cursor=" + cursor);
    const auto body = call(context, {.method = "GET", .target = api_target(context, "/api/v1/kv", page)});
    if (!body) return std::nullopt;
    return compact_answer(context, *body);
  };
  const auto rows = [](std::string_view page) { return json_member(page, "data").value_or("[]"); };
  walk_pages({fetch, rows, [&](std::string_view row) { show_row(context, arguments, row); }},
             arguments.selection.limit);
}

}  // namespace

void add_kv_list(CLI::App& kv, Context& context) {
  CLI::App& command = *kv.add_subcommand("list", "List keys in order, with their values; all of them without --limit");
  const auto arguments = std::make_shared<ListArguments>();
  add_selection(command, arguments->selection, false);
  command.add_option("--offset", arguments->selection.offset, "Skip so many");
  command.add_flag("--keys-only", arguments->keys_only, "List the keys alone");
  command.add_flag("--with-ttl", arguments->with_ttl, "List the remaining seconds too");
  command.callback([&context, arguments] { list(context, *arguments); });
}

}  // namespace concord::app
