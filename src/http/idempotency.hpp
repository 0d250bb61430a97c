// Idempotency-Key: a write that carries one is done once; its repeat within 10 minutes gets the first answer.
//
// What was decided is remembered by the replicated state (store/remembered.hpp), so that any member knows it. Here the request
// is given its name: the key, and a fingerprint of all that makes the request what it is: method, path, query but for the
// deadline, conditions, type and body. The same key with another fingerprint is 409 IDEMPOTENCY_CONFLICT.
#pragma once

#include <expected>
#include <optional>

#include "command/transaction.hpp"
#include "http/error_status.hpp"
#include "http/request.hpp"
#include "http/target.hpp"

namespace concord::http {

/// None: the request carries no key. Views the request. Errors: INVALID_REQUEST, not 1 to 128 printable characters.
[[nodiscard]] std::expected<std::optional<command::Once>, Problem> once_of(const Request& request, const Target& target,
                                                                           const Query& query);

/// Of a key that stands for another request.
[[nodiscard]] Problem idempotency_conflict();

}  // namespace concord::http
