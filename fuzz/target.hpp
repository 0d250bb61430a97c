// A fuzz target: one file that defines these two. `./dev fuzz` builds and runs them; driver.cpp joins them to libFuzzer.
//
// A target says with CONCORD_CHECK what must hold; what it throws ends the run, and libFuzzer keeps the input. It must be a
// pure function of the input: no clock, no random number, nothing kept from one input to the next.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace concord::fuzz {

void run(std::string_view input);

/// Inputs to begin with: one of each kind that matters.
[[nodiscard]] std::vector<std::string> seeds();

}  // namespace concord::fuzz
