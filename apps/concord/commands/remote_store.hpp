// The library's own client, for commands that follow events: it goes on at the next endpoint by itself.
#pragma once

#include <optional>

#include <concord/client.hpp>
#include <concord/error.hpp>

#include "commands/commands.hpp"

namespace concord::app {

/// None after the problem was reported.
[[nodiscard]] std::optional<concord::Client> connect_store(Context& context);

/// Reports it, and leaves its exit code in the context.
void report_error(Context& context, const Error& error);

}  // namespace concord::app
