#include "store/apply.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "acl/rules.hpp"
#include "base/mutant.hpp"
#include "command/filter.hpp"
#include "command/selector.hpp"
#include "store/matching.hpp"
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
using command::Repeat;
using command::Selector;
using command::Transaction;

namespace {

/// `before`: what the key has, null: nothing.
std::optional<ClusterTimeMs> deadline_of(std::uint32_t ttl_s, ClusterTimeMs now_ms, const Record* before) {
  if (ttl_s == 0) return std::nullopt;
  if (ttl_s == command::keep_ttl) return before == nullptr ? std::nullopt : before->deadline_ms();
  return now_ms + ClusterTimeMs{ttl_s} * 1000;
}

std::unexpected<Error> undecodable(const Error& why) {
  return fail(Errc::storage_failed, "a command of the log can't be applied: " + why.message());
}

/// Of a command that a quota does not let happen.
Outcome refused(const KeySpace& keys, const std::string& why) {
  Outcome outcome;
  outcome.refusal = command::Refusal::quota;
  outcome.revision = Revision(keys.visible());
  outcome.results.push_back(
      {.status = OperationStatus::too_large, .revision = {}, .count = 0, .value = Value(Bytes(why))});
  return outcome;
}

/// Changes the keys of one command, notes what that makes of tenants, and tells the listener.
class Changes {
 public:
  Changes(const ApplyTo& to, ClusterTimeMs now_ms)
      : keys_(to.keys),
        quotas_(to.quotas.has_tenants() ? &to.quotas : nullptr),
        now_ms_(now_ms),
        listener_(to.listener) {}

  /// Why this put, the only one of its command, may not be; none: it may.
  [[nodiscard]] std::optional<std::string> refusal_of_put(const KeySpace::Place& place, std::string_view key,
                                                          std::string_view value) {
    if (quotas_ == nullptr || !quotas_->limits(key)) return std::nullopt;
    quotas_->note(key, size_of(place.record), value.size());
    auto excess = quotas_->excess();
    quotas_->undo();
    return excess;
  }

  void put(const KeySpace::Place& place, std::string_view key, std::string_view value, std::uint32_t ttl_s) {
    const auto deadline_ms = deadline_of(ttl_s, now_ms_, place.record);
    RecordRef record = keys_.make_record(place, key, value, deadline_ms);
    tell(ChangeKind::put, place.record, key, record.get(), deadline_ms);
    if (quotas_ != nullptr) quotas_->note(key, size_of(place.record), value.size());
    keys_.put(place, key, std::move(record));
  }
  /// Precondition: the key is there; so for `remove`.
  void touch(const KeySpace::Place& place, std::string_view key, std::uint32_t ttl_s) {
    const auto deadline_ms = deadline_of(ttl_s, now_ms_, place.record);
    RecordRef record = keys_.make_record(place, key, place.record->value(), deadline_ms);
    tell(ChangeKind::touch, place.record, key, record.get(), deadline_ms);
    keys_.put(place, key, std::move(record));
  }
  void remove(const KeySpace::Place& place, std::string_view key, ChangeKind kind = ChangeKind::remove) {
    tell(kind, place.record, key, nullptr, std::nullopt);
    if (quotas_ != nullptr) quotas_->note(key, size_of(place.record), std::nullopt);
    keys_.remove(place);
  }

 private:
  static std::optional<std::size_t> size_of(const Record* record) noexcept {
    return record == nullptr ? std::nullopt : std::optional(record->value().size());
  }
  void tell(ChangeKind kind, Record* before, std::string_view key, Record* after,
            const std::optional<ClusterTimeMs>& deadline_ms) {
    if (listener_ == nullptr) return;
    Change change{.kind = kind, .key = key, .record = after, .previous_record = before};
    if (after != nullptr) change.value = after->value();
    if (before != nullptr) {
      change.previous = before->revision();
      change.previous_value = before->value();
    }
    change.deadline_ms = deadline_ms;
    listener_->on_change(change);
  }

