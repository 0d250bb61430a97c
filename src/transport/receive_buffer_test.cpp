#include "transport/receive_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/random.hpp"

namespace concord::transport {
namespace {

std::size_t put(ReceiveBuffer& buffer, std::size_t whole_bytes, std::string_view bytes) {
  const auto room = buffer.room(whole_bytes);
  const std::size_t size_bytes = std::min(room.size(), bytes.size());
  std::copy_n(bytes.begin(), size_bytes, room.begin());
  buffer.filled(size_bytes);
  return size_bytes;
}

TEST(ReceiveBuffer, GivesWhatCameInOrder) {
  const std::uint64_t seed = 5;
  SCOPED_TRACE(seed);
  base::Random random(seed);
  ReceiveBuffer buffer;
  std::string model;
  char next = 0;
  for (int step = 0; step < 5000; ++step) {
    std::string bytes(1 + random.below(100'000), '\0');
    for (char& byte : bytes) byte = next++;
    const std::size_t whole = model.size() + 1 + random.below(300'000);
    model += bytes.substr(0, put(buffer, whole, bytes));
    ASSERT_TRUE(buffer.unread() == model);
    const std::size_t taken = random.one_in(4) ? model.size() : random.below(model.size() + 1);
    buffer.consume(taken);
    model.erase(0, taken);
    next = model.empty() ? next : static_cast<char>(model.back() + 1);
    ASSERT_TRUE(buffer.unread() == model);
  }
}

TEST(ReceiveBuffer, TakesNoMemoryForASizeThatWasOnlySaid) {
  ReceiveBuffer buffer;
  (void)put(buffer, std::size_t{1} << 30U, "front");
  EXPECT_EQ(buffer.capacity_bytes(), ReceiveBuffer::default_bytes);
}

TEST(ReceiveBuffer, IsMovedSeldomHoweverSmallThePiecesAre) {
  constexpr std::size_t whole_bytes = std::size_t{4} << 20U;
  ReceiveBuffer buffer;
  std::size_t moves = 0;
  const char* place = nullptr;
  for (std::size_t came = 0; came < whole_bytes; came += 1000) {
    (void)put(buffer, whole_bytes + 1000, std::string(1000, 'x'));
    if (std::exchange(place, buffer.unread().data()) != buffer.unread().data()) ++moves;
  }
  EXPECT_LE(moves, 8U) << "it doubles";
}

TEST(ReceiveBuffer, GrowsWithWhatCameAndShrinksAgain) {
  const std::string large(std::size_t{5} << 20U, 'x');
  ReceiveBuffer buffer;
  std::size_t came = 0;
  while (came < large.size()) {
    came += put(buffer, large.size(), std::string_view(large).substr(came));
    ASSERT_LE(buffer.capacity_bytes(), std::max(ReceiveBuffer::default_bytes, 2 * came));
  }
  EXPECT_EQ(buffer.unread().size(), large.size());
  buffer.consume(large.size());
  EXPECT_FALSE(buffer.room(1).empty());
  EXPECT_EQ(buffer.capacity_bytes(), ReceiveBuffer::default_bytes);
}

}  // namespace
}  // namespace concord::transport
