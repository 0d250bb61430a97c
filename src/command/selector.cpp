#include "command/selector.hpp"

#include <algorithm>

namespace concord::command {

KeyBounds prefix_bounds(std::string_view prefix) {
  KeyBounds bounds{std::string(prefix), std::nullopt};
  // The first string behind all that begin with `prefix`: its last byte that is not 0xff, one up.
  std::string next(prefix);
  while (next.ends_with('\xff')) next.pop_back();
  if (next.empty()) return bounds;
  next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
  bounds.high = std::move(next);
  return bounds;
}

Result<CompiledSelector> CompiledSelector::compile(const Selector& selector) {
  if (selector.start && selector.end && *selector.start > *selector.end) {
    return fail(Errc::invalid_request,
                "start lies behind end: '" + std::string(*selector.start) + "' > '" + std::string(*selector.end) + "'");
  }
  CompiledSelector compiled;
  compiled.bounds_ = prefix_bounds(selector.prefix.value_or(""));
  if (selector.start) compiled.bounds_.low = std::max(compiled.bounds_.low, std::string(*selector.start));
  if (selector.end) {
    std::string behind_end(*selector.end);
    behind_end += '\0';  // `end` itself is in, and nothing lies between it and this
    auto& high = compiled.bounds_.high;
    high = high ? std::min(*high, behind_end) : behind_end;
  }
  compiled.suffix_ = selector.suffix;
  compiled.contains_ = selector.contains;
  compiled.limit_ = selector.limit;
  if (selector.pattern) {
    auto pattern = Pattern::compile(*selector.pattern);
    if (!pattern) return std::unexpected(std::move(pattern.error()));
    compiled.pattern_ = std::move(*pattern);
  }
  if (selector.filter) {
    auto filter = Filter::parse(*selector.filter);
    if (!filter) return std::unexpected(std::move(filter.error()));
    compiled.filter_ = std::move(*filter);
  }
  return compiled;
}

bool CompiledSelector::matches_key(std::string_view key) const {
  return bounds_.contain(key) && (!suffix_ || key.ends_with(*suffix_)) &&
         (!contains_ || key.find(*contains_) != std::string_view::npos) && (!pattern_ || pattern_->search(key));
}

}  // namespace concord::command
