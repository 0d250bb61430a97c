// The seam to libFuzzer, the same for every target. `fuzz_<target> --write-seeds=<directory>` writes the first inputs and ends.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "target.hpp"

namespace {

bool write_seeds(const std::string& directory) {
  std::size_t number = 0;
  for (const std::string& seed : concord::fuzz::seeds()) {
    std::ofstream file(directory + "/seed-" + std::to_string(number++), std::ios::binary);
    file << seed;
    if (!file.flush()) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argument_count, char*** arguments) {
  constexpr std::string_view option = "--write-seeds=";
  for (int i = 1; i < *argument_count; ++i) {
    const std::string_view argument = (*arguments)[i];
    if (argument.starts_with(option)) {
      std::exit(write_seeds(std::string(argument.substr(option.size()))) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  concord::fuzz::run({reinterpret_cast<const char*>(data), size_bytes});
  return 0;
}
