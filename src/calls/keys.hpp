// The keys of rows, without their entries.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <concord/store.hpp>

namespace concord::calls {

/// Moved out of `items`, which is of no use any more.
[[nodiscard]] inline std::vector<std::string> take_keys(std::vector<Item>& items) {
  std::vector<std::string> keys;
  keys.reserve(items.size());
  for (Item& item : items) keys.push_back(std::move(item.key));
  return keys;
}

}  // namespace concord::calls
