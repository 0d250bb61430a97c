#include "calls/condition.hpp"

namespace concord::calls {

template <class Options>
Result<void> check_condition(const Options& options) {
  const int given = static_cast<int>(options.expected.has_value()) + static_cast<int>(!options.condition.empty()) +
                    static_cast<int>(options.revision.has_value()) + static_cast<int>(options.exists.has_value());
  if (given == 1) return {};
  if (given == 0) {
    return fail(Errc::missing_condition, "a condition is needed: one of expected, condition, revision, exists");
  }
  return fail(Errc::conflicting_conditions,
              "only one condition is allowed: one of expected, condition, revision, exists");
}

template Result<void> check_condition(const PutIfOptions& options);
template Result<void> check_condition(const DeleteIfOptions& options);

Result<Revision> revision_of(const TransactionResult& result) {
  if (!result.succeeded) {
    if (result.key_missing) return fail(Errc::not_found, "the key does not exist");
    return fail(Errc::condition_failed, "the condition does not hold; nothing was changed");
  }
  if (!result.results.empty() && result.results.front().status == OperationStatus::not_found) {
    return fail(Errc::not_found, "the key does not exist");
  }
  return result.revision;
}

Result<std::optional<Transaction>> decide_by(const Predicate& predicate, const Operation& operation,
                                             const Entry* entry) {
  if (entry == nullptr) return fail(Errc::not_found, "the key does not exist");
  const Result<bool> holds = predicate(operation.key, entry->value);
  if (!holds) return std::unexpected(holds.error());
  if (!*holds) return fail(Errc::condition_failed, "the condition does not hold; nothing was changed");
  return Transaction{.guards = {{.key = operation.key, .revision = entry->revision}}, .then = {operation}};
}

}  // namespace concord::calls
