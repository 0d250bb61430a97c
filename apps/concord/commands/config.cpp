// concord config show|check
#include <iostream>

#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "config_flags.hpp"

namespace concord::app {
namespace {

void run(Context& context, const config::NamedValues& flags, bool show) {
  const auto configuration = load_configuration(context, flags);
  if (!configuration) {
    context.exit_code = report_problem(ExitCode::failed, configuration.error().message());
    return;
  }
  for (const std::string& warning : configuration->warnings) std::cerr << "concord: warning: " << warning << '\n';
  std::cout << (show ? configuration->show() : "the configuration is good\n");
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  CLI::App& command = *app.add_subcommand("config", "Look at the configuration of `concord start`");
  command.require_subcommand(1);
  suggest_config_flags(app);
  const auto add = [&](const char* name, const char* help, bool show) {
    CLI::App& each = *command.add_subcommand(name, help);
    const auto flags = add_config_flags(each);
    each.callback([&context, flags, show] { run(context, *flags, show); });
  };
  add("show", "Print every key with its effective value and where it comes from", true);
  add("check", "Say whether `concord start` would accept the configuration", false);
}

}  // namespace concord::app
