// The bounds of a write that are part of the contract, and those that keep one request from costing without end.
#pragma once

#include <cstddef>
#include <cstdint>

namespace concord::command {

inline constexpr std::size_t max_key_bytes = 1024;
/// Guards, then and otherwise: each.
inline constexpr std::size_t max_batch = 500;
/// A hundred years.
inline constexpr std::uint32_t max_ttl_s = 3'153'600'000U;
/// In the place of a put's ttl: the key keeps the deadline it has.
inline constexpr std::uint32_t keep_ttl = 0xffff'ffffU;

/// Of `Once`: its scope and its key, each. For so long its answer is remembered, in cluster time.
inline constexpr std::size_t max_once_bytes = 128;
inline constexpr std::uint64_t once_remembered_ms = std::uint64_t{10} * 60 * 1000;

/// What one `delete_where` may remove and look at, so that applying it holds up other writes for a fraction of a second.
inline constexpr std::uint64_t max_delete_where_removed = 100'000;
inline constexpr std::uint64_t max_delete_where_visited = 1'000'000;

inline constexpr std::size_t max_filter_bytes = 16U << 10U;
inline constexpr std::size_t max_filter_depth = 32;
inline constexpr std::size_t max_pattern_bytes = 16U << 10U;
/// A compiled pattern may take `max_pattern_memory_bytes`; a filter may hold so many.
inline constexpr std::size_t max_filter_patterns = 32;
inline constexpr std::int64_t max_pattern_memory_bytes = 1 << 20;

}  // namespace concord::command
