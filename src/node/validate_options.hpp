// What of a node's options can't be: said before anything is opened. Errors: invalid_request, which names the option.
#pragma once

#include <concord/error.hpp>
#include <concord/options.hpp>

namespace concord::node {

[[nodiscard]] Result<void> validate_options(const Options& options);

/// Of a node without data: later the members are in the data, and the initial ones may have long gone.
[[nodiscard]] Result<void> validate_formation(const Options& options);

}  // namespace concord::node
