#include "security/last_use.hpp"

namespace concord::security {
namespace {

constexpr std::uint64_t exactness_ms = 1000;

}  // namespace

LastUse::LastUse() : sets_(std::make_unique<std::array<Set, set_count>>()) {}

LastUse::Set& LastUse::set_of(command::TokenId token) const noexcept {
  constexpr std::uint64_t spread = 0x9e3779b97f4a7c15U;
  return (*sets_)[static_cast<std::size_t>((token.value() * spread) >> 51U) % set_count];
}

void LastUse::note(command::TokenId token, std::uint64_t wall_ms) noexcept {
  Set& set = set_of(token);
  Slot* oldest = nullptr;
  std::uint64_t oldest_ms = ~std::uint64_t{0};
  for (Slot& slot : set.slots) {
    const std::uint64_t noted_ms = slot.wall_ms.load(std::memory_order_relaxed);
    if (slot.token.load(std::memory_order_relaxed) == token.value()) {
      if (wall_ms > noted_ms + exactness_ms) slot.wall_ms.store(wall_ms, std::memory_order_relaxed);
      return;
    }
    if (noted_ms < oldest_ms) {
      oldest = &slot;
      oldest_ms = noted_ms;
    }
  }
  oldest->token.store(token.value(), std::memory_order_relaxed);
  oldest->wall_ms.store(wall_ms, std::memory_order_relaxed);
}

std::optional<std::uint64_t> LastUse::of(command::TokenId token) const noexcept {
  for (const Slot& slot : set_of(token).slots) {
    if (slot.token.load(std::memory_order_relaxed) == token.value())
      return slot.wall_ms.load(std::memory_order_relaxed);
  }
  return std::nullopt;
}

}  // namespace concord::security
