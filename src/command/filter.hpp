// Filter documents: a JSON predicate on a value, evaluated inside apply and in queries.
//
//   document   := { member* }                              all members must hold; {} holds for everything
//   member     := path : predicate
//               | "$value" or "$value.path" : predicate    the value itself: for values that are no object
//               | "$key" | "$ttl" | "$revision" : predicate
//               | "$and" | "$or" | "$nor" : [document+]     | "$not" : document
//   path       := segments by '.': a member's name, or an array's index ("address.city", "tags.0")
//   predicate  := { operator* }                            an object whose members start with '$'; all must hold
//               | any other JSON value                     short for {"$eq": value}
//   operator   := "$eq" | "$ne" : value                    by value: 1 equals 1.0, members in any order
//               | "$gt" | "$gte" | "$lt" | "$lte" : scalar  within a kind only: numbers exactly, strings by bytes
//               | "$in" | "$nin" : [value*]
//               | "$exists" : boolean
//               | "$type" : "null" "bool" "boolean" "number" "string" "array" "object" "bytes"
//               | "$regex" : pattern                       RE2, searched; strings only
//               | "$size" : whole number                   length of an array
//               | "$and" | "$or" | "$nor" : [predicate+]    | "$not" : predicate
//
// A missing member satisfies "$exists": false, "$ne" and "$nin" only; "$not" is plain negation, so over a missing member it
// holds whenever what it negates does not. An array is compared as a whole, its items are not looked into. `$ttl` is null
// for a key without expiry; `$key` is a string, or bytes when it is not UTF-8. Depth at most 32, text at most 16 KiB.
//
// Cost: the value is walked once, whatever the number of paths, and never decoded as a whole.
// Errors: `invalid_request`, naming what is wrong. Thread rule: immutable; a copy is a reference.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <concord/error.hpp>
#include <concord/revision.hpp>

namespace concord::command {

struct FilterProgram;

/// What a filter looks at.
struct FilterSubject {
  std::string_view value;  ///< stored form
  std::string_view key = {};
  std::optional<std::uint64_t> ttl_s = {};  ///< remaining time, none: no expiry
  Revision revision = {};
};

class Filter {
 public:
  [[nodiscard]] static Result<Filter> parse(std::string_view json_text);

  [[nodiscard]] bool matches(const FilterSubject& subject) const;

 private:
  explicit Filter(std::shared_ptr<const FilterProgram> program) noexcept : program_(std::move(program)) {}

  std::shared_ptr<const FilterProgram> program_;
};

}  // namespace concord::command
