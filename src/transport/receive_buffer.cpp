#include "transport/receive_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace concord::transport {

void ReceiveBuffer::move_to(std::size_t capacity_bytes) {
  auto larger = std::make_unique_for_overwrite<char[]>(capacity_bytes);
  const std::size_t size_bytes = end_ - begin_;
  if (size_bytes > 0) std::memcpy(larger.get(), bytes_.get() + begin_, size_bytes);
  bytes_ = std::move(larger);
  capacity_ = capacity_bytes;
  begin_ = 0;
  end_ = size_bytes;
}

std::span<char> ReceiveBuffer::room(std::size_t whole_bytes) {
  const std::size_t size_bytes = end_ - begin_;
  if (size_bytes == 0) begin_ = end_ = 0;
  const bool is_too_large = capacity_ > kept_bytes && whole_bytes <= default_bytes && size_bytes < default_bytes;
  if (capacity_ == 0 || is_too_large) {
    move_to(default_bytes);
  } else if (begin_ + whole_bytes > capacity_) {
    const bool is_full = end_ == capacity_;
    if (begin_ > 0 && (is_full || size_bytes <= capacity_ / 2)) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, size_bytes);
      begin_ = 0;
      end_ = size_bytes;
    } else if (is_full) {
      move_to(std::min(whole_bytes, 2 * capacity_));
    }
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

}  // namespace concord::transport
