// Bytes that wait for a socket: small frames lie together, large ones keep the string they came in.
//
// Grows only by what is pushed and gives memory back as it is consumed, but for one chunk, so that a queue that is filled and emptied
// again and again allocates nothing. Bounds are its user's. Thread rule: one thread at a time.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>

namespace concord::transport {

class SendQueue {
 public:
  static constexpr std::size_t chunk_bytes = std::size_t{64} << 10U;

  [[nodiscard]] bool empty() const noexcept { return size_bytes_ == 0; }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

  void push(std::string_view bytes);
  /// Copies what is small, keeps what is large.
  void push(std::string&& bytes);

  /// Fills `vectors` with what is to be sent next, about `most_bytes` at most; returns how many it filled. They are valid until the next
  /// call of push or consume.
  [[nodiscard]] std::size_t gather(std::span<iovec> vectors, std::size_t most_bytes) noexcept;
  /// The first `size_bytes` bytes were sent.
  void consume(std::size_t size_bytes);
  void clear() noexcept;

 private:
  [[nodiscard]] std::string new_chunk();

  std::deque<std::string> chunks_;  ///< none is empty
  std::size_t offset_ = 0;          ///< of what was sent in the first chunk
  std::size_t size_bytes_ = 0;
  std::string spare_;
};

}  // namespace concord::transport
