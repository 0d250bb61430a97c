// Users' regular expressions: RE2 syntax, linear time, bounded memory.
//
// A pattern is searched: it matches where any part of the text does, unless it is anchored with ^ and $. Text and pattern
// are UTF-8; in bytes that are not, no character class matches the bad ones.
// Errors: `invalid_request`, naming the pattern's fault. Thread rule: `search` may run on many threads at once.
#pragma once

#include <memory>
#include <string_view>

#include <concord/error.hpp>

namespace re2 {
class RE2;
}

namespace concord::command {

class Pattern {
 public:
  [[nodiscard]] static Result<Pattern> compile(std::string_view pattern);

  [[nodiscard]] bool search(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> compiled) noexcept : compiled_(std::move(compiled)) {}

  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace concord::command
