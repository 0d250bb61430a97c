// Reads decisions out of a fuzz input: what has a structure is built from them, so that every input is a valid one.
//
// Past the end everything is zero or empty. Numbers and texts begin with their size, so an input can be cut and spliced, and
// what stands behind keeps its meaning.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"

namespace concord::fuzz {

class Input {
 public:
  explicit Input(std::string_view bytes) noexcept : left_(bytes) {}

  [[nodiscard]] bool empty() const noexcept { return left_.empty(); }

  std::uint8_t byte() noexcept {
    const std::string_view taken = take(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken.front());
  }

  bool flag() noexcept { return (byte() & 1U) != 0; }

  /// Precondition: 0 < bound <= 256.
  std::size_t below(std::size_t bound) noexcept { return byte() % bound; }

  /// Of any magnitude.
  std::uint64_t number() noexcept {
    const std::string_view bytes = take(below(sizeof(std::uint64_t) + 1));
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  /// Precondition: most_bytes < 256.
  std::string_view text(std::size_t most_bytes) noexcept { return take(below(most_bytes + 1)); }

  std::string_view rest() noexcept { return take(left_.size()); }

 private:
  std::string_view take(std::size_t size_bytes) noexcept {
    const std::string_view taken = left_.substr(0, size_bytes);
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view left_;
};

/// `count` inputs of bytes that mean whatever they mean, behind `front`: first inputs for what is built from decisions.
[[nodiscard]] inline std::vector<std::string> arbitrary_inputs(std::size_t count, std::string_view front = {}) {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < count; ++i) {
    base::Random random(i);
    std::string& input = inputs.emplace_back(front);
    for (std::size_t size_bytes = std::size_t{32} << (i % 5); size_bytes > 0; --size_bytes) {
      input += static_cast<char>(random.one_in(2) ? random.below(8) : random.next());
    }
  }
  return inputs;
}

/// The input up to the first line end, and what is behind it. For targets whose inputs are text.
struct Lines {
  std::string_view first;
  std::string_view rest;
};
[[nodiscard]] inline Lines split_line(std::string_view input) noexcept {
  const std::size_t end = std::min(input.find('\n'), input.size());
  return {input.substr(0, end), input.substr(std::min(end + 1, input.size()))};
}

}  // namespace concord::fuzz
