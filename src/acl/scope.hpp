// The keys a token may touch: those that begin with one of its prefixes, or all.
//
// Thread rule: immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concord::acl {

class Scope {
 public:
  /// All keys.
  Scope() = default;
  /// None given: all keys. An empty prefix would be all keys too, and is not given.
  explicit Scope(std::vector<std::string> prefixes);

  [[nodiscard]] bool is_everything() const noexcept { return prefixes_.empty(); }
  [[nodiscard]] bool covers(std::string_view key) const noexcept;
  /// Where the next keys begin that are covered, behind a key that is not; none: there are no more.
  [[nodiscard]] std::optional<std::string_view> next_behind(std::string_view key) const noexcept;
  /// As they were given, but sorted, and without those that another one covers.
  [[nodiscard]] const std::vector<std::string>& prefixes() const noexcept { return prefixes_; }

 private:
  std::vector<std::string> prefixes_;  ///< Invariant: ascending, none begins with another one
};

}  // namespace concord::acl
