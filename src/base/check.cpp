#include "base/check.hpp"

namespace concord::base {

void invariant_failed(const char* condition, const char* message, const char* file, int line) {
  throw InvariantFailure(std::string(message) + " [" + condition + " at " + file + ":" + std::to_string(line) + "]");
}

}  // namespace concord::base
