// What every door checks before a write is encoded; so the embedded API, HTTP and the CLI refuse the same things in the same
// words. Messages name the field, the limit and what was seen; they never quote a value.
// Errors stand beside each call. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "command/transaction.hpp"

namespace concord::command {

/// invalid_key: not 1 to 1024 bytes.
[[nodiscard]] Result<void> validate_key(std::string_view key);

/// invalid_request: no JSON form (the reason is `Value`'s); value_too_large. `stored` is a stored form.
[[nodiscard]] Result<void> validate_value(std::string_view stored, std::size_t max_value_bytes);

/// invalid_request: not 1 to 3 153 600 000 s.
[[nodiscard]] Result<void> validate_ttl(std::int64_t ttl_s);

/// invalid_request: start behind end, a pattern or filter that does not compile.
[[nodiscard]] Result<void> validate_selector(const Selector& selector);

/// Everything of the above over a whole transaction, and batch_too_large (more than 500 guards, then or otherwise),
/// invalid_request (no operation at all, a delete_where without any part).
[[nodiscard]] Result<void> validate_transaction(const Transaction& transaction, const Limits& limits);

/// invalid_request: a key that has not 1 to 128 bytes, a scope of more.
[[nodiscard]] Result<void> validate_once(const Once& once);

}  // namespace concord::command
