// concord version
#include <iostream>

#include <CLI/CLI.hpp>

#include <concord/version.hpp>

#include "commands/commands.hpp"

namespace concord::app {

void add_version(CLI::App& app, Context& context) {
  app.add_subcommand("version", "Print the version")->callback([&context] {
    if (context.output_form() == OutputForm::json) {
      std::cout << R"({"version":")" << version << "\"}\n";
    } else {
      std::cout << "concord " << version << '\n';
    }
  });
}

}  // namespace concord::app
