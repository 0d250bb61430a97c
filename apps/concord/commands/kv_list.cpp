// concord kv list: the keys in order, page after page.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "commands/selection.hpp"
#include "json_text.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

struct ListArguments {
  Selection selection;
  bool keys_only = false;
  bool with_ttl = false;
};

std::vector<std::string> headings_of(const ListArguments& arguments) {
  std::vector<std::string> headings = {"KEY"};
  if (!arguments.keys_only) headings.emplace_back("VALUE");
  if (arguments.with_ttl) headings.emplace_back("TTL");
  return headings;
}

void show_row(const Context& context, const ListArguments& arguments, RowPrinter& printer, std::string_view row) {
  if (context.output_form() == OutputForm::json) {
    std::cout << row << '\n';
    return;
  }
  std::vector<std::string> columns = {shown_key(row)};
  if (!arguments.keys_only) {
    const std::string_view value = json_member(row, "value").value_or("null");
    columns.push_back(context.output_form() == OutputForm::table ? table_cell(value) : json_to_plain(value));
  }
  if (arguments.with_ttl) columns.emplace_back(json_member(row, "ttl").value_or("null"));
  printer.add(std::move(columns));
}

void list(Context& context, const ListArguments& arguments) {
  std::string query = listing_parameters(arguments.selection);
  if (arguments.keys_only) add_parameters(query, "keys_only=true");
  if (arguments.with_ttl) add_parameters(query, "with_ttl=true");
  add_parameters(query, consistency_of(context));
  RowPrinter printer(context.output_form(), headings_of(arguments));
  walk_listing(
      context, query, [&](std::string_view row) { show_row(context, arguments, printer, row); },
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
