// concord cluster status|members: what a node knows of itself and the others.
//
// Plain `status` is a line `name = value` for each part of the answer, as `config show` writes, and then for each member
// `cluster.members.NAME.part = value`; plain `members` is a line of tabs for each member, with the columns of the table. With
// `--watch` the status comes again and again: in place on a terminal, else as blocks with an empty line between (JSON: a line each).
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>
#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "duration.hpp"
#include "json_text.hpp"
#include "value/cursor.hpp"

namespace concord::app {
namespace {

struct Watch {
  bool is_on = false;
  std::string interval = "2";
  std::uint64_t count = 0;  ///< 0: until it is interrupted
};

std::string text_of(std::string_view object, std::string_view name) {
  return json_to_plain(json_member(object, name).value_or("null"));
}

std::uint64_t number_of(std::string_view object, std::string_view name) {
  const std::string_view json = json_member(object, name).value_or("0");
  std::uint64_t number = 0;
  std::from_chars(json.data(), json.data() + json.size(), number);
  return number;
}

/// `visit(member)` for each, compact JSON, in the order of their names.
void each_member_of(std::string_view members, const std::function<void(std::string_view)>& visit) {
  std::vector<std::pair<std::string, std::string_view>> by_name;
  value::Cursor cursor(members);
  for (cursor.open(); cursor.more();) {
    const std::string_view member = cursor.skip();
    by_name.emplace_back(text_of(member, "name"), member);
  }
  std::ranges::sort(by_name);
  for (const auto& [name, member] : by_name) visit(member);
}

/// What a node says about a member and what follows from it.
struct MemberRow {
  std::string name;
  std::string role;
  std::string state;
  std::string healthy;
  std::uint64_t match_index = 0;
  std::uint64_t lag = 0;  ///< entries that are committed and that nobody has heard of being there
  std::string contact;    ///< how long ago; "-": it is the node that answers, or was never heard of
  std::string snapshot;   ///< how much of the one it is being sent is there; "-": none is
  std::string peer;
  std::string api;
};

/// "31.4"
std::string megabytes_of(std::uint64_t bytes) {
  return std::to_string(bytes / 1'000'000) + '.' + std::to_string(bytes / 100'000 % 10);
}

MemberRow row_of(std::string_view member, std::string_view status) {
  const std::string_view cluster = json_member(status, "cluster").value_or("{}");
  MemberRow row{.name = text_of(member, "name"),
                .role = text_of(member, "role"),
                .state = {},
                .healthy = text_of(member, "healthy"),
                .match_index = number_of(member, "match_index"),
                .contact = "-",
                .snapshot = "-",
                .peer = text_of(member, "peer"),
                .api = text_of(member, "api")};
  const std::uint64_t commit_index = number_of(cluster, "commit_index");
  row.lag = commit_index > row.match_index ? commit_index - row.match_index : 0;
  if (const auto silent_ms = json_member(member, "silent_ms")) row.contact = std::string(*silent_ms) + " ms ago";
  if (const std::uint64_t bytes = number_of(member, "snapshot_bytes"); bytes != 0) {
    row.snapshot = megabytes_of(number_of(member, "snapshot_sent_bytes")) + " of " + megabytes_of(bytes) + " MB";
  }
  if (row.name == text_of(status, "node")) {
    row.state = text_of(cluster, "state");
  } else if (row.healthy != "true") {
    row.state = "unreachable";
  } else if (row.name == text_of(cluster, "leader")) {
    row.state = "leader";
  } else {
    row.state = row.role == "learner" ? "learner" : "follower";
  }
  return row;
}

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

void print_table(std::string_view status, std::string_view members) {
  {
    RowPrinter printer(OutputForm::table, {"NAME", "VALUE"});
    add_parts(printer, true, "", status);
  }
  std::cout << '\n';
  RowPrinter printer(OutputForm::table,
                     {"NAME", "ROLE", "STATE", "HEALTHY", "MATCH INDEX", "LAG", "CONTACT", "SNAPSHOT", "PEER", "API"});
  each_member_of(members, [&](std::string_view member) {
    MemberRow row = row_of(member, status);
    printer.add({std::move(row.name), std::move(row.role), std::move(row.state), std::move(row.healthy),
                 std::to_string(row.match_index), std::to_string(row.lag), std::move(row.contact),
                 std::move(row.snapshot), row.peer.empty() ? "-" : std::move(row.peer),
                 row.api.empty() ? "-" : std::move(row.api)});
  });
}

void print_plain(std::string_view status, std::string_view members) {
  RowPrinter printer(OutputForm::plain, {});
  add_parts(printer, false, "", status);
  each_member_of(members, [&](std::string_view member) {
    const MemberRow row = row_of(member, status);
    const std::string path = "cluster.members." + row.name + ".";
    for (const auto& [part, value] : {std::pair<std::string_view, std::string>("role", row.role),
                                      {"state", row.state},
                                      {"healthy", row.healthy},
                                      {"match_index", std::to_string(row.match_index)},
                                      {"lag", std::to_string(row.lag)},
                                      {"contact", row.contact},
                                      {"snapshot", row.snapshot},
                                      {"peer", row.peer},
                                      {"api", row.api}}) {
      printer.add({path + std::string(part) + " = " + value});
    }
  });
}

std::optional<std::string> ask_status(Context& context) {
  return call_for_data(context, {.method = "GET", .target = api_target(context, "/api/v1/status")});
}

void print_status(OutputForm form, const std::string& status) {
  const auto cluster = json_member(status, "cluster");
  const std::string_view members = (cluster ? json_member(*cluster, "members") : std::nullopt).value_or("[]");
  switch (form) {
    case OutputForm::json: std::cout << status << '\n'; return;
    case OutputForm::table: print_table(status, members); return;
    case OutputForm::plain: print_plain(status, members); return;
  }
}

/// A node that does not answer may be there again the next time: the exit code is that of the last time.
void watch_status(Context& context, const Watch& watch) {
  constexpr std::string_view home_and_clear = "\033[H\033[2J\033[3J";
  const auto interval = read_duration(watch.interval).value_or(std::chrono::milliseconds(2000));
  const OutputForm form = context.output_form();
  const bool redraws = form == OutputForm::table && ::isatty(STDOUT_FILENO) == 1;
  for (std::uint64_t turn = 1;; ++turn) {
    context.exit_code = ExitCode::done;
    const auto status = ask_status(context);
    if (redraws && status) std::cout << home_and_clear;
    if (status) print_status(form, *status);
    const bool is_last = watch.count != 0 && turn == watch.count;
    if (!redraws && !is_last && status && form != OutputForm::json) std::cout << '\n';
    if (!std::cout.flush() || is_last) return;
    std::this_thread::sleep_for(interval);
  }
}

void members(Context& context) {
  const auto data = call_for_data(context, {.method = "GET", .target = api_target(context, "/api/v1/cluster/members")});
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
    return;
  }
  RowPrinter printer(context.output_form(), {"NAME", "ID", "PEER", "API", "ROLE", "HEALTHY", "MATCH INDEX"});
  each_member_of(json_member(*data, "members").value_or("[]"), [&](std::string_view member) {
    std::vector<std::string> row;
    for (const char* name : {"name", "id", "peer", "api", "role", "healthy", "match_index"}) {
      std::string cell = text_of(member, name);
      row.push_back(cell.empty() ? "-" : std::move(cell));
    }
    printer.add(std::move(row));
  });
}

}  // namespace

void add_cluster_status(CLI::App& cluster, Context& context) {
  const auto watch = std::make_shared<Watch>();
  CLI::App& status = *cluster.add_subcommand("status", "Print what a node knows of itself and the cluster");
  status.add_flag("--watch", watch->is_on, "Print it again and again, until interrupted");
  status.add_option("--interval", watch->interval, "Time between two prints: 2, 2s, 500ms")
      ->capture_default_str()
      ->needs("--watch")
      ->check([](const std::string& text) -> std::string {
        return read_duration(text) ? "" : "a duration is like 2, 2s or 500ms, up to an hour";
      });
  status.add_option("--count", watch->count, "End after so many prints")->needs("--watch")->check(CLI::PositiveNumber);
  status.callback([&context, watch] {
    if (watch->is_on) return watch_status(context, *watch);
    if (const auto known = ask_status(context)) print_status(context.output_form(), *known);
  });
  cluster.add_subcommand("members", "Print the members of the cluster")->callback([&context] { members(context); });
}

}  // namespace concord::app
