// What the contract says of the state machine, in the plainest form: a map, and nothing that is quick.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "command/filter.hpp"
#include "command/selector.hpp"
#include "compress/packed.hpp"
#include "store/view.hpp"
#include "value/equal.hpp"

namespace concord::store {

using base::ClusterTimeMs;
using command::Guard;
using command::GuardFailure;
using command::GuardKind;
using command::Operation;
using command::OperationKind;
using command::OperationStatus;
using command::Outcome;
using command::Transaction;

inline std::string stored(std::string_view json) { return std::string(1, '\0') + std::string(json); }

/// The plain form, of one that may be packed.
inline std::string plain(std::string_view stored) {
  std::string value(stored);
  if (compress::is_packed(stored)) {
    EXPECT_TRUE(compress::unpack(stored, 1U << 20U, value));
  }
  return value;
}

struct ModelEntry {
  std::string value;  ///< plain
  std::uint64_t revision = 0;
  std::uint64_t create_revision = 0;
  std::uint64_t version = 0;
  std::optional<ClusterTimeMs> deadline_ms;
  friend bool operator==(const ModelEntry&, const ModelEntry&) = default;
};
using ModelMap = std::map<std::string, ModelEntry>;

/// Transactions are given to it with their values plain.
struct Model {
  ModelMap map;
  std::uint64_t revision = 0;

  struct Answer {
    std::uint64_t fingerprint = 0;
    ClusterTimeMs decided_ms = 0;
    Outcome outcome;
  };
  std::map<std::pair<std::string, std::string>, Answer> answers;  // by scope and key

  Outcome apply_once(const command::Once& once, const Transaction& transaction, ClusterTimeMs now_ms) {
    const std::pair<std::string, std::string> name(once.scope, once.key);
    if (const auto found = answers.find(name); found != answers.end() && now_ms - found->second.decided_ms <= 600'000) {
      Outcome again;
      again.revision = Revision(revision);
      const bool is_same = found->second.fingerprint == once.fingerprint;
      if (is_same) again = found->second.outcome;
      again.repeat = is_same ? command::Repeat::replayed : command::Repeat::conflict;
      return again;
    }
    Outcome outcome = apply(transaction, now_ms);
    const auto is_too_large = [](const auto& result) { return result.status == OperationStatus::too_large; };
    answers.erase(name);
    if (outcome.changed || std::ranges::none_of(outcome.results, is_too_large)) {
      answers[name] = {once.fingerprint, now_ms, outcome};
    }
    return outcome;
  }

  Outcome apply(const Transaction& transaction, ClusterTimeMs now_ms) {
    Outcome outcome;
    for (std::size_t at = 0; at < transaction.guards.size() && outcome.guard_failure == GuardFailure::none; ++at) {
      outcome.guard_failure = check(transaction.guards[at], now_ms);
      outcome.failed_guard = static_cast<std::uint32_t>(at);
    }
    const ModelMap before = map;
    const bool holds = outcome.guard_failure == GuardFailure::none;
    if (holds) outcome.failed_guard = 0;
    for (const Operation& operation : holds ? transaction.then : transaction.otherwise) run(operation, now_ms, outcome);
    outcome.changed = map != before;
    if (outcome.changed) ++revision;
    outcome.revision = Revision(revision);
    return outcome;
  }

  static command::FilterSubject subject(const std::string& key, const ModelEntry& entry, ClusterTimeMs now_ms) {
    command::FilterSubject subject{
        .value = entry.value, .key = key, .ttl_s = std::nullopt, .revision = Revision(entry.revision)};
    if (entry.deadline_ms) subject.ttl_s = *entry.deadline_ms > now_ms ? (*entry.deadline_ms - now_ms + 999) / 1000 : 1;
    return subject;
  }

  GuardFailure check(const Guard& guard, ClusterTimeMs now_ms) const {
    const auto found = map.find(std::string(guard.key));
    if (guard.kind == GuardKind::absent)
      return found == map.end() ? GuardFailure::none : GuardFailure::condition_failed;
    if (found == map.end()) return GuardFailure::key_missing;
    bool holds = true;
    if (guard.kind == GuardKind::value_equals) holds = value::equal_stored(found->second.value, guard.value);
    if (guard.kind == GuardKind::revision) holds = found->second.revision == guard.revision.value();
    if (guard.kind == GuardKind::filter) {
      holds = command::Filter::parse(guard.filter)->matches(subject(found->first, found->second, now_ms));
    }
    return holds ? GuardFailure::none : GuardFailure::condition_failed;
  }

  void delete_where(const command::Selector& wanted, ClusterTimeMs now_ms, command::OperationResult& result) {
    const auto selector = command::CompiledSelector::compile(wanted);
    std::vector<std::string> matching;
    for (const auto& [key, entry] : map) {
      if (selector->matches(subject(key, entry, now_ms))) matching.push_back(key);
      if (wanted.limit != 0 && matching.size() == wanted.limit) break;
    }
    if (matching.size() > wanted.max_removed) {
      result.status = OperationStatus::too_large;
      return;
    }
    result.count = matching.size();
    for (const std::string& key : matching) map.erase(key);
  }

  void run(const Operation& operation, ClusterTimeMs now_ms, Outcome& outcome) {
    command::OperationResult result;
    const std::string key(operation.key);
    const auto found = map.find(key);
    const std::uint64_t next = revision + 1;
    std::optional<ClusterTimeMs> deadline_ms;
    if (operation.ttl_s == command::keep_ttl) {
      if (found != map.end()) deadline_ms = found->second.deadline_ms;
    } else if (operation.ttl_s != 0) {
      deadline_ms = now_ms + operation.ttl_s * 1000ULL;
    }
    if (operation.kind == OperationKind::put) {
      const ModelEntry before = found == map.end() ? ModelEntry{"", 0, next, 0, {}} : found->second;
      map[key] = {std::string(operation.value), next, before.create_revision, before.version + 1, deadline_ms};
    } else if (operation.kind == OperationKind::delete_where) {
      delete_where(*operation.selector, now_ms, result);
    } else if (found == map.end()) {
      result.status = OperationStatus::not_found;
    } else if (operation.kind == OperationKind::remove) {
      map.erase(found);
    } else if (operation.kind == OperationKind::touch) {
      found->second = {found->second.value, next, found->second.create_revision, found->second.version + 1,
                       deadline_ms};
    } else {
      result.value = Value::from_stored(found->second.value);
    }
    outcome.results.push_back(std::move(result));
  }

  Outcome expire(ClusterTimeMs due_ms, std::uint64_t limit) {
    std::vector<std::tuple<ClusterTimeMs, std::uint64_t, std::string>> due;
    for (const auto& [key, entry] : map) {
      if (entry.deadline_ms && *entry.deadline_ms <= due_ms) due.emplace_back(*entry.deadline_ms, entry.revision, key);
    }
    std::ranges::sort(due);
    if (due.size() > limit) due.resize(static_cast<std::size_t>(limit));
    for (const auto& [deadline, at, key] : due) map.erase(key);
    Outcome outcome;
    outcome.changed = !due.empty();
    if (outcome.changed) ++revision;
    outcome.revision = Revision(revision);
    return outcome;
  }
};

/// What a reader sees, values plain.
inline ModelMap contents(const View& view) {
  ModelMap all;
  view.visit_from("", [&](const Record& record) {
    all[std::string(record.key())] = {plain(record.value()), record.revision().value(),
                                      record.create_revision().value(), record.version(), record.deadline_ms()};
    return true;
  });
  return all;
}

}  // namespace concord::store
