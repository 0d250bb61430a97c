// What is worth a line in the log, but not one every second: once a minute for each key, with a bound on keys that strangers make up.
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace concord::transport {

class OnceAMinute {
 public:
  static constexpr std::uint64_t minute_ms = 60'000;
  static constexpr std::size_t max_keys = 1024;

  /// True when nothing was said of `key` in the minute before `now_ms`. With `max_keys` others in that minute: false.
  [[nodiscard]] bool allows(const std::string& key, std::uint64_t now_ms) {
    if (said_ms_.size() >= max_keys) {
      std::erase_if(said_ms_, [&](const auto& said) { return now_ms - said.second >= minute_ms; });
    }
    const auto found = said_ms_.find(key);
    if (found == said_ms_.end()) return said_ms_.size() < max_keys && said_ms_.emplace(key, now_ms).second;
    if (now_ms - found->second < minute_ms) return false;
    found->second = now_ms;
    return true;
  }

 private:
  std::unordered_map<std::string, std::uint64_t> said_ms_;
};

}  // namespace concord::transport
