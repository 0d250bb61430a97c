// From the types of the public interface to those of this room, with their checks: so that a node and a client refuse the same
// things in the same words. What comes out views what went in. Thread rule: pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <concord/error.hpp>
#include <concord/query.hpp>
#include <concord/transaction.hpp>

#include "command/selector.hpp"
#include "command/transaction.hpp"

namespace concord::command {

/// Puts the place in front of the message: "then[3]: the ttl ...".
[[nodiscard]] std::unexpected<Error> at_place(std::string_view list, std::size_t position, const Error& error);

/// The ttl of a put that sets one, or keeps what the key has. Errors: invalid_request, also for both.
[[nodiscard]] Result<std::uint32_t> put_ttl(const std::optional<std::chrono::seconds>& ttl, bool keeps_it);
/// Errors: invalid_request.
[[nodiscard]] Result<std::uint32_t> touch_ttl(std::chrono::seconds ttl);

/// Errors: missing_condition, conflicting_conditions, invalid_request (a ttl).
[[nodiscard]] Result<Transaction> to_command(const concord::Transaction& transaction);

/// A C++ predicate has no place in it. Errors: invalid_request (a limit of 0).
[[nodiscard]] Result<Selector> to_selector(const Query& query);

/// A query, checked and ready to be asked. Views the query.
struct Selection {
  Selector selector;
  CompiledSelector compiled;
};

/// Errors: invalid_request.
[[nodiscard]] Result<Selection> select(const Query& query);

[[nodiscard]] bool has_selector(const Query& query);

}  // namespace concord::command
