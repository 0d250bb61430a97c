// How long the leases of an etcd last: its export names a key's lease, but not when that ends.
//
// Read from JSON lines, as `etcdctl lease timetolive ID -w json` prints each: {"id", "ttl": seconds, ...}; a ttl below 1: it has ended.
#pragma once

#include <cstdint>
#include <expected>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "import/element_reader.hpp"

namespace concord::app {

/// By the number of the lease, as it is written in decimal digits: seconds.
using Leases = std::unordered_map<std::string, std::int64_t>;

[[nodiscard]] std::expected<Leases, InputProblem> read_leases(std::istream& input);

/// A whole number of 64 bits, which may stand in a string as etcd's HTTP gateway has it. None: it is none.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view json);

}  // namespace concord::app
