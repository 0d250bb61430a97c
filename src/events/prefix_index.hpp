// Which subscribers may want a key: by the prefixes that they ask for, so that those of other prefixes cost nothing.
//
// Prefixes are looked up by their hash, once for each length that any has; so that nobody can make a key cost many look-ups, only
// the first `most_bytes` of a prefix count here, and whoever is found looks at the rest himself.
//
// Thread rule: its owner's lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace concord::events {

template <class T>
class PrefixIndex {
 public:
  static constexpr std::size_t most_bytes = 64;

  /// Precondition: the prefix is not empty.
  void add(std::string_view prefix, T* item) {
    prefix = prefix.substr(0, most_bytes);
    ++lengths_[prefix.size()];
    items_[std::string(prefix)].push_back(item);
  }

  void remove(std::string_view prefix, T* item) {
    prefix = prefix.substr(0, most_bytes);
    const auto found = items_.find(prefix);
    if (found == items_.end() || std::erase(found->second, item) == 0) return;
    if (found->second.empty()) items_.erase(found);
    const auto length = lengths_.find(prefix.size());
    if (--length->second == 0) lengths_.erase(length);
  }

  [[nodiscard]] bool is_empty() const noexcept { return items_.empty(); }

  /// `visit(T&)` of all whose prefix the key has.
  template <class Visit>
  void visit(std::string_view key, Visit visit) const {
    for (const auto& [length, count] : lengths_) {
      if (length > key.size()) return;
      const auto found = items_.find(key.substr(0, length));
      if (found == items_.end()) continue;
      for (T* item : found->second) visit(*item);
    }
  }

  template <class Visit>
  void visit_all(Visit visit) const {
    for (const auto& [prefix, items] : items_) {
      for (T* item : items) visit(*item);
    }
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };

  std::map<std::size_t, std::size_t> lengths_;  // of prefixes -> how many have it
  std::unordered_map<std::string, std::vector<T*>, Hash, std::equal_to<>> items_;
};

}  // namespace concord::events
