// concord: one program. `concord start` runs a node; every other subcommand is a client of its HTTP API.
#include <cstdlib>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include <concord/version.hpp>

#include "commands/commands.hpp"
#include "duration.hpp"

namespace concord::app {

std::chrono::milliseconds Context::timeout_value() const noexcept {
  return read_duration(timeout).value_or(std::chrono::milliseconds(5000));
}

namespace {

void add_common_flags(CLI::App& app, Context& context) {
  app.add_option("--endpoint", context.endpoints, "URL of a node's API; may be repeated (CONCORD_ENDPOINT)")
      ->delimiter(',')
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--token", context.token, "Token of the API (CONCORD_TOKEN)");
  app.add_option("--output", context.output, "Form of the results; table on a terminal, else plain")
      ->check(CLI::IsMember({"table", "json", "plain"}));
  app.add_option("--timeout", context.timeout, "Longest time a call may take: 5, 5s, 500ms")
      ->check([](const std::string& text) {
        return read_duration(text) ? "" : "a duration is like 5, 5s or 500ms, up to an hour";
      });
  app.add_option("--consistency", context.consistency, "How fresh a read must be")
      ->check(CLI::IsMember({"eventual", "leader", "strong"}));
  app.add_option("--config", context.config_path, "Configuration file of `start` and `config` (CONCORD_CONFIG)");
  app.add_option_function<std::string>(
      "--cacert", [](const std::string&) {}, "Certificates to trust for https endpoints");
  app.add_flag_function("--insecure", [](std::int64_t) {}, "Trust any certificate of https endpoints");
}

/// Flags beat the environment, the environment the defaults.
void fill_from_environment(Context& context) {
  const auto variable = [](const char* name) { return std::getenv(name); };
  if (context.endpoints.empty()) {
    const char* const endpoints = variable("CONCORD_ENDPOINT");
    context.endpoints =
        CLI::detail::split(endpoints != nullptr && *endpoints != '\0' ? endpoints : "http://127.0.0.1:4000", ',');
  }
  if (const char* const token = variable("CONCORD_TOKEN"); context.token.empty() && token != nullptr)
    context.token = token;
}

int run(int argument_count, char** arguments) {
  Context context;
  CLI::App app("Concord: a strongly consistent key-value store", "concord");
  app.set_version_flag("--version", "concord " + std::string(version));
  app.fallthrough();
  app.require_subcommand(1);
  add_common_flags(app, context);
  app.parse_complete_callback([&context] { fill_from_environment(context); });
#ifdef CONCORD_WITH_NODE
  add_start(app, context);
#endif
  add_kv(app, context);
  add_query(app, context);
  add_txn(app, context);
  add_bench(app, context);
  add_config(app, context);
  add_completion(app, context);
  add_version(app, context);
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  return static_cast<int>(context.exit_code);
}

}  // namespace
}  // namespace concord::app

int main(int argument_count, char** arguments) {
  try {
    return concord::app::run(argument_count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "concord: " << error.what() << '\n';
    return static_cast<int>(concord::app::ExitCode::failed);
  }
}
