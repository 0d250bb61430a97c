// Goal: a packer tries what it is told to, keeps what gets smaller, and serves many threads. Method: tables of options, random
// values over all settings, threads over one packer.
#include "compress/packer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/check.hpp"
#include "compress/packed.hpp"
#include "compress/testing_values.hpp"

namespace concord::compress {
namespace {

TEST(Packer, ValuesOverTheThresholdArePackedWithoutBeingAskedFor) {
  const Packer packer({.threshold_bytes = 100});
  EXPECT_FALSE(packer.wants(Value(Bytes(std::string(100, 'x'))).stored(), std::nullopt));
  EXPECT_TRUE(packer.wants(Value(Bytes(std::string(101, 'x'))).stored(), std::nullopt));
  EXPECT_FALSE(packer.wants(Value(std::string(98, 'x')).stored(), std::nullopt));  // the quotes count
  EXPECT_TRUE(packer.wants(Value(std::string(99, 'x')).stored(), std::nullopt));
}

TEST(Packer, AnExplicitWishBeatsThresholdAndSwitch) {
  for (const bool enabled : {false, true}) {
    const Packer packer({.enabled = enabled});
    const Value large = std::string(2000, 'x');
    EXPECT_EQ(packer.wants(large.stored(), std::nullopt), enabled);
    EXPECT_TRUE(packer.wants(large.stored(), true));
    EXPECT_FALSE(packer.wants(large.stored(), false));
    EXPECT_TRUE(packer.wants(Value(1).stored(), true));
    EXPECT_FALSE(packer.wants(Value(1).stored(), std::nullopt));
  }
}

TEST(Packer, WhatIsPackedOrInvalidIsNotPackedAgain) {
  const Packer packer({});
  std::string packed;
  ASSERT_TRUE(packer.pack(Value(std::string(2000, 'x')).stored(), packed));
  packed += std::string(2000, 'x');
  EXPECT_FALSE(packer.wants(packed, true));
  EXPECT_FALSE(packer.wants(Value("bad \xff text").stored(), true));
}

TEST(Packer, OnlyWhatGetsSmallerIsPacked) {
  constexpr std::uint64_t seed = 53;
  base::Random random(seed);
  for (const CompressionOptions& options : every_setting()) {
    const Packer packer(options);
    std::string out;
    for (int round = 0; round < 40; ++round) {
      const Value value = random_value(random);
      if (!packer.pack(value.stored(), out)) continue;
      EXPECT_LT(out.size(), value.stored().size()) << "seed " << seed << " " << name_of(options) << " round " << round;
    }
  }
}

TEST(Packer, ValuesThatDoNotGetSmallerStayPlain) {
  constexpr std::uint64_t seed = 54;
  base::Random random(seed);
  for (const CompressionOptions& options : every_setting()) {
    const Packer packer(options);
    std::string out;
    EXPECT_FALSE(packer.pack(Value(Bytes(random_bytes(random, 5000))).stored(), out)) << name_of(options);
    EXPECT_FALSE(packer.pack(Value(Bytes("")).stored(), out)) << name_of(options);
    EXPECT_FALSE(packer.pack(Value(7).stored(), out)) << name_of(options);
    EXPECT_FALSE(packer.pack(Value("abc").stored(), out)) << name_of(options);
    EXPECT_EQ(packer.pack(Value(std::string(5000, 'x')).stored(), out), options.level > 0) << name_of(options);
  }
}

TEST(Packer, LevelZeroStoresWithoutCompressing) {
  for (const auto algorithm : every_algorithm) {
    const Packer packer({.algorithm = algorithm, .level = 0});
    for (const std::size_t size : {0U, 1U, 14U, 15U, 16U, 269U, 270U, 271U, 525U, 70'000U, 400'000U}) {
      std::string text;
      for (std::size_t i = 0; text.size() < size; ++i) text += static_cast<char>('a' + i % 7);
      std::string out;
      ASSERT_TRUE(packer.pack_always(Value(Bytes(text)).stored(), out));
      EXPECT_GE(out.size(), size) << name_of({.algorithm = algorithm, .level = 0});
      const auto value = unpack_value(out, size);
      ASSERT_TRUE(value) << name_of({.algorithm = algorithm, .level = 0}) << " size " << size;
      EXPECT_EQ(value->bytes(), text);
    }
  }
}

TEST(Packer, AHigherLevelIsNotWorseOnText) {
  constexpr std::uint64_t seed = 55;
  base::Random random(seed);
  std::string text;
  while (text.size() < 20'000) text += value::RandomJson(random).spelling(value::RandomJson(random).document());
  for (const auto algorithm : every_algorithm) {
    std::string low;
    std::string high;
    ASSERT_TRUE(Packer({.algorithm = algorithm, .level = 1}).pack(Value(Bytes(text)).stored(), low));
    ASSERT_TRUE(Packer({.algorithm = algorithm, .level = 9}).pack(Value(Bytes(text)).stored(), high));
    EXPECT_LT(high.size(), low.size()) << "seed " << seed;
  }
}

TEST(Packer, OptionsOutsideTheirRangeAreABrokenPromise) {
  EXPECT_THROW(Packer({.level = 10}), base::InvariantFailure);
  EXPECT_THROW(Packer({.level = -1}), base::InvariantFailure);
}

TEST(Packer, ManyThreadsShareOnePacker) {
  constexpr std::uint64_t seed = 56;
  for (const auto algorithm : every_algorithm) {
    const Packer packer({.algorithm = algorithm});
    const Unpacker unpacker;
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < 20; ++thread) {  // more than the pool keeps
      threads.emplace_back([&, thread] {
        base::Random random(seed + thread);
        std::string out;
        for (int round = 0; round < 20; ++round) {
          const Value value = Bytes(random_runs(random, random.below(5000)));
          const bool good = packer.pack_always(value.stored(), out) &&
                            unpacker.unpack_value(out, value.size_bytes()).value_or(nullptr) == value;
          wrong += good ? 0 : 1;
        }
      });
    }
    threads.clear();
    EXPECT_EQ(wrong, 0) << "seed " << seed << " " << name_of({.algorithm = algorithm});
  }
}

TEST(Packer, PassesOverWhatLooksRandomUnlessItIsAskedTo) {
  const Packer packer({});
  base::Random random(5);
  std::string noise(1, static_cast<char>(Value::bytes_tag));
  std::string letters = noise;
  for (int i = 0; i < 10'000; ++i) {
    noise += static_cast<char>(random.next());
    letters += static_cast<char>('A' + random.below(64));  // as base64 is: three quarters at best
  }
  std::string out;
  EXPECT_FALSE(looks_compressible(noise));
  EXPECT_FALSE(packer.pack_if_wanted(noise, std::nullopt, out));
  EXPECT_FALSE(packer.pack_if_wanted(noise, true, out)) << "it gets no smaller";
  EXPECT_TRUE(packer.pack_if_wanted(letters, std::nullopt, out));
  EXPECT_FALSE(packer.pack_if_wanted(letters, false, out));
  EXPECT_TRUE(looks_compressible(std::string(1 << 20, 'x')));
  EXPECT_TRUE(looks_compressible(""));
}

}  // namespace
}  // namespace concord::compress
