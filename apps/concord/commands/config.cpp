// concord config show|check
#include <algorithm>
#include <iostream>

#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "config_flags.hpp"
#include "json_text.hpp"
#ifdef CONCORD_WITH_NODE
#include "database/check_options.hpp"
#endif

namespace concord::app {
namespace {

/// As JSON, which has no form for other bytes than UTF-8: a path may hold some.
std::string json_text(std::string text) {
  if (const auto json = json_string(text)) return *json;
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80U; }, '?');
  return json_string(text).value_or(R"("")");
}

/// An array with one setting a line.
std::string json_lines(const config::Configuration& configuration) {
  std::string lines;
  for (const config::Setting& setting : configuration.settings()) {
    lines += lines.empty() ? "[\n" : ",\n";
    lines += R"({"key":)" + json_text(std::string(setting.key->name)) + R"(,"value":)" + json_text(shown(setting)) +
             R"(,"origin":)" + json_text(setting.origin) + '}';
  }
  return lines + "\n]\n";
}

void show(const Context& context, const config::Configuration& configuration) {
  std::cout << (context.output_form() == OutputForm::json ? json_lines(configuration) : configuration.show());
}

void run(Context& context, const config::NamedValues& flags, bool is_shown) {
  const auto configuration = load_configuration(context, flags);
  if (!configuration) {
    context.exit_code = report_problem(ExitCode::failed, configuration.error().message());
    return;
  }
  for (const std::string& warning : configuration->warnings) std::cerr << "concord: warning: " << warning << '\n';
  if (is_shown) return show(context, *configuration);
#ifdef CONCORD_WITH_NODE
  if (const auto valid = database::check_options(configuration->database_options()); !valid) {
    context.exit_code = report_problem(ExitCode::failed, valid.error().message());
    return;
  }
#endif
  std::cout << "the configuration is good\n";
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  CLI::App& command = *app.add_subcommand("config", "Look at the configuration of `concord start`");
  command.require_subcommand(1);
  suggest_config_flags(app);
  const auto add = [&](const char* name, const char* help, bool is_shown) {
    CLI::App& each = *command.add_subcommand(name, help);
    const auto flags = add_config_flags(each);
    each.callback([&context, flags, is_shown] { run(context, *flags, is_shown); });
  };
  add("show", "Print every key with its effective value and where it comes from", true);
  add("check", "Say whether `concord start` would accept the configuration", false);
}

}  // namespace concord::app
