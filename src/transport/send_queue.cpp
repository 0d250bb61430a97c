#include "transport/send_queue.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace concord::transport {

std::string SendQueue::new_chunk() {
  std::string chunk = std::exchange(spare_, {});
  chunk.clear();
  if (chunk.capacity() < chunk_bytes) chunk.reserve(chunk_bytes);
  return chunk;
}

void SendQueue::push(std::string_view bytes) {
  if (bytes.empty()) return;
  if (chunks_.empty() || chunks_.back().size() + bytes.size() > chunk_bytes) {
    chunks_.push_back(bytes.size() < chunk_bytes ? new_chunk() : std::string());
  }
  chunks_.back().append(bytes);
  size_bytes_ += bytes.size();
}

void SendQueue::push(std::string&& bytes) {
  if (bytes.size() < chunk_bytes) return push(std::string_view(bytes));
  size_bytes_ += bytes.size();
  chunks_.push_back(std::move(bytes));
}

std::size_t SendQueue::gather(std::span<iovec> vectors, std::size_t most_bytes) noexcept {
  std::size_t count = 0;
  std::size_t skip = offset_;
  for (std::string& chunk : chunks_) {
    if (count == vectors.size() || most_bytes == 0) break;
    const std::size_t size_bytes = std::min(chunk.size() - skip, most_bytes);
    vectors[count++] = {.iov_base = chunk.data() + skip, .iov_len = size_bytes};
    most_bytes -= size_bytes;
    skip = 0;
  }
  return count;
}

void SendQueue::consume(std::size_t size_bytes) {
  CONCORD_CHECK(size_bytes <= size_bytes_, "no more is sent than waits");
  size_bytes_ -= size_bytes;
  while (size_bytes > 0) {
    const std::size_t left = chunks_.front().size() - offset_;
    if (size_bytes < left) {
      offset_ += size_bytes;
      return;
    }
    size_bytes -= left;
    offset_ = 0;
    if (chunks_.front().capacity() <= 2 * chunk_bytes) spare_ = std::move(chunks_.front());
    chunks_.pop_front();
  }
}

void SendQueue::clear() noexcept {
  chunks_.clear();
  spare_ = {};
  offset_ = 0;
  size_bytes_ = 0;
}

}  // namespace concord::transport
