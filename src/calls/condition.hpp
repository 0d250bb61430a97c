// The condition of a conditional write, taken apart: what the transaction's guard says, or the predicate that decides here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <concord/conditional.hpp>
#include <concord/error.hpp>
#include <concord/transaction.hpp>

namespace concord::calls {

/// Errors: missing_condition, conflicting_conditions.
template <class Options>
[[nodiscard]] Result<void> check_condition(const Options& options);

/// Precondition: the condition was checked, and is no C++ predicate.
template <class Options>
[[nodiscard]] Guard guard_of(std::string_view key, const Options& options) {
  return {.key = std::string(key),
          .expected = options.expected,
          .revision = options.revision,
          .exists = options.exists,
          .condition = options.condition.filter()};
}

/// What a single guarded operation did. Errors: not_found, condition_failed.
[[nodiscard]] Result<Revision> revision_of(const TransactionResult& result);

/// A transaction on one key: commits `operation` when `predicate` holds for what the key has. Errors: not_found,
/// condition_failed, what the predicate throws.
[[nodiscard]] Result<std::optional<Transaction>> decide_by(const Predicate& predicate, const Operation& operation,
                                                           const Entry* entry);

}  // namespace concord::calls
