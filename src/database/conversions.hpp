// Between the types of the public interface and those of room command. What comes out views what went in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <concord/entry.hpp>
#include <concord/error.hpp>
#include <concord/query.hpp>
#include <concord/transaction.hpp>

#include "base/ids.hpp"
#include "command/transaction.hpp"
#include "store/state_machine.hpp"

namespace concord::database {

/// Puts the place in front of the message, as room command does: "then[3]: the ttl ...".
[[nodiscard]] std::unexpected<Error> at_place(std::string_view list, std::size_t position, const Error& error);

/// The ttl of a put. Errors: invalid_request, also for `keep_ttl` together with a ttl.
[[nodiscard]] Result<std::uint32_t> put_ttl(const std::optional<std::chrono::seconds>& ttl, bool keep_ttl);
/// Errors: invalid_request.
[[nodiscard]] Result<std::uint32_t> touch_ttl(std::chrono::seconds ttl);

/// Errors: missing_condition, conflicting_conditions, invalid_request (a ttl).
[[nodiscard]] Result<command::Transaction> to_command(const Transaction& transaction);
[[nodiscard]] TransactionResult to_result(command::Outcome&& outcome);
[[nodiscard]] BulkResult to_bulk_result(const command::Outcome& outcome, std::size_t count);

/// A C++ predicate has no place in it. Errors: invalid_request (a limit of 0).
[[nodiscard]] Result<command::Selector> to_selector(const Query& query);

/// Remaining time, rounded up, so that a living key never shows 0 (CONTRACT 10).
[[nodiscard]] std::optional<std::chrono::seconds> remaining(const std::optional<base::ClusterTimeMs>& deadline_ms,
                                                            base::ClusterTimeMs now_ms);
[[nodiscard]] Entry to_entry(store::EntrySnapshot&& found, base::ClusterTimeMs now_ms);

}  // namespace concord::database