  KeySpace& keys_;
  Quotas* quotas_;  // null: there are no tenants
  ClusterTimeMs now_ms_;
  ChangeListener* listener_;
};

class TransactionRun {
 public:
  TransactionRun(const ApplyTo& to, const acl::Rights& rights, ClusterTimeMs now_ms)
      : keys_(to.keys), quotas_(to.quotas), rights_(rights), now_ms_(now_ms), changes_(to, now_ms) {}

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
    const bool may_be_refused = quotas_.has_tenants() && std::ranges::any_of(operations, [&](const Operation& each) {
                                  return each.kind == OperationKind::put && quotas_.limits(each.key);
                                });
    keys_.begin(revision_, is_single && !may_be_refused);
    outcome.results.reserve(operations.size());
    for (const Operation& operation : operations) {
      if (CONCORD_MUTANT("a-transaction-shows-its-first-half") && !outcome.results.empty()) {
        keys_.commit();
        keys_.begin(Revision(keys_.visible() + 1), false);
      }
      auto done = run(operation, outcome.results.emplace_back());
      // A selector compiles or not whatever the state is: nothing was changed by an earlier one that can't stay.
      if (!done) return std::unexpected(std::move(done.error()));
    }
    if (may_be_refused) {
      if (const auto excess = quotas_.excess()) {
        keys_.undo();
        quotas_.undo();
        return refused(keys_, *excess);
      }
    }
    outcome.changed = keys_.commit();
    outcome.revision = Revision(keys_.visible());
    if (!outcome.changed) {
      for (OperationResult& result : outcome.results) result.revision = std::min(result.revision, outcome.revision);
    }
    return outcome;
  }

 private:
  Result<GuardFailure> check(const Guard& guard) {
    const Record* record = keys_.locate(guard.key).record;
    if (guard.kind == GuardKind::absent) return record == nullptr ? GuardFailure::none : GuardFailure::condition_failed;
    if (record == nullptr) return GuardFailure::key_missing;
    const auto holds = [](bool value) { return value ? GuardFailure::none : GuardFailure::condition_failed; };
    switch (guard.kind) {
      case GuardKind::value_equals: {
        // One scratch is enough: a value to compare with is not packed (command/validate.hpp).
        const auto value = plain_.view(*record);
        if (!value) return undecodable(value.error());
        return holds(value::equal_stored(*value, guard.value));
      }
      case GuardKind::revision: return holds(record->revision() == guard.revision);
      case GuardKind::filter: {
        const auto filter = command::Filter::parse(guard.filter);
        if (!filter) return undecodable(filter.error());
        const auto subject = subject_of(*record, now_ms_, plain_);
        if (!subject) return undecodable(subject.error());
        return holds(filter->matches(*subject));
      }
      case GuardKind::exists:
      case GuardKind::absent: break;
    }
    return GuardFailure::none;
  }

  Result<void> run(const Operation& operation, OperationResult& result) {
    if (operation.kind == OperationKind::delete_where) return delete_where(operation, result);
    const KeySpace::Place place = keys_.locate(operation.key);
    if (operation.kind == OperationKind::put) {
      changes_.put(place, operation.key, operation.value, operation.ttl_s);
      result.revision = revision_;
      return {};
    }
    if (place.record == nullptr) {
      result.status = OperationStatus::not_found;
      return {};
    }
    if (operation.kind == OperationKind::remove) {
      changes_.remove(place, operation.key);
    } else if (operation.kind == OperationKind::touch) {
      changes_.touch(place, operation.key, operation.ttl_s);
      result.revision = revision_;
    } else {
      result.revision = place.record->revision();
      result.value = value_of(*place.record);
    }
    return {};
  }

  Result<void> delete_where(const Operation& operation, OperationResult& result) {
    const Selector& wanted = *operation.selector;
    const auto selector = command::CompiledSelector::compile(wanted);
    if (!selector) return undecodable(selector.error());
    std::vector<std::string> matching;
    const acl::Scope scope = acl::delete_scope(rights_, wanted);
    MatchCursor cursor(*selector, now_ms_, {}, &scope);
    const bool is_limited = selector->limit() != 0 && selector->limit() <= wanted.max_removed;
    const std::uint64_t most = is_limited ? selector->limit() : wanted.max_removed + 1;
    auto done = cursor.slice(newest_, wanted.max_visited, [&](const Record& record) {
      matching.emplace_back(record.key());
      return matching.size() < most;
    });
    if (!done) return undecodable(done.error());
    const bool has_enough = is_limited && matching.size() == most;
    if (!cursor.is_finished() && !has_enough) {
      result.status = OperationStatus::too_large;
      return {};
    }
    for (const std::string& key : matching) changes_.remove(keys_.locate(key), key);
    result.count = matching.size();
    return {};
  }

