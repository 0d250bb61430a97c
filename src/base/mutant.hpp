// Defects that other systems once had, to be put back on purpose: a test that can't see one of them is no test.
//
// In a build with CONCORD_MUTANTS (`dev mutants`) each place that says CONCORD_MUTANT("name") does the wrong thing in a process whose
// environment has that name in CONCORD_MUTANT; tests/mutants/mutants.txt lists all of them, whose defect each was, and the test that
// sees it. In every other build the macro is the constant false, and nothing of this is in the program.
#pragma once

#ifdef CONCORD_MUTANTS

#include <string_view>

namespace concord::base {

/// Is the mutant of that name the one that this process is to be? The environment is read once.
bool is_mutant(std::string_view name) noexcept;

}  // namespace concord::base

#define CONCORD_MUTANT(name)                                        \
  ([]() noexcept {                                                  \
    static const bool is_chosen = ::concord::base::is_mutant(name); \
    return is_chosen;                                               \
  }())

#else

#define CONCORD_MUTANT(name) false

#endif
