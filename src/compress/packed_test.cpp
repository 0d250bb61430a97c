// Goal: whatever was packed comes back exactly, without a setting, and whatever else is given is refused without harm.
// Method: random values over all settings; small packed values cut, lengthened and changed at every byte; forged sizes.
#include "compress/packed.hpp"

#include <gtest/gtest.h>

#include "base/wire.hpp"
#include "compress/packer.hpp"
#include "compress/testing_values.hpp"

namespace concord::compress {
namespace {

constexpr std::size_t one_mib = std::size_t{1} << 20U;

std::string packed(const CompressionOptions& options, const Value& value) {
  std::string out;
  EXPECT_TRUE(Packer(options).pack_always(value.stored(), out));
  return out;
}

/// A value of about 200 bytes that every algorithm makes smaller.
Value small_value() {
  return R"(the fox and the hen and the hound and the hen; {"fox":1,"hen":2,"hound":[1,2,3,1,2,3,1,2,3]} and the fox again,)"
         R"( and the hen again, and the hound again: [[1,2,3,1,2,3,1,2,3]])";
}

/// The packed form with another declared size.
std::string forged(std::string_view packed, std::uint64_t size_bytes) {
  std::string to(packed.substr(0, 1));
  base::append_varint(to, size_bytes);
  to += read_head(packed)->stream;
  return to;
}

bool is_refused(std::string_view packed, std::size_t max_size_bytes = one_mib) {
  std::string out = "before";
  const bool no_string = !unpack(packed, max_size_bytes, out);
  EXPECT_TRUE(!no_string || out.empty());
  const bool no_value = !unpack_value(packed, max_size_bytes);
  EXPECT_EQ(no_string, no_value);
  return no_string && no_value;
}

TEST(Packed, EveryValueComesBackFromEverySetting) {
  constexpr std::uint64_t seed = 51;
  base::Random random(seed);
  const Unpacker unpacker;
  std::string out;
  for (const CompressionOptions& options : every_setting()) {
    const Packer packer(options);
    for (int round = 0; round < 60; ++round) {
      SCOPED_TRACE("seed " + std::to_string(seed) + " " + name_of(options) + " round " + std::to_string(round));
      const Value value = random_value(random);
      std::string packed;
      ASSERT_TRUE(packer.pack_always(value.stored(), packed));
      ASSERT_TRUE(is_packed(packed));
      EXPECT_EQ(unpacked_size_bytes(packed), value.size_bytes());
      ASSERT_TRUE(unpack(packed, value.size_bytes(), out));
      ASSERT_EQ(out, value.stored());
      const auto first = unpack_value(packed, value.size_bytes());
      const auto second = unpacker.unpack_value(packed, value.size_bytes());
      ASSERT_TRUE(first && second);
      ASSERT_EQ(first->stored(), value.stored());
      ASSERT_EQ(second->stored(), value.stored());
    }
  }
}

TEST(Packed, EightTagsArePackedFormsAndNoOthers) {
  for (int tag = 0; tag < 256; ++tag) {
    const std::string stored(1, static_cast<char>(tag));
    EXPECT_EQ(is_packed(stored), tag >= 0x10 && tag < 0x18) << tag;
  }
  EXPECT_EQ(packed_tag(CompressionAlgorithm::zlib, Value::json_tag), 0x10);
  EXPECT_EQ(packed_tag(CompressionAlgorithm::gzip, Value::bytes_tag), 0x13);
  EXPECT_EQ(packed_tag(CompressionAlgorithm::zstd, Value::json_tag), 0x14);
  EXPECT_EQ(packed_tag(CompressionAlgorithm::lz4, Value::bytes_tag), 0x17);
}

TEST(Packed, EveryTruncationIsRefused) {
  for (const CompressionOptions& options : every_setting()) {
    const std::string whole = packed(options, small_value());
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::string part = whole.substr(0, size);  // of its own, so that a read behind it is seen
      EXPECT_TRUE(is_refused(part)) << name_of(options) << " cut to " << size << " of " << whole.size();
    }
  }
}

TEST(Packed, WhatFollowsTheStreamIsRefused) {
  const std::string skippable_frame("\x50\x2a\x4d\x18\x00\x00\x00\x00", 8);  // zstd would pass over it
  for (const CompressionOptions& options : every_setting()) {
    const std::string whole = packed(options, small_value());
    const std::string empty(read_head(packed(options, Bytes("")))->stream);
    EXPECT_TRUE(is_refused(whole + '\0')) << name_of(options);
    EXPECT_TRUE(is_refused(whole + whole)) << name_of(options);
    EXPECT_TRUE(is_refused(whole + empty)) << name_of(options);
    EXPECT_TRUE(is_refused(whole + skippable_frame)) << name_of(options);
    EXPECT_TRUE(is_refused(forged(whole + empty, small_value().size_bytes() + 1))) << name_of(options);
  }
}

TEST(Packed, EveryChangedByteIsFoundByTheChecksumOrHarmless) {
  const Unpacker unpacker;
  const Value value = small_value();
  const std::string_view original = value.stored();
  std::string out;
  for (const CompressionOptions& options : every_setting()) {
    if (options.level % 3 != 0) continue;  // the levels between differ in effort, not in form
    const std::string whole = packed(options, value);
    const bool has_checksum = options.algorithm != CompressionAlgorithm::lz4;
    for (std::size_t at = 1; at < whole.size(); ++at) {
      for (unsigned change = 1; change < 256; ++change) {
        std::string changed = whole;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ change);
        if (!unpacker.unpack(changed, one_mib, out)) continue;
        ASSERT_EQ(out.size(), 1 + unpacked_size_bytes(changed)) << name_of(options) << " byte " << at;
        if (has_checksum) {
          ASSERT_EQ(out, original) << name_of(options) << " byte " << at << " xor " << change;
        }
      }
    }
  }
}

