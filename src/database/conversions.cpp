#include "database/conversions.hpp"

#include <utility>

namespace concord::database {
namespace {

OperationStatus to_status(command::OperationStatus status) {
  return status == command::OperationStatus::not_found ? OperationStatus::not_found : OperationStatus::ok;
}

}  // namespace

TransactionResult to_result(command::Outcome&& outcome) {
  const bool succeeded = outcome.guard_failure == command::GuardFailure::none;
  TransactionResult result{.succeeded = succeeded,
                           .changed = outcome.changed,
                           .revision = outcome.revision,
                           .key_missing = outcome.guard_failure == command::GuardFailure::key_missing};
  if (!succeeded) result.failed_guard = outcome.failed_guard;
  result.results.reserve(outcome.results.size());
  for (command::OperationResult& one : outcome.results) {
    result.results.push_back(
        {.status = to_status(one.status), .revision = one.revision, .value = std::move(one.value)});
  }
  return result;
}

BulkResult to_bulk_result(const command::Outcome& outcome, std::size_t count) {
  BulkResult result{.revision = outcome.revision, .changed = outcome.changed};
  result.results.resize(count, OperationStatus::ok);
  for (std::size_t i = 0; i < outcome.results.size(); ++i) result.results[i] = to_status(outcome.results[i].status);
  return result;
}

std::optional<std::chrono::seconds> remaining(const std::optional<base::ClusterTimeMs>& deadline_ms,
                                              base::ClusterTimeMs now_ms) {
  if (!deadline_ms) return std::nullopt;
  // What is due and not yet removed still lives: it never shows 0.
  const std::uint64_t left_ms = *deadline_ms > now_ms ? *deadline_ms - now_ms : 1;
  return std::chrono::seconds((left_ms + 999) / 1000);
}

Entry to_entry(store::EntrySnapshot&& found, base::ClusterTimeMs now_ms) {
  return {.value = std::move(found.value),
          .revision = found.revision,
          .create_revision = found.create_revision,
          .version = found.version,
          .ttl = remaining(found.deadline_ms, now_ms)};
}

}  // namespace concord::database
