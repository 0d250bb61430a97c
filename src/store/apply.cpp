#include "store/apply.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "command/filter.hpp"
#include "command/selector.hpp"
#include "store/view.hpp"
#include "value/equal.hpp"

namespace concord::store {

using base::ClusterTimeMs;
using command::Command;
using command::CommandKind;
using command::Guard;
using command::GuardFailure;
using command::GuardKind;
using command::Operation;
using command::OperationKind;
using command::OperationResult;
using command::OperationStatus;
using command::Outcome;
using command::Transaction;

namespace {

std::optional<ClusterTimeMs> deadline_of(std::uint32_t ttl_s, ClusterTimeMs now_ms) {
  if (ttl_s == 0) return std::nullopt;
  return now_ms + ClusterTimeMs{ttl_s} * 1000;
}

command::FilterSubject subject_of(const Record& record, ClusterTimeMs now_ms) {
  command::FilterSubject subject{
      .value = record.value(), .key = record.key(), .ttl_s = std::nullopt, .revision = record.revision()};
  if (const auto deadline_ms = record.deadline_ms()) {
    subject.ttl_s = *deadline_ms > now_ms ? (*deadline_ms - now_ms + 999) / 1000 : 0;
  }
  return subject;
}

std::unexpected<Error> undecodable(const Error& why) {
  return fail(Errc::storage_failed, "a command of the log can't be applied: " + why.message());
}

class TransactionRun {
 public:
  TransactionRun(KeySpace& keys, ClusterTimeMs now_ms) : keys_(keys), now_ms_(now_ms) {}

  Result<Outcome> run(const Transaction& transaction) {
    Outcome outcome;
    for (std::size_t at = 0; at < transaction.guards.size(); ++at) {
      const auto failure = check(transaction.guards[at]);
      if (!failure) return std::unexpected(failure.error());
      if (*failure == GuardFailure::none) continue;
      outcome.guard_failure = *failure;
      outcome.failed_guard = static_cast<std::uint32_t>(at);
      break;
    }
    const auto& operations = outcome.guard_failure == GuardFailure::none ? transaction.then : transaction.otherwise;
    const std::uint64_t before = keys_.visible();
    revision_ = Revision(before + 1);
    const bool is_single = operations.size() == 1 && operations.front().kind != OperationKind::delete_where;
    keys_.begin(revision_, is_single);
    outcome.results.reserve(operations.size());
    for (const Operation& operation : operations) {
      auto result = run(operation);
      // A selector compiles or not whatever the state is: nothing was changed by an earlier one that can't stay.
      if (!result) return std::unexpected(std::move(result.error()));
      outcome.results.push_back(std::move(*result));
    }
    outcome.changed = keys_.commit();
    outcome.revision = Revision(keys_.visible());
    if (!outcome.changed) {
      for (OperationResult& result : outcome.results) result.revision = std::min(result.revision, outcome.revision);
    }
    return outcome;
  }

 private:
  Result<GuardFailure> check(const Guard& guard) const {
    const Record* record = keys_.locate(guard.key).record;
    if (guard.kind == GuardKind::absent) return record == nullptr ? GuardFailure::none : GuardFailure::condition_failed;
    if (record == nullptr) return GuardFailure::key_missing;
    const auto holds = [](bool value) { return value ? GuardFailure::none : GuardFailure::condition_failed; };
    switch (guard.kind) {
      case GuardKind::value_equals: return holds(value::equal_stored(record->value(), guard.value));
      case GuardKind::revision: return holds(record->revision() == guard.revision);
      case GuardKind::filter: {
        const auto filter = command::Filter::parse(guard.filter);
        if (!filter) return undecodable(filter.error());
        return holds(filter->matches(subject_of(*record, now_ms_)));
      }
      case GuardKind::exists:
      case GuardKind::absent: break;
    }
    return GuardFailure::none;
  }

  Result<OperationResult> run(const Operation& operation) {
    if (operation.kind == OperationKind::delete_where) return delete_where(operation);
    const KeySpace::Place place = keys_.locate(operation.key);
    OperationResult result;
    if (operation.kind == OperationKind::put) {
      keys_.put(place, operation.key, operation.value, deadline_of(operation.ttl_s, now_ms_));
      result.revision = revision_;
      return result;
    }
    if (place.record == nullptr) {
      result.status = OperationStatus::not_found;
      return result;
    }
    if (operation.kind == OperationKind::remove) {
      keys_.remove(place);
    } else if (operation.kind == OperationKind::touch) {
      keys_.put(place, operation.key, place.record->value(), deadline_of(operation.ttl_s, now_ms_));
      result.revision = revision_;
    } else {
      result.revision = place.record->revision();
      result.value = value_of(*place.record);
    }
    return result;
  }

  Result<OperationResult> delete_where(const Operation& operation) {
    const auto selector = command::CompiledSelector::compile(operation.selector);
    if (!selector) return undecodable(selector.error());
    std::vector<std::string> matching;
    const command::KeyBounds& bounds = selector->bounds();
    if (!bounds.empty()) {
      keys_.visit_from(bounds.low, ~std::uint64_t{0}, [&](const Record& record) {
        if (bounds.high && record.key() >= *bounds.high) return false;
        if (selector->matches(subject_of(record, now_ms_))) matching.emplace_back(record.key());
        return selector->limit() == 0 || matching.size() < selector->limit();
      });
    }
    for (const std::string& key : matching) keys_.remove(keys_.locate(key));
    OperationResult result;
    result.count = matching.size();
    return result;
  }

  KeySpace& keys_;
  ClusterTimeMs now_ms_;
  Revision revision_;
};

Outcome finish(KeySpace& keys) {
  Outcome outcome;
  outcome.changed = keys.commit();
  outcome.revision = Revision(keys.visible());
  return outcome;
}

Outcome apply_put(KeySpace& keys, const Command& command, ClusterTimeMs now_ms) {
  keys.begin(Revision(keys.visible() + 1), true);
  keys.put(keys.locate(command.key), command.key, command.value, deadline_of(command.ttl_s, now_ms));
  return finish(keys);
}

Outcome apply_remove(KeySpace& keys, const Command& command) {
  const KeySpace::Place place = keys.locate(command.key);
  if (place.record == nullptr) {
    Outcome outcome;
    outcome.revision = Revision(keys.visible());
    outcome.results.push_back({.status = OperationStatus::not_found, .revision = {}, .count = 0, .value = {}});
    return outcome;
  }
  keys.begin(Revision(keys.visible() + 1), true);
  keys.remove(place);
  return finish(keys);
}

Outcome apply_expire(KeySpace& keys, const Command& command, ClusterTimeMs now_ms) {
  std::vector<std::string> due;
  keys.expiry().visit_due(std::min(command.due_ms, now_ms), [&](const Record& record) {
    due.emplace_back(record.key());
    return due.size() < command.limit;
  });
  keys.begin(Revision(keys.visible() + 1), due.size() == 1);
  for (const std::string& key : due) keys.remove(keys.locate(key));
  return finish(keys);
}

}  // namespace

Result<Outcome> apply_command(KeySpace& keys, const Command& command, ClusterTimeMs now_ms) {
  switch (command.kind) {
    case CommandKind::put: return apply_put(keys, command, now_ms);
    case CommandKind::remove: return apply_remove(keys, command);
    case CommandKind::expire: return apply_expire(keys, command, now_ms);
    case CommandKind::transaction: break;
  }
  return TransactionRun(keys, now_ms).run(command.transaction);
}

}  // namespace concord::store