TEST(Packed, RandomBytesNeverGiveMoreThanIsAllowed) {
  constexpr std::uint64_t seed = 52;
  base::Random random(seed);
  const Unpacker unpacker;
  std::string out;
  for (int round = 0; round < 100'000; ++round) {
    std::string packed(1, static_cast<char>(first_packed_tag + random.below(8)));
    base::append_varint(packed, random.below(random.one_in(2) ? 100 : 100'000));
    packed += random_bytes(random, random.below(80));
    if (!unpacker.unpack(packed, 5'000, out)) continue;
    ASSERT_LE(out.size(), 5'001U) << "seed " << seed << " round " << round;
    ASSERT_EQ(out.size(), 1 + unpacked_size_bytes(packed)) << "seed " << seed << " round " << round;
  }
}

TEST(Packed, ADeclaredSizeAboveTheLimitIsRefusedBeforeMemoryIsTaken) {
  std::string out;
  for (const CompressionOptions& options : every_setting()) {
    const std::string whole = packed(options, small_value());
    for (const std::uint64_t size : {std::uint64_t{one_mib} + 1, std::uint64_t{1} << 32U, ~std::uint64_t{0}}) {
      const auto unpacked = unpack(forged(whole, size), one_mib, out);
      ASSERT_FALSE(unpacked) << name_of(options);
      EXPECT_EQ(unpacked.error().code(), Errc::value_too_large);
    }
    EXPECT_FALSE(unpack(whole, small_value().size_bytes() - 1, out));
    EXPECT_TRUE(unpack(whole, small_value().size_bytes(), out));
    std::string().swap(out);
    EXPECT_EQ(unpack(whole, small_value().size_bytes() - 1, out).error().code(), Errc::value_too_large);
    EXPECT_EQ(out.capacity(), std::string().capacity());
  }
}

TEST(Packed, ASizeThatSoFewBytesCannotHaveIsRefusedBeforeMemoryIsTaken) {
  for (const CompressionOptions& options : every_setting()) {
    std::string out;
    const std::string bomb = forged(packed(options, small_value()), std::uint64_t{1} << 40U);
    const auto unpacked = unpack(bomb, ~std::size_t{0}, out);  // the limit would allow it
    ASSERT_FALSE(unpacked) << name_of(options);
    EXPECT_EQ(unpacked.error().code(), Errc::invalid_request);
    EXPECT_EQ(out.capacity(), std::string().capacity());
    EXPECT_TRUE(is_refused(bomb, ~std::size_t{0}));
  }
}

TEST(Packed, AStreamThatExpandsToAnotherSizeThanDeclaredIsRefused) {
  const Value zeros = Bytes(std::string(one_mib, '\0'));
  for (const CompressionOptions& options : every_setting()) {
    const std::string bomb = packed(options, zeros);
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{100}, std::uint64_t{1000},
                                     std::uint64_t{one_mib} - 1, std::uint64_t{one_mib} + 1}) {
      EXPECT_TRUE(is_refused(forged(bomb, size), 2 * one_mib)) << name_of(options) << " declared as " << size;
    }
  }
}

TEST(Packed, TheMostRepetitiveValuesStayWithinTheBoundOfTheirStream) {
  const Value zeros = Bytes(std::string(32 * one_mib, '\0'));
  for (const CompressionOptions& options : every_setting()) {
    if (options.level % 3 != 0) continue;
    EXPECT_FALSE(is_refused(packed(options, zeros), 32 * one_mib)) << name_of(options);
  }
}

TEST(Packed, UnpackingUsesTheMemoryThatIsThere) {
  const std::string whole = packed({}, small_value());
  std::string out(10'000, 'x');
  const char* const before = out.data();
  ASSERT_TRUE(unpack(whole, one_mib, out));
  EXPECT_EQ(out.data(), before);
  EXPECT_EQ(out, small_value().stored());
}

TEST(Packed, ASizeInALongerSpellingIsRefused) {
  std::string whole = packed({}, Bytes("abc"));
  ASSERT_EQ(whole[1], 3);
  whole.replace(1, 1, "\x83\x00", 2);
  EXPECT_TRUE(is_refused(whole));
}

}  // namespace
}  // namespace concord::compress
