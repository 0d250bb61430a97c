// For tests: every setting, and random values that do and do not get smaller.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <concord/compression.hpp>
#include <concord/value.hpp>

#include "base/random.hpp"
#include "value/testing_json.hpp"

namespace concord::compress {

inline constexpr std::array every_algorithm = {CompressionAlgorithm::zlib, CompressionAlgorithm::gzip,
                                               CompressionAlgorithm::zstd, CompressionAlgorithm::lz4};

inline std::vector<CompressionOptions> every_setting() {
  std::vector<CompressionOptions> settings;
  for (const auto algorithm : every_algorithm) {
    for (int level = CompressionOptions::min_level; level <= CompressionOptions::max_level; ++level) {
      settings.push_back({.algorithm = algorithm, .level = level});
    }
  }
  return settings;
}

inline std::string name_of(const CompressionOptions& options) {
  static constexpr std::array names = {"zlib", "gzip", "zstd", "lz4"};
  return std::string(names[static_cast<std::size_t>(options.algorithm)]) + " level " + std::to_string(options.level);
}

inline std::string random_bytes(base::Random& random, std::size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

/// Runs of random bytes and repetitions of what was before.
inline std::string random_runs(base::Random& random, std::size_t size_bytes) {
  std::string bytes = random_bytes(random, 1 + random.below(20));
  while (bytes.size() < size_bytes) {
    const std::size_t from = random.below(bytes.size());
    random.one_in(3) ? bytes += random_bytes(random, random.below(300))
                     : bytes += bytes.substr(from, random.below(3000));
  }
  bytes.resize(size_bytes);
  return bytes;
}

inline Value random_value(base::Random& random) {
  const std::size_t size_bytes = random.below(random.one_in(20) ? 300'000 : random.one_in(2) ? 6'000 : 200);
  switch (random.below(4)) {
    case 0: return Bytes(random_bytes(random, size_bytes));
    case 1: return Bytes(random_runs(random, size_bytes));
    case 2: return std::string(size_bytes, static_cast<char>('a' + random.below(26)));
    default: return value::RandomJson(random).document(6);
  }
}

}  // namespace concord::compress
