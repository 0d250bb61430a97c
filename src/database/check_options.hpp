// What of a database's options can't be: said before anything is opened. Errors: invalid_request, which names the option.
#pragma once

#include <concord/error.hpp>
#include <concord/options.hpp>

namespace concord::database {

[[nodiscard]] Result<void> check_options(const Options& options);

}  // namespace concord::database
