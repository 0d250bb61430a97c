// Optimistic writing: read a key, decide, commit guarded by what was read; again when somebody was quicker.
//
// Errors: what `decide` returns; timeout when others were quicker until the deadline (then nothing was changed); those of reading
// and committing. A commit whose outcome is unknown is never repeated. Thread rule: as the store's calls.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <concord/store.hpp>

namespace concord::calls {

class Gate;

/// What to commit, given what the key has (null: missing); nothing: there is nothing to do. Its guards must fail when the key
/// has changed since.
using Decide = std::function<Result<std::optional<Transaction>>(const Entry*)>;

/// The result of the commit that went through; nothing when there was nothing to do.
[[nodiscard]] Result<std::optional<TransactionResult>> retry(Store& store, std::string_view key,
                                                             const WriteOptions& options, const Decide& decide);
/// `gate` is that of the store.
void retry_async(AsyncStore& store, std::shared_ptr<Gate> gate, std::string_view key, const WriteOptions& options,
                 Decide decide, Completion<std::optional<TransactionResult>> done);

}  // namespace concord::calls
