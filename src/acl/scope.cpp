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
  if (prefixes_.empty()) return !is_nothing_;
  const auto behind = std::ranges::upper_bound(prefixes_, key);
  return behind != prefixes_.begin() && key.starts_with(*std::prev(behind));
}

std::optional<std::string_view> Scope::next_behind(std::string_view key) const noexcept {
  const auto behind = std::ranges::upper_bound(prefixes_, key);
  if (behind == prefixes_.end()) return std::nullopt;
  return *behind;
}

Scope intersection(const Scope& one, const Scope& other) {
  if (one.is_nothing() || other.is_everything()) return one;
  if (other.is_nothing() || one.is_everything()) return other;
  // What begins with both begins with the longer one, and that with the other.
  std::vector<std::string> prefixes;
  for (const std::string& prefix : one.prefixes()) {
    if (other.covers(prefix)) prefixes.push_back(prefix);
  }
  for (const std::string& prefix : other.prefixes()) {
    if (one.covers(prefix)) prefixes.push_back(prefix);
  }
  return prefixes.empty() ? Scope::nothing() : Scope(std::move(prefixes));
}

}  // namespace concord::acl
