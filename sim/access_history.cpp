#include "sim/access_history.hpp"

#include <algorithm>
#include <utility>

namespace concord::sim {

namespace {

/// Steps of a domain that may be the last one at some place or moment.
struct Span {
  std::size_t first = 0;
  std::size_t last = 0;
};

class Judge {
 public:
  Judge(const AccessHistory& access, const History& history, const Clocks& clocks)
      : access_(access), history_(history), clocks_(clocks) {}

  std::optional<std::string> run() {
    collect_seen();
    for (const Operation& operation : history_.operations()) {
      if (operation.token == 0) continue;
      if (auto why = problem_with(operation)) {
        return "token " + std::to_string(operation.token) + ": " + *why + "\n    in " + describe(operation);
      }
    }
    return std::nullopt;
  }

 private:
  /// Of writes that nobody answered it is known by who read them that they happened.
  void collect_seen() {
    for (const Operation& operation : history_.operations()) {
      for (const Seen& seen : operation.reads) {
        if (seen.value != 0) revisions_.emplace(seen.value, seen.revision);
      }
    }
  }

  std::optional<std::string> problem_with(const Operation& operation) const {
    const GivenToken& token = access_.tokens.at(operation.token);
    if (operation.denial == Denial::forbidden || operation.denial == Denial::unauthorized) {
      return problem_with_denial(operation, token);
    }
    if (operation.kind == Operation::Kind::read) return problem_with_read(operation, token);
    const auto revision = revision_of(operation);
    if (!revision) return std::nullopt;
    if (token.revoked && *revision > token.revoked->most) {
      return "a write at revision " + std::to_string(*revision) + " stands behind its revocation, at " +
             std::to_string(token.revoked->most);
    }
    const bool is_change = operation.fate != Fate::done || operation.changed;
    return may_some(operation, token, at_revision(domain_of(token), *revision, is_change))
               ? std::nullopt
               : std::optional<std::string>("a write at revision " + std::to_string(*revision) + " was not allowed");
  }

  [[nodiscard]] std::optional<std::uint64_t> revision_of(const Operation& operation) const {
    if (operation.fate == Fate::done) return operation.revision;
    for (const Seen& write : operation.writes) {
      if (const auto seen = revisions_.find(write.value); seen != revisions_.end()) return seen->second;
    }
    return std::nullopt;
  }

  std::optional<std::string> problem_with_read(const Operation& operation, const GivenToken& token) const {
    if (operation.fate != Fate::done) return std::nullopt;
    const bool is_strong = operation.may_lag_us == 0;
    if (is_strong && token.revoked && token.revoked->returned_us < operation.called_us) {
      return "a strong read was called behind its revocation, and answered";
    }
    Span span = between(domain_of(token), operation.called_us, operation.returned_us);
    if (!is_strong) span.first = 0;
    return may_some(operation, token, span) ? std::nullopt : std::optional<std::string>("a read was not allowed");
  }

  /// Only the log's word is looked at: a node that is behind may refuse what was granted a moment ago.
  std::optional<std::string> problem_with_denial(const Operation& operation, const GivenToken& token) const {
    if (operation.kind == Operation::Kind::read && operation.may_lag_us != 0) return std::nullopt;
    if (token.revoked && token.revoked->called_us <= operation.returned_us) return std::nullopt;
    if (may_have_expired(operation, token)) return std::nullopt;
    const Domain& domain = domain_of(token);
    const Span span = between(domain, operation.called_us, operation.returned_us);
    for (std::size_t at = span.first; at <= span.last; ++at) {
      if (!may(operation, token, domain.steps[at].rules)) return std::nullopt;
    }
    return "it was refused, and allowed all the while";
  }

  [[nodiscard]] bool may_have_expired(const Operation& operation, const GivenToken& token) const {
    if (token.ttl_s == 0) return false;
    const TimeUs by_us = operation.returned_us;
    return by_us >= token.made.called_us + clocks_.least_us(token.ttl_s, by_us);
  }

  static Span at_revision(const Domain& domain, std::uint64_t revision, bool is_change) {
    Span span;
    for (std::size_t at = 0; at < domain.steps.size(); ++at) {
      const Place& place = domain.steps[at].place;
      if (place.most < revision) span.first = at;
      if (is_change ? place.least < revision : place.least <= revision) span.last = at;
    }
    return span;
  }

  static Span between(const Domain& domain, TimeUs from_us, TimeUs to_us) {
    Span span;
    for (std::size_t at = 0; at < domain.steps.size(); ++at) {
      const Place& place = domain.steps[at].place;
      if (place.returned_us < from_us) span.first = at;
      if (place.called_us <= to_us) span.last = at;
    }
    return span;
  }

  [[nodiscard]] bool may_some(const Operation& operation, const GivenToken& token, Span span) const {
    const Domain& domain = domain_of(token);
    for (std::size_t at = span.first; at <= span.last; ++at) {
      if (may(operation, token, domain.steps[at].rules)) return true;
    }
    return false;
  }

  [[nodiscard]] bool may(const Operation& operation, const GivenToken& token, const Rules& rules) const {
    return std::ranges::all_of(operation.gets, [&](const auto& key) { return covers(token, rules, false, key); }) &&
           std::ranges::all_of(operation.writes,
                               [&](const Seen& write) { return covers(token, rules, true, write.key); });
  }

  [[nodiscard]] bool covers(const GivenToken& token, const Rules& rules, bool is_write, const std::string& key) const {
    if (!token.reach.covers(is_write, key)) return false;
    const bool is_within = key.starts_with(domain_of(token).prefix);
    if (token.owner == GivenToken::Owner::nobody) return true;
    if (token.owner == GivenToken::Owner::tenant) return is_within;
    if (rules.is_disabled || !rules.has_role || (rules.is_of_tenant && !is_within)) return false;
    return std::ranges::any_of(rules.grants, [&](const Reach& grant) { return grant.covers(is_write, key); });
  }

  [[nodiscard]] const Domain& domain_of(const GivenToken& token) const { return access_.domains[token.domain]; }

  const AccessHistory& access_;
  const History& history_;
  const Clocks clocks_;
  std::map<std::uint64_t, std::uint64_t> revisions_;  // by value
};

}  // namespace

std::optional<std::string> problem_of(const AccessHistory& access, const History& history, const Clocks& clocks) {
  return Judge(access, history, clocks).run();
}

}  // namespace concord::sim
