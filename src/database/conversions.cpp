#include "database/conversions.hpp"

#include <string>
#include <utility>

#include "command/limits.hpp"
#include "command/validate.hpp"

namespace concord::database {
namespace {

Result<command::Guard> to_guard(const Guard& guard) {
  const int given = static_cast<int>(guard.expected.has_value()) + static_cast<int>(guard.revision.has_value()) +
                    static_cast<int>(guard.exists.has_value()) + static_cast<int>(guard.condition.has_value());
  if (given != 1) {
    return fail(given == 0 ? Errc::missing_condition : Errc::conflicting_conditions,
                given == 0 ? "the guard needs one of expected, revision, exists, condition"
                           : "the guard may have only one of expected, revision, exists, condition");
  }
  command::Guard made{.key = guard.key};
  if (guard.expected) {
    made.kind = command::GuardKind::value_equals;
    made.value = guard.expected->stored();
  } else if (guard.revision) {
    made.kind = command::GuardKind::revision;
    made.revision = *guard.revision;
  } else if (guard.condition) {
    made.kind = command::GuardKind::filter;
    made.filter = guard.condition->document();
  } else {
    made.kind = *guard.exists ? command::GuardKind::exists : command::GuardKind::absent;
  }
  return made;
}

Result<command::Operation> to_operation(const Operation& operation) {
  command::Operation made{.key = operation.key};
  switch (operation.kind) {
    case Operation::Kind::put: {
      const auto ttl_s = put_ttl(operation.ttl, operation.keep_ttl);
      if (!ttl_s) return std::unexpected(ttl_s.error());
      made.kind = command::OperationKind::put;
      made.value = operation.value.stored();
      made.ttl_s = *ttl_s;
      made.compress = operation.compress;
      return made;
    }
    case Operation::Kind::touch: {
      const auto ttl_s = touch_ttl(operation.ttl.value_or(std::chrono::seconds(0)));
      if (!ttl_s) return std::unexpected(ttl_s.error());
      made.kind = command::OperationKind::touch;
      made.ttl_s = *ttl_s;
      return made;
    }
    case Operation::Kind::del: made.kind = command::OperationKind::remove; return made;
    case Operation::Kind::get: made.kind = command::OperationKind::get; return made;
  }
  return fail(Errc::invalid_request, "unknown kind of operation");
}

template <class From, class To>
Result<void> convert(const char* name, const std::vector<From>& from, std::vector<To>& to,
                     Result<To> (*one)(const From&)) {
  to.reserve(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    auto made = one(from[i]);
    if (!made) return at_place(name, i, made.error());
    to.push_back(std::move(*made));
  }
  return {};
}

OperationStatus to_status(command::OperationStatus status) {
  return status == command::OperationStatus::not_found ? OperationStatus::not_found : OperationStatus::ok;
}

}  // namespace

std::unexpected<Error> at_place(std::string_view list, std::size_t position, const Error& error) {
  return fail(error.code(), std::string(list) + "[" + std::to_string(position) + "]: " + error.message());
}

Result<std::uint32_t> put_ttl(const std::optional<std::chrono::seconds>& ttl, bool keep_ttl) {
  if (!ttl) return keep_ttl ? command::keep_ttl : 0;
  if (keep_ttl) return fail(Errc::invalid_request, "ttl and keep_ttl exclude each other");
  return touch_ttl(*ttl);
}

Result<std::uint32_t> touch_ttl(std::chrono::seconds ttl) {
  if (auto valid = command::validate_ttl(ttl.count()); !valid) return std::unexpected(std::move(valid.error()));
  return static_cast<std::uint32_t>(ttl.count());
}

Result<command::Transaction> to_command(const Transaction& transaction) {
  command::Transaction made;
  if (auto done = convert("guards", transaction.guards, made.guards, to_guard); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = convert("then", transaction.then, made.then, to_operation); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = convert("else", transaction.otherwise, made.otherwise, to_operation); !done)
    return std::unexpected(std::move(done.error()));
  return made;
}

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

Result<command::Selector> to_selector(const Query& query) {
  command::Selector selector{
      .prefix = query.prefix, .suffix = query.suffix, .contains = query.contains, .pattern = query.pattern};
  selector.start = query.start;
  selector.end = query.end;
  if (query.range) {
    if (query.start || query.end) return fail(Errc::invalid_request, "range and start or end exclude each other");
    selector.start = query.range->first;
    selector.end = query.range->second;
  }
  if (query.filter.filter()) selector.filter = query.filter.filter()->document();
  if (query.limit) {
    if (*query.limit == 0) return fail(Errc::invalid_request, "the limit is 0; it must be at least 1");
    selector.limit = *query.limit;
  }
  return selector;
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
