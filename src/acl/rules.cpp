#include "acl/rules.hpp"

#include <algorithm>

#include "base/mutant.hpp"

namespace concord::acl {

using command::Command;
using command::CommandKind;
using command::Guard;
using command::GuardKind;
using command::Operation;
using command::OperationKind;
using command::Transaction;

namespace {

bool may(const Rights& rights, const Guard& guard) noexcept {
  const bool looks_into_value = guard.kind == GuardKind::value_equals || guard.kind == GuardKind::filter;
  return rights.covers(looks_into_value ? Permission::read : Permission::write, guard.key) ||
         (!looks_into_value && rights.covers(Permission::read, guard.key));
}

bool may(const Rights& rights, const Operation& operation) noexcept {
  switch (operation.kind) {
    case OperationKind::get: return rights.covers(Permission::read, operation.key);
    case OperationKind::put:
    case OperationKind::remove:
    case OperationKind::touch: return rights.covers(Permission::write, operation.key);
    case OperationKind::delete_where:
      return rights.has(Permission::write) && (!operation.selector->filter || rights.has(Permission::read));
  }
  return false;
}

Refusal refusal_unless(bool allowed) noexcept { return allowed ? Refusal::none : Refusal::forbidden; }

}  // namespace

Refusal judge_key(const Rights& rights, Permission permission, std::string_view key) noexcept {
  return refusal_unless(rights.covers(permission, key));
}

Refusal judge(const Rights& rights, const Transaction& transaction) noexcept {
  if (CONCORD_MUTANT("a-transaction-is-not-looked-into")) return refusal_unless(rights.has(Permission::write));
  const auto allowed = [&](const auto& each) { return may(rights, each); };
  return refusal_unless(std::ranges::all_of(transaction.guards, allowed) &&
                        std::ranges::all_of(transaction.then, allowed) &&
                        std::ranges::all_of(transaction.otherwise, allowed));
}

Scope delete_scope(const Rights& rights, const command::Selector& selector) {
  const Scope& written = rights.scope(Permission::write);
  return selector.filter ? intersection(written, rights.scope(Permission::read)) : written;
}

Refusal judge(const Token* token, base::ClusterTimeMs now_ms, const Command& command) noexcept {
  if (token == nullptr || !token->is_valid(now_ms)) return Refusal::unauthorized;
  const Rights& rights = token->rights;
  switch (command.kind) {
    case CommandKind::put:
    case CommandKind::remove:
    case CommandKind::touch: return judge_key(rights, Permission::write, command.key);
    case CommandKind::transaction:
    case CommandKind::once: return judge(rights, command.transaction);
    case CommandKind::token_create:
    case CommandKind::token_revoke:
    case CommandKind::access_set:
    case CommandKind::access_remove:
    case CommandKind::restore_begin:
    case CommandKind::restore_chunk:
    case CommandKind::restore_commit:
    case CommandKind::restore_abort: return refusal_unless(rights.has(Permission::admin));
    case CommandKind::expire: break;
  }
  return Refusal::forbidden;
}

}  // namespace concord::acl
