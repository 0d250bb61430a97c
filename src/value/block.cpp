#include "value/block.hpp"

#include <atomic>
#include <memory>
#include <new>

namespace concord::value {
namespace {

/// The bytes follow it in the same allocation.
struct Head {
  std::atomic<std::size_t> references{1};
};

void retain_block(void* owner) noexcept {
  static_cast<Head*>(owner)->references.fetch_add(1, std::memory_order_relaxed);
}

void release_block(void* owner) noexcept {
  auto* head = static_cast<Head*>(owner);
  if (head->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::destroy_at(head);
  ::operator delete(head);
}

}  // namespace

Block make_block(std::size_t size_bytes) {
  auto* const head = std::construct_at(static_cast<Head*>(::operator new(sizeof(Head) + size_bytes)));
  return {.bytes = reinterpret_cast<char*>(head + 1), .owner = {head, retain_block, release_block}};
}

}  // namespace concord::value
