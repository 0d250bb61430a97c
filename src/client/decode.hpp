// Answers of the HTTP API as results of calls.
//
// Errors: those of the answer; internal for an answer that a node of Concord does not give. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/store.hpp>

#include "client/request.hpp"

namespace concord::client {

/// Of a write of one key: the revision it made.
[[nodiscard]] Result<Revision> revision_of(Result<Answer>&& answer);
[[nodiscard]] Result<Value> value_of(Result<Answer>&& answer);
[[nodiscard]] Result<Entry> entry_of(Result<Answer>&& answer);
[[nodiscard]] Result<std::vector<std::optional<Entry>>> entries_of(Result<Answer>&& answer,
                                                                   const std::vector<std::string>& keys);
[[nodiscard]] Result<TransactionResult> transaction_of(Result<Answer>&& answer);
[[nodiscard]] Result<Page<Item>> page_of(Result<Answer>&& answer);
[[nodiscard]] Result<std::uint64_t> count_of(Result<Answer>&& answer);
[[nodiscard]] Result<std::uint64_t> deleted_of(Result<Answer>&& answer);
[[nodiscard]] Result<Status> status_of(Result<Answer>&& answer);
[[nodiscard]] Result<CreatedToken> created_token_of(Result<Answer>&& answer);
[[nodiscard]] Result<std::vector<TokenInfo>> tokens_of(Result<Answer>&& answer);
[[nodiscard]] Result<BackupInfo> backup_of(Result<Answer>&& answer);
[[nodiscard]] Result<BackupList> backups_of(Result<Answer>&& answer);
[[nodiscard]] Result<BackupVerdict> verdict_of(Result<Answer>&& answer);
[[nodiscard]] Result<RestoredBackup> restored_of(Result<Answer>&& answer);
[[nodiscard]] Result<EventStats> event_stats_of(Result<Answer>&& answer);
/// Of a change that leaves no revision.
/// Visits the members of the data of an answer, as text in stored form.
[[nodiscard]] Result<void> visit_data(Result<Answer>&& answer,
                                      const std::function<void(std::string_view name, std::string_view json)>& visit);
[[nodiscard]] Result<void> done_of(Result<Answer>&& answer);

}  // namespace concord::client
