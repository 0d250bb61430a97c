#include "base/mutant.hpp"

#ifdef CONCORD_MUTANTS

#include <cstdlib>

namespace concord::base {

bool is_mutant(std::string_view name) noexcept {
  static const char* const chosen = std::getenv("CONCORD_MUTANT");
  return chosen != nullptr && name == chosen;
}

}  // namespace concord::base

#endif
