#include "config_flags.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace concord::app {
namespace {

bool takes_configuration(const CLI::App& program) {
  return std::ranges::any_of(program.get_subcommands(), [](const CLI::App* chosen) {
    return chosen->get_name() == "start" || chosen->get_name() == "config";
  });
}

}  // namespace

std::shared_ptr<config::NamedValues> add_config_flags(CLI::App& command) {
  auto given = std::make_shared<config::NamedValues>();
  for (const config::Key& key : config::keys()) {
    const std::string long_name = config::flag_name(key);
    const std::string short_name = config::short_flag_name(key);
    const std::string section(key.name.substr(0, key.name.find('.')));
    for (const std::string& name : {long_name, short_name}) {
      if (name.empty() || command.get_option_no_throw(name) != nullptr) continue;  // node.name: both are one
      std::string help = name == long_name ? std::string(key.help) : "the same as " + long_name;
      if (name == long_name)
        help += " (" + (key.default_text.empty() ? std::string("empty") : std::string(key.default_text)) + ")";
      command
          .add_option_function<std::string>(
              name, [given, name](const std::string& value) { given->emplace_back(name, value); }, help)
          ->take_last()
          ->group(name == long_name ? "Configuration: " + section : "");
    }
  }
  return given;
}

void suggest_config_flags(CLI::App& app) {
  app.failure_message([](const CLI::App* program, const CLI::Error& error) {
    std::string message = CLI::FailureMessage::simple(program, error);
    const auto* const unknown = dynamic_cast<const CLI::ExtrasError*>(&error);
    if (unknown == nullptr || !takes_configuration(*program)) return message;
    for (const std::string& argument : program->remaining(true)) {
      const std::string name = argument.substr(0, argument.find('='));
      const std::string suggestion = name.starts_with("--") ? config::suggest_flag(name) : std::string();
      if (!suggestion.empty()) message += name + " is not known" + suggestion + "\n";
    }
    return message;
  });
}

Result<config::Configuration> load_configuration(const Context& context, const config::NamedValues& flags) {
  config::Sources sources{.flags = flags, .environment = config::process_environment()};
  if (!context.config_path.empty()) sources.config_path = context.config_path;
  return config::load(sources);
}

}  // namespace concord::app
