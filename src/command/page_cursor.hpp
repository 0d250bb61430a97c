// Where a listing goes on: what a client gets with one page and gives back for the next.
//
//   cursor    := base64url (RFC 4648, unpadded) of: format:u8(=1) query:fixed32 last_key:rest
//   query     := CRC32C over the selector's parts, so that a cursor of another query is refused
//
// The position is a key, not a number: whatever comes and goes meanwhile, what is there all the time is given out once. A cursor
// means the same on every node and after every restart.
// Errors: invalid_request. Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include <concord/error.hpp>

#include "command/transaction.hpp"

namespace concord::command {

/// `is_narrowed`: the query has a C++ predicate besides.
[[nodiscard]] std::string encode_cursor(const Selector& selector, bool is_narrowed, std::string_view last_key);

/// The last key that was given out.
[[nodiscard]] Result<std::string> decode_cursor(std::string_view cursor, const Selector& selector, bool is_narrowed);

}  // namespace concord::command
