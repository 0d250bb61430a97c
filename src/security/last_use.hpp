// When tokens were last used on this node. Not replicated: it would make a write of every read.
//
// A fixed table of atomics: noting costs a look at one cache line, and a write once a second and token. Two tokens that are noted
// at the same moment in the same set may lose one of the notes; the next use makes it again. What no longer fits pushes out the
// one that was used longest ago. Thread rule: any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "command/token.hpp"

namespace concord::security {

class LastUse {
 public:
  LastUse();

  void note(command::TokenId token, std::uint64_t wall_ms) noexcept;
  /// Exact to a second; none: not since this node was opened.
  [[nodiscard]] std::optional<std::uint64_t> of(command::TokenId token) const noexcept;

 private:
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t set_count = std::size_t{1} << 13U;

  struct Slot {
    std::atomic<std::uint64_t> token{0};
    std::atomic<std::uint64_t> wall_ms{0};
  };
  struct alignas(64) Set {
    std::array<Slot, ways> slots{};
  };

  [[nodiscard]] Set& set_of(command::TokenId token) const noexcept;

  std::unique_ptr<std::array<Set, set_count>> sets_;
};

}  // namespace concord::security
