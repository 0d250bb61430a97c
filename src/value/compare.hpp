// Order of JSON values, for `$gt` and its like: only within a kind, else unordered.
//
//   numbers   exactly, whatever their spelling       strings   by the bytes of their text
//   booleans  false < true                           null      equal to null
//   arrays, objects  unordered
//
// Thread rule: pure functions. Precondition: both are JSON text in stored form.
#pragma once

#include <compare>
#include <string_view>

namespace concord::value {

[[nodiscard]] std::partial_ordering compare_json(std::string_view a, std::string_view b);

}  // namespace concord::value
