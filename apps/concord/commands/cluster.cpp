// concord cluster add|remove|promote|transfer-leader|snapshot: changes of a cluster's members, through any of them.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "commands/cluster_recover.hpp"
#include "http/target.hpp"
#include "json_text.hpp"

namespace concord::app {
namespace {

struct Arguments {
  std::string name;
  std::string peer;
};

/// None after the problem was reported.
std::optional<std::string> text_member(Context& context, const std::string& name, const std::string& text) {
  auto json = json_string(text);
  if (json) return '"' + name + "\":" + *json;
  context.exit_code = report_problem(ExitCode::usage, "the " + name + " is not UTF-8");
  return std::nullopt;
}

void send(Context& context, const std::string& method, std::string path, std::string body = {}) {
  const bool has_body = !body.empty();
  const auto answer = call(context, {.method = method,
                                     .target = api_target(context, std::move(path)),
                                     .body = std::move(body),
                                     .content_type = has_body ? "application/json" : ""});
  if (answer) print_done(context, *answer);
}

std::string member_path(const std::string& name) { return "/api/v1/cluster/members/" + http::percent_encode(name); }

void add(Context& context, const Arguments& arguments) {
  const auto name = text_member(context, "name", arguments.name);
  const auto peer = name ? text_member(context, "peer", arguments.peer) : std::nullopt;
  if (peer) send(context, "POST", "/api/v1/cluster/members", "{" + *name + "," + *peer + "}");
}

void transfer_leader(Context& context, const Arguments& arguments) {
  if (arguments.name.empty()) return send(context, "POST", "/api/v1/cluster/leader");
  if (const auto name = text_member(context, "name", arguments.name)) {
    send(context, "POST", "/api/v1/cluster/leader", "{" + *name + "}");
  }
}

}  // namespace

void add_cluster(CLI::App& app, Context& context) {
  CLI::App& cluster = *app.add_subcommand("cluster", "Look at the cluster and change its members");
  cluster.require_subcommand(1);
  add_cluster_status(cluster, context);
  add_cluster_token(cluster, context);
  const auto arguments = std::make_shared<Arguments>();
  const auto add_command = [&](const char* name, const char* description) -> CLI::App& {
    return *cluster.add_subcommand(name, description);
  };
  const auto takes_name = [&](CLI::App& command, const char* description) {
    return command.add_option("name", arguments->name, description);
  };

  CLI::App& adding = add_command("add", "Add a member before its node is started: a learner, until it has caught up");
  takes_name(adding, "Name of the new member, its node.name")->required();
  adding.add_option("peer", arguments->peer, "host:port the others will reach it at, its cluster.advertise")
      ->required();
  adding.callback([&context, arguments] { add(context, *arguments); });

  CLI::App& removing =
      add_command("remove", "Remove a member, alive or dead; refused when the others would have no quorum");
  takes_name(removing, "Name of the member")->required();
  removing.callback([&context, arguments] { send(context, "DELETE", member_path(arguments->name)); });

  CLI::App& promoting = add_command("promote", "Give a learner a vote; waits until it has caught up");
  takes_name(promoting, "Name of the learner")->required();
  promoting.callback([&context, arguments] { send(context, "POST", member_path(arguments->name) + "/promote"); });

  CLI::App& transferring = add_command("transfer-leader", "Make another voter the leader");
  takes_name(transferring, "Name of the voter; without it, the one that is furthest");
  transferring.callback([&context, arguments] { transfer_leader(context, *arguments); });

  add_command("snapshot", "Take a snapshot of the data of the node that is asked").callback([&context] {
    send(context, "POST", "/api/v1/cluster/snapshot");
  });
#ifdef CONCORD_WITH_NODE
  add_cluster_recover(cluster, context);
#endif
}

}  // namespace concord::app
