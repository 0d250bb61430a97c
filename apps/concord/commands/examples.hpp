// The examples that `--help` and the manual show beside the description of a command.
#pragma once

namespace CLI {
class App;
}

namespace concord::app {

/// Gives each subcommand its examples. Comes after all were added.
void add_examples(CLI::App& app);

}  // namespace concord::app
