// Where the results of an export go: standard output, or a file that has its name only once it is whole.
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "commands/commands.hpp"

namespace concord::app {

/// Gives `write` what to write to; `-` is standard output. `write` returns false after it has reported why not all could be written:
/// then a file that was there before stays as it was. What goes wrong besides is reported and is the context's exit code.
void write_output(Context& context, const std::string& path, const std::function<bool(std::ostream&)>& write);

}  // namespace concord::app
