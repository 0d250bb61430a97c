// A history in the form that Porcupine is asked with (tests/linearizability/checker/history.go), so that two checkers that have nothing
// in common look at the same runs. Its model knows no expiry and no reads but strong ones: those are left out, and a history with
// expiring keys can't be exported.
#pragma once

#include <ostream>

#include "sim/history.hpp"

namespace concord::sim {

void export_history(const History& history, std::ostream& to);

}  // namespace concord::sim
