#include "base/wire.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.hpp"

namespace concord::base {
namespace {

TEST(Wire, EveryVarintComesBackAndIsShortest) {
  Random random(11);
  for (int round = 0; round < 10'000; ++round) {
    const std::uint64_t value = random.next() >> random.below(64);
    std::string bytes;
    append_varint(bytes, value);
    Reader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.finished());
    EXPECT_EQ(bytes.size(), value == 0 ? 1U : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7);
  }
}

TEST(Wire, AVarintThatIsCutLongOrPaddedIsRefused) {
  for (const std::string_view bad : {std::string_view("\x80", 1), std::string_view("\x80\x00", 2),
                                     std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10),
                                     std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)}) {
    Reader reader(bad);
    reader.varint();
    EXPECT_FALSE(reader.ok());
  }
}

TEST(Wire, AFailedReaderStaysFailedAndReturnsZeros) {
  Reader reader("\x05zz");
  EXPECT_TRUE(reader.bytes().empty());
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.byte(), 0);
  EXPECT_EQ(reader.fixed64(), 0U);
  EXPECT_FALSE(reader.finished());
}

TEST(Wire, ZigzagKeepsEverySign) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(unzigzag(zigzag(value)), value);
  }
  EXPECT_EQ(zigzag(-1), 1U);
}

}  // namespace
}  // namespace concord::base
