// Equality by value of two stored forms: numbers as numbers (1 == 1.0 == 1e0, exactly), members of objects in any order,
// bytes only to the same bytes. Costs one look when the forms are identical, and at most n log n.
// Thread rule: pure functions. Precondition: both are stored forms.
#pragma once

#include <string_view>

namespace concord::value {

/// Over stored forms, tag included.
[[nodiscard]] bool equal_stored(std::string_view a, std::string_view b);

/// Over stored JSON text, without the tag.
[[nodiscard]] bool equal_json(std::string_view a, std::string_view b);

}  // namespace concord::value
