// concord cluster status|members: what a node knows of itself and the others.
//
// Plain `status` is a line `name = value` for each part of the answer, as `config show` writes; plain `members` is a line of
// tabs for each member, with the columns of the table.
#include <iostream>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "json_text.hpp"
#include "value/cursor.hpp"

namespace concord::app {
namespace {

/// `cluster.leader`, ...: each part of the status that is no list. Precondition: compact JSON of an object.
void add_parts(RowPrinter& printer, bool is_table, const std::string& path, std::string_view object) {
  value::Cursor cursor(object);
  for (cursor.open(); cursor.more();) {
    const std::string name = path + std::string(cursor.name());
    const value::JsonKind kind = cursor.kind();
    const std::string_view part = cursor.skip();
    if (kind == value::JsonKind::object) {
      add_parts(printer, is_table, name + ".", part);
    } else if (kind != value::JsonKind::array) {
      printer.add(is_table ? std::vector<std::string>{name, table_cell(part)}
                           : std::vector<std::string>{name + " = " + json_to_plain(part)});
    }
  }
}

void show_members(OutputForm form, std::string_view members) {
  RowPrinter printer(form, {"NAME", "ID", "PEER", "API", "ROLE", "HEALTHY", "MATCH INDEX"});
  value::Cursor cursor(members);
  for (cursor.open(); cursor.more();) {
    const std::string_view member = cursor.skip();
    std::vector<std::string> row;
    for (const char* name : {"name", "id", "peer", "api", "role", "healthy", "match_index"}) {
      std::string cell = json_to_plain(json_member(member, name).value_or("null"));
      row.push_back(cell.empty() ? "-" : std::move(cell));
    }
    printer.add(std::move(row));
  }
}

void status(Context& context) {
  const auto data = call_for_data(context, {.method = "GET", .target = api_target(context, "/api/v1/status")});
  if (!data) return;
  const OutputForm form = context.output_form();
  if (form == OutputForm::json) {
    std::cout << *data << '\n';
    return;
  }
  {
    RowPrinter printer(form, {"NAME", "VALUE"});
    add_parts(printer, form == OutputForm::table, "", *data);
  }
  const auto cluster = json_member(*data, "cluster");
  const auto members = cluster ? json_member(*cluster, "members") : std::nullopt;
  if (form == OutputForm::table && members) {
    std::cout << '\n';
    show_members(form, *members);
  }
}

void members(Context& context) {
  const auto data = call_for_data(context, {.method = "GET", .target = api_target(context, "/api/v1/cluster/members")});
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
  } else {
    show_members(context.output_form(), json_member(*data, "members").value_or("[]"));
  }
}

}  // namespace

void add_cluster(CLI::App& app, Context& context) {
  CLI::App& cluster = *app.add_subcommand("cluster", "Look at the cluster");
  cluster.require_subcommand(1);
  CLI::App& status_command = *cluster.add_subcommand("status", "Print what a node knows of itself and the cluster");
  status_command.callback([&context] { status(context); });
  CLI::App& members_command = *cluster.add_subcommand("members", "Print the members of the cluster");
  members_command.callback([&context] { members(context); });
}

}  // namespace concord::app