  /// The newest versions, those of this transaction among them.
  struct Newest {
    const KeySpace& keys;
    template <class Wants, class Visit>
    void visit_wanted(std::string_view from, Wants want, Visit visit) const {
      keys.visit_wanted(from, ~std::uint64_t{0}, want, visit);
    }
  };

  KeySpace& keys_;
  Quotas& quotas_;
  const acl::Rights& rights_;
  ClusterTimeMs now_ms_;
  Changes changes_;
  Newest newest_{keys_};
  PlainValue plain_;
  Revision revision_;
};

Outcome finish(KeySpace& keys) {
  Outcome outcome;
  outcome.changed = keys.commit();
  outcome.revision = Revision(keys.visible());
  return outcome;
}

Outcome missing(const KeySpace& keys) {
  Outcome outcome;
  outcome.revision = Revision(keys.visible());
  outcome.results.push_back({.status = OperationStatus::not_found, .revision = {}, .count = 0, .value = {}});
  return outcome;
}

/// A command on one key: put, remove, touch.
Outcome apply_single(KeySpace& keys, Changes& changes, const Command& command) {
  const KeySpace::Place place = keys.locate(command.key);
  if (place.record == nullptr && command.kind == CommandKind::touch && CONCORD_MUTANT("a-gone-key-is-prolonged")) {
    return finish(keys);
  }
  if (place.record == nullptr && command.kind != CommandKind::put) return missing(keys);
  if (command.kind == CommandKind::put) {
    if (const auto why = changes.refusal_of_put(place, command.key, command.value)) return refused(keys, *why);
  }
  keys.begin(Revision(keys.visible() + 1), true);
  if (command.kind == CommandKind::put) {
    changes.put(place, command.key, command.value, command.ttl_s);
  } else if (command.kind == CommandKind::remove) {
    changes.remove(place, command.key);
  } else {
    changes.touch(place, command.key, command.ttl_s);
  }
  return finish(keys);
}

Outcome apply_expire(KeySpace& keys, Changes& changes, const Command& command, ClusterTimeMs now_ms) {
  std::vector<std::string> due;
  const ClusterTimeMs due_ms =
      CONCORD_MUTANT("an-old-leader-expires-what-was-prolonged") ? ~ClusterTimeMs{0} : std::min(command.due_ms, now_ms);
  keys.expiry().visit_due(due_ms, [&](const Record& record) {
    due.emplace_back(record.key());
    return due.size() < command.limit;
  });
  keys.begin(Revision(keys.visible() + 1), due.size() == 1);
  for (const std::string& key : due) changes.remove(keys.locate(key), key, ChangeKind::expire);
  return finish(keys);
}

Result<Outcome> apply_once(const ApplyTo& to, const Command& command, const acl::Rights& rights, ClusterTimeMs now_ms) {
  auto answer = to.remembered.find(command.once, now_ms);
  if (answer && !CONCORD_MUTANT("a-repeated-request-is-done-again")) {
    if (answer->repeat == Repeat::conflict) answer->revision = Revision(to.keys.visible());
    return std::move(*answer);
  }
  auto outcome = TransactionRun(to, rights, now_ms).run(command.transaction);
  const bool was_decided = outcome && outcome->refusal == command::Refusal::none;
  if (was_decided) to.remembered.remember(command.once, now_ms, *outcome);
  return outcome;
}

Result<Outcome> run_command(const ApplyTo& to, const Command& command, const acl::Rights& rights,
                            ClusterTimeMs now_ms) {
  if (command.kind == CommandKind::transaction) return TransactionRun(to, rights, now_ms).run(command.transaction);
  if (command.kind == CommandKind::once) return apply_once(to, command, rights, now_ms);
  Changes changes(to, now_ms);
  if (command.kind == CommandKind::expire) return apply_expire(to.keys, changes, command, now_ms);
  return apply_single(to.keys, changes, command);
}

}  // namespace

Result<Outcome> apply_command(const ApplyTo& to, const Command& command, const acl::Rights& rights,
                              ClusterTimeMs now_ms) {
  if (to.quotas.has_tenants()) to.quotas.begin();
  auto outcome = run_command(to, command, rights, now_ms);
  if (to.quotas.has_tenants()) to.quotas.end();
  if (to.listener != nullptr && outcome) {
    // A repeat tells of the change that the first time made.
    const bool is_now = outcome->repeat == Repeat::none;
    to.listener->on_command(command.kind, outcome->changed && is_now,
                            is_now ? outcome->revision : Revision(to.keys.visible()));
  }
  return outcome;
}

}  // namespace concord::store
