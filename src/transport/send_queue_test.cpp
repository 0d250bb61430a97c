#include "transport/send_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "base/random.hpp"

namespace concord::transport {
namespace {

std::string front_of(SendQueue& queue, std::size_t most_bytes) {
  std::array<iovec, 8> vectors{};
  const std::size_t count = queue.gather(vectors, most_bytes);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i)
    bytes.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
  return bytes;
}

TEST(SendQueue, GivesEveryByteInTheOrderOfThePushesHoweverItIsConsumed) {
  const std::uint64_t seed = 11;
  SCOPED_TRACE(seed);
  base::Random random(seed);
  SendQueue queue;
  std::string expected;
  std::string sent;
  for (int step = 0; step < 3000; ++step) {
    std::string bytes(random.one_in(20) ? random.below(3 * SendQueue::chunk_bytes) : random.below(600),
                      static_cast<char>('a' + random.below(26)));
    expected += bytes;
    if (random.one_in(2)) {
      queue.push(std::string_view(bytes));
    } else {
      queue.push(std::move(bytes));
    }
    while (random.one_in(2)) {
      std::string front = front_of(queue, 1 + random.below(100'000));
      front.resize(random.below(front.size() + 1));
      sent += front;
      queue.consume(front.size());
    }
    ASSERT_EQ(queue.size_bytes(), expected.size() - sent.size());
  }
  while (!queue.empty()) {
    const std::string front = front_of(queue, std::numeric_limits<std::size_t>::max());
    ASSERT_FALSE(front.empty());
    sent += front;
    queue.consume(front.size());
  }
  EXPECT_TRUE(sent == expected);
}

TEST(SendQueue, KeepsALargeStringWhereItIs) {
  SendQueue queue;
  std::string large(SendQueue::chunk_bytes, 'x');
  const void* const place = large.data();
  queue.push(std::string_view("small"));
  queue.push(std::move(large));
  std::array<iovec, 2> vectors{};
  ASSERT_EQ(queue.gather(vectors, 1U << 20U), 2U);
  EXPECT_EQ(vectors[1].iov_base, place);
}

TEST(SendQueue, GathersNoMoreThanItIsAskedFor) {
  SendQueue queue;
  queue.push(std::string(1000, 'x'));
  EXPECT_EQ(front_of(queue, 10).size(), 10U);
}

}  // namespace
}  // namespace concord::transport
