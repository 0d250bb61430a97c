#include "acl/scope.hpp"

#include <algorithm>
#include <utility>

namespace concord::acl {

Scope::Scope(std::vector<std::string> prefixes) {
  std::ranges::sort(prefixes);
  for (std::string& prefix : prefixes) {
    // Whatever begins with a prefix stands right behind it.
    if (prefixes_.empty() || !prefix.starts_with(prefixes_.back())) prefixes_.push_back(std::move(prefix));
  }
}

bool Scope::covers(std::string_view key) const noexcept {
  if (prefixes_.empty()) return true;
  const auto behind = std::ranges::upper_bound(prefixes_, key);
  return behind != prefixes_.begin() && key.starts_with(*std::prev(behind));
}

std::optional<std::string_view> Scope::next_behind(std::string_view key) const noexcept {
  const auto behind = std::ranges::upper_bound(prefixes_, key);
  if (behind == prefixes_.end()) return std::nullopt;
  return *behind;
}

}  // namespace concord::acl
