// What the log says of a role, user or tenant: that it is to be as a record says, or to go. Room acl keeps them, and knows the record's
// bytes.
#pragma once

#include <cstddef>
#include <string_view>

#include <concord/auth.hpp>

namespace concord::command {

/// More than any record of today takes.
inline constexpr std::size_t max_access_record_bytes = 128U << 10U;
inline constexpr std::size_t max_access_name_bytes = 64;

/// Views its texts.
struct AccessStep {
  std::string_view record = {};  ///< access_set
  AccessKind kind = AccessKind::role;
  std::string_view name = {};  ///< access_remove, with `kind`
};

}  // namespace concord::command
