// The flags of all configuration keys on a subcommand.
#pragma once

#include <memory>

#include "commands/commands.hpp"
#include "config/configuration.hpp"

namespace concord::app {

/// Adds `--section-name` and the short flag of every key. What is given on the command line is collected in the result.
[[nodiscard]] std::shared_ptr<config::NamedValues> add_config_flags(CLI::App& command);

/// Makes the command line's complaint about an unknown flag of `start` or `config` name the one that was probably meant.
void suggest_config_flags(CLI::App& app);

/// The effective configuration of this process.
[[nodiscard]] Result<config::Configuration> load_configuration(const Context& context,
                                                               const config::NamedValues& flags);

}  // namespace concord::app
