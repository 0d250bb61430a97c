// concord query keys|where|count|delete
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "commands/selection.hpp"
#include "json_text.hpp"

namespace concord::app {
namespace {

/// A row is a key (a string, or an object with `key_b64`), or a key with its value.
void show_row(const Context& context, RowPrinter& printer, std::string_view row) {
  if (context.output_form() == OutputForm::json) {
    std::cout << row << '\n';
    return;
  }
  std::vector<std::string> columns = {row.starts_with('{') ? shown_key(row) : json_to_plain(row)};
  if (const auto value = json_member(row, "value")) {
    columns.push_back(context.output_form() == OutputForm::table ? table_cell(*value) : json_to_plain(*value));
  }
  printer.add(std::move(columns));
}

ClientRequest query_request(const Context& context, std::string path, std::string body, bool is_read) {
  ClientRequest request{.method = "POST",
                        .target = api_target(context, std::move(path), is_read ? consistency_of(context) : "")};
  request.content_type = "application/json";
  request.body = std::move(body);
  return request;
}

void select(Context& context, const Selection& selection, const std::string& what) {
  const auto members = query_members(context, selection);
  if (!members) return;
  const auto fetch = [&](const std::string& cursor, std::uint64_t limit) {
    std::string body = "{" + *members + R"("select":")" + what + R"(","limit":)" + std::to_string(limit);
    if (selection.offset > 0 && cursor.empty()) body += R"(,"offset":)" + std::to_string(selection.offset);
    if (!cursor.empty()) body += R"(,"cursor":")" + cursor + '"';
    return call_for_data(context, query_request(context, "/api/v1/query", body + "}", true));
  };
  const auto rows = [&](std::string_view page) { return json_member(page, what).value_or("[]"); };
  RowPrinter printer(context.output_form(),
                     what == "keys" ? std::vector<std::string>{"KEY"} : std::vector<std::string>{"KEY", "VALUE"});
  walk_pages({fetch, rows, [&](std::string_view row) { show_row(context, printer, row); }}, selection.limit);
}

void print_number(Context& context, const std::optional<std::string>& data, std::string_view name) {
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
  } else {
    std::cout << json_member(*data, name).value_or("0") << '\n';
  }
}

std::string with_limit(std::string members, const Selection& selection) {
  if (selection.limit) return "{" + members + R"("limit":)" + std::to_string(*selection.limit) + "}";
  if (members.ends_with(',')) members.pop_back();
  return "{" + members + "}";
}

void count(Context& context, const Selection& selection) {
  const auto members = query_members(context, selection);
  if (!members) return;
  const std::string body = with_limit(R"("select":"count",)" + *members, selection);
  print_number(context, call_for_data(context, query_request(context, "/api/v1/query", body, true)), "count");
}

void remove(Context& context, const Selection& selection) {
  const auto members = query_members(context, selection);
  if (!members) return;
  const std::string body = with_limit(*members, selection);
  print_number(context, call_for_data(context, query_request(context, "/api/v1/query/delete", body, false)), "deleted");
}

template <class Run>
void add(CLI::App& query, const char* name, const char* what, bool takes_offset, Run run) {
  CLI::App& command = *query.add_subcommand(name, what);
  const auto selection = std::make_shared<Selection>();
  add_selection(command, *selection, true);
  if (takes_offset) command.add_option("--offset", selection->offset, "Skip so many");
  command.callback([selection, run] { run(*selection); });
}

}  // namespace

void add_query(CLI::App& app, Context& context) {
  CLI::App& query = *app.add_subcommand("query", "Find, count or delete keys by prefix, pattern, range and value");
  query.require_subcommand(1);
  add(query, "keys", "Print the keys that match", true,
      [&context](const Selection& selection) { select(context, selection, "keys"); });
  add(query, "where", "Print the keys that match, with their values", true,
      [&context](const Selection& selection) { select(context, selection, "pairs"); });
  add(query, "count", "Print how many match", false,
      [&context](const Selection& selection) { count(context, selection); });
  add(query, "delete", "Delete what matches, in one transaction, and print how many", false,
      [&context](const Selection& selection) { remove(context, selection); });
}

}  // namespace concord::app
