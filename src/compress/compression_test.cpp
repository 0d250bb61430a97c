// Goal: the public calls do what their header says. Method: values of every kind there and back, figures, and bytes that nobody
// made with these calls.
#include <concord/compression.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "compress/packed.hpp"
#include "compress/testing_values.hpp"

namespace concord {
namespace {

using compress::every_algorithm;
using compress::every_setting;
using compress::name_of;

TEST(Compression, AValueComesBackWithItsKind) {
  const std::string text(3000, 'x');
  for (const CompressionOptions& options : every_setting()) {
    const Compression compression(options);
    for (const Value& value : {Value(), Value(1.0), Value(text), Value(Bytes(text)), Value(Bytes(""))}) {
      const auto compressed = compression.compress(value);
      ASSERT_TRUE(compressed) << name_of(options);
      EXPECT_EQ(compressed->algorithm(), options.algorithm);
      EXPECT_EQ(compressed->original_size_bytes(), value.size_bytes());
      const auto again = compression.decompress(*compressed);
      ASSERT_TRUE(again) << name_of(options);
      EXPECT_EQ(again->stored(), value.stored()) << name_of(options);
    }
  }
}

TEST(Compression, BytesThatWereKeptAreReadWithAnySettings) {
  const Value value = std::string(3000, 'x');
  const Compression other({.enabled = false, .algorithm = CompressionAlgorithm::lz4, .level = 1});
  for (const CompressionOptions& options : every_setting()) {
    auto kept = Compression(options).compress(value).value().bytes();
    const auto taken_back = Compressed::from_bytes(std::move(kept));
    ASSERT_TRUE(taken_back) << name_of(options);
    EXPECT_EQ(taken_back->algorithm(), options.algorithm);
    EXPECT_EQ(other.decompress(*taken_back).value(), value);
  }
}

TEST(Compression, OnlyValuesOverTheThresholdShouldBeCompressed) {
  const Compression compression;
  EXPECT_FALSE(compression.should_compress("small"));
  EXPECT_FALSE(compression.should_compress(Bytes(std::string(1024, 'x'))));
  EXPECT_TRUE(compression.should_compress(Bytes(std::string(1025, 'x'))));
  EXPECT_FALSE(compression.should_compress(std::string(2000, '\xff')));  // invalid
  EXPECT_FALSE(Compression({.enabled = false}).should_compress(std::string(2000, 'x')));
  EXPECT_TRUE(Compression({.threshold_bytes = 0}).should_compress(1));
}

TEST(Compression, SmallValuesAndDisabledCompressionAreCompressedOnRequest) {
  const Compression compression({.enabled = false});
  EXPECT_EQ(compression.decompress(compression.compress(7).value()).value(), 7);
}

TEST(Compression, TheDefaultsAreThoseOfTheManual) {
  const CompressionOptions options = Compression().config();
  EXPECT_TRUE(options.enabled);
  EXPECT_EQ(options.algorithm, CompressionAlgorithm::zlib);
  EXPECT_EQ(options.threshold_bytes, 1024U);
  EXPECT_EQ(options.level, 6);
}

TEST(Compression, LevelsAreZeroToNine) {
  for (const auto algorithm : every_algorithm) {
    for (const int level : {-1, 10, 22, 1'000'000}) {
      const CompressionOptions options{.algorithm = algorithm, .level = level};
      const auto checked = Compression::check(options);
      ASSERT_FALSE(checked) << name_of(options);
      EXPECT_EQ(checked.error().code(), Errc::invalid_request);
      const Compression compression(options);
      EXPECT_EQ(compression.compress(1).error().code(), Errc::invalid_request);
      EXPECT_EQ(compression.stats(1).error().code(), Errc::invalid_request);
      EXPECT_EQ(compression.decompress(Compression().compress(1).value()).value(), 1);
    }
  }
  for (const CompressionOptions& options : every_setting())
    EXPECT_TRUE(Compression::check(options)) << name_of(options);
  EXPECT_FALSE(Compression::check({.algorithm = static_cast<CompressionAlgorithm>(4)}));
}

TEST(Compression, StatsTellSizesAndSavings) {
  const Value value = Bytes(std::string(10'000, 'x'));
  for (const CompressionOptions& options : every_setting()) {
    SCOPED_TRACE(name_of(options));
    const Compression compression(options);
    const auto stats = compression.stats(value);
    ASSERT_TRUE(stats);
    const auto compressed_size = static_cast<std::int64_t>(compression.compress(value).value().bytes().size());
    EXPECT_EQ(stats->original_size_bytes, 10'000U);
    EXPECT_EQ(stats->compressed_size_bytes, static_cast<std::uint64_t>(compressed_size));
    EXPECT_EQ(stats->savings_bytes, 10'000 - compressed_size);
    EXPECT_DOUBLE_EQ(stats->compression_ratio, static_cast<double>(compressed_size) / 100);
    EXPECT_DOUBLE_EQ(stats->savings_percent, 100 - stats->compression_ratio);
    EXPECT_EQ(stats->savings_percent > 99, options.level > 0);
  }
}

TEST(Compression, AValueThatGrowsHasNegativeSavings) {
  base::Random random(57);
  const auto stats = Compression().stats(Bytes(compress::random_bytes(random, 100)));
  ASSERT_TRUE(stats);
  EXPECT_LT(stats->savings_bytes, 0);
  EXPECT_LT(stats->savings_percent, 0);
  EXPECT_GT(stats->compression_ratio, 100);
}

TEST(Compression, StatsOfAnEmptyValueAreNumbers) {
  const auto stats = Compression().stats(Bytes(""));
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->compression_ratio, 100);
  EXPECT_EQ(stats->savings_percent, 0);
  EXPECT_LT(stats->savings_bytes, 0);
}

TEST(Compression, AnInvalidValueIsRefusedWithItsReason) {
  const Value invalid = "bad \xff text";
  const auto compressed = Compression().compress(invalid);
  ASSERT_FALSE(compressed);
  EXPECT_EQ(compressed.error().code(), Errc::invalid_request);
  EXPECT_NE(compressed.error().message().find("UTF-8"), std::string::npos);
  EXPECT_FALSE(Compression().stats(invalid));
}

TEST(Compression, AValueLargerThanAllowedIsRefused) {
  const Compression compression;
  const auto compressed = compression.compress(Bytes(std::string(5000, 'x'))).value();
  EXPECT_EQ(compression.decompress(compressed, 4999).error().code(), Errc::value_too_large);
  EXPECT_TRUE(compression.decompress(compressed, 5000));
}

TEST(Compression, BytesThatAreNoCompressedValueAreRefused) {
  for (const std::string bytes : {"", "x", "\x01plain", "\x18", "\x10", "\x10\xff\xff"}) {
    const auto taken = Compressed::from_bytes(bytes);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), Errc::invalid_request);
  }
}

TEST(Compression, BytesThatClaimToBeJsonAreLookedAt) {
  const Compression compression;
  for (const std::string text : {"{\"a\":", "no json", "[1,1e999]", "\"\xff\""}) {
    std::string bytes = compression.compress(Bytes(text)).value().bytes();
    bytes[0] = static_cast<char>(bytes[0] & ~1);  // from bytes to JSON
    const auto value = compression.decompress(Compressed::from_bytes(bytes).value());
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code(), Errc::invalid_request);
  }
}

TEST(Compression, MovesToAnotherOwner) {
  Compression first({.level = 1});
  Compression second = std::move(first);
  first = Compression({.level = 2});
  EXPECT_EQ(second.config().level, 1);
  EXPECT_EQ(first.config().level, 2);
  EXPECT_EQ(first.decompress(second.compress("both work").value()).value(), "both work");
}

}  // namespace
}  // namespace concord
