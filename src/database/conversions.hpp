// From the types of the rooms below to those of the public interface; room command has the other direction.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include <concord/entry.hpp>
#include <concord/transaction.hpp>

#include "base/ids.hpp"
#include "command/transaction.hpp"
#include "store/state_machine.hpp"

namespace concord::database {

[[nodiscard]] TransactionResult to_result(command::Outcome&& outcome);
[[nodiscard]] BulkResult to_bulk_result(const command::Outcome& outcome, std::size_t count);

/// Remaining time, rounded up, so that a living key never shows 0 (CONTRACT 10).
[[nodiscard]] std::optional<std::chrono::seconds> remaining(const std::optional<base::ClusterTimeMs>& deadline_ms,
                                                            base::ClusterTimeMs now_ms);
[[nodiscard]] Entry to_entry(store::EntrySnapshot&& found, base::ClusterTimeMs now_ms);

}  // namespace concord::database
