// A node to measure: on a directory of its own that is gone afterwards, and filled.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <concord/concord.hpp>

#include "key.hpp"

namespace bench {

[[noreturn]] inline void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

/// A directory of its own for each benchmark, gone afterwards.
class Scratch {
 public:
  Scratch() : path_(std::filesystem::current_path() / ("bench-data-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline concord::Options options_for(const Scratch& scratch, concord::Durability durability) {
  concord::Options options;
  options.data_dir = scratch / "node";
  options.durability = durability;
  options.limits.max_in_flight = 1U << 20U;
  return options;
}

inline concord::Node open(const concord::Options& options) {
  auto node = concord::Node::open(options);
  if (!node) die(node.error().message());
  return std::move(*node);
}

inline std::string random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

inline std::uint64_t revision_of(concord::Node& node) { return node.status()->storage.revision.value(); }

inline void fill(concord::Node& node, std::uint64_t keys, std::string_view value) {
  constexpr std::uint64_t batch = 500;
  std::vector<Key> names;
  for (std::uint64_t at = 0; at < keys; at += batch) {
    names.clear();
    for (std::uint64_t i = at; i < std::min(keys, at + batch); ++i) names.emplace_back(i);
    std::vector<concord::PutItem> items;
    for (const Key& name : names) items.push_back({name.view(), concord::Bytes(value)});
    if (auto put = node.put_many(items); !put) die(put.error().message());
  }
}

}  // namespace bench
