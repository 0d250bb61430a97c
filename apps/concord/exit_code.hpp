// How the program ends. Part of the promise: scripts look at it.
#pragma once

namespace concord::app {

enum class ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  condition_failed = 4,
  not_allowed = 5,  ///< unauthorized, forbidden
  unavailable = 6,  ///< nobody answered, or not in time
};

}  // namespace concord::app
