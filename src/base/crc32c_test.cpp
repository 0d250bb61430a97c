#include "base/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/random.hpp"

namespace concord::base {
namespace {

TEST(Crc32c, GivesTheCheckValuesOfRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, InstructionAndTableAgreeOnEveryLengthAndSplit) {
  Random random(7);
  for (std::size_t size = 0; size < 10'000; size += size < 2000 ? 1 : 97) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random.next());
    const std::size_t split = size == 0 ? 0 : random.below(size);
    const std::string_view view = bytes;
    EXPECT_EQ(crc32c(view), crc32c_extend_portable(0, view));
    EXPECT_EQ(crc32c(view), crc32c_extend(crc32c(view.substr(0, split)), view.substr(split)));
  }
}

}  // namespace
}  // namespace concord::base
