// How many connections this process may have open.
#pragma once

#include <cstdint>

namespace concord::app {

/// Raises this process's limit of open files so far that `wanted` connections find room beside its other files, or as far as its
/// hard limit goes; never lowers it. How many connections find room then.
[[nodiscard]] std::uint64_t allow_connections(std::uint64_t wanted) noexcept;

}  // namespace concord::app
