// A set of keys that somebody may touch: those that begin with one of some prefixes, or all, or none.
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
  /// No key.
  [[nodiscard]] static Scope nothing() {
    Scope scope;
    scope.is_nothing_ = true;
    return scope;
  }

  [[nodiscard]] bool is_everything() const noexcept { return prefixes_.empty() && !is_nothing_; }
  [[nodiscard]] bool is_nothing() const noexcept { return is_nothing_; }
  [[nodiscard]] bool covers(std::string_view key) const noexcept;
  /// Where the next keys begin that are covered, behind a key that is not; none: there are no more.
  [[nodiscard]] std::optional<std::string_view> next_behind(std::string_view key) const noexcept;
  /// As they were given, but sorted, and without those that another one covers.
  [[nodiscard]] const std::vector<std::string>& prefixes() const noexcept { return prefixes_; }
  friend bool operator==(const Scope&, const Scope&) = default;

 private:
  std::vector<std::string> prefixes_;  ///< Invariant: ascending, none begins with another one; empty when `is_nothing_`
  bool is_nothing_ = false;
};

/// The keys that are in both.
[[nodiscard]] Scope intersection(const Scope& one, const Scope& other);

}  // namespace concord::acl
