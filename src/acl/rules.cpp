#include "acl/rules.hpp"

#include <algorithm>

namespace concord::acl {

using command::Command;
using command::CommandKind;
using command::Guard;
using command::GuardKind;
using command::Operation;
using command::OperationKind;
using command::Transaction;

namespace {

bool may(const Token& token, Permission permission, std::string_view key) noexcept {
  return token.has(permission) && token.scope.covers(key);
}

bool may(const Token& token, const Guard& guard) noexcept {
  const bool looks_into_value = guard.kind == GuardKind::value_equals || guard.kind == GuardKind::filter;
  return may(token, looks_into_value ? Permission::read : Permission::write, guard.key) ||
         (!looks_into_value && may(token, Permission::read, guard.key));
}

bool may(const Token& token, const Operation& operation) noexcept {
  switch (operation.kind) {
    case OperationKind::get: return may(token, Permission::read, operation.key);
    case OperationKind::put:
    case OperationKind::remove:
    case OperationKind::touch: return may(token, Permission::write, operation.key);
    case OperationKind::delete_where:
      return token.has(Permission::write) && (!operation.selector.filter || token.has(Permission::read));
  }
  return false;
}

Refusal refusal_unless(bool allowed) noexcept { return allowed ? Refusal::none : Refusal::forbidden; }

}  // namespace

Refusal judge_key(const Token& token, Permission permission, std::string_view key) noexcept {
  return refusal_unless(may(token, permission, key));
}

Refusal judge(const Token& token, const Transaction& transaction) noexcept {
  const auto allowed = [&](const auto& each) { return may(token, each); };
  return refusal_unless(std::ranges::all_of(transaction.guards, allowed) &&
                        std::ranges::all_of(transaction.then, allowed) &&
                        std::ranges::all_of(transaction.otherwise, allowed));
}

Refusal judge(const Token* token, base::ClusterTimeMs now_ms, const Command& command) noexcept {
  if (token == nullptr || token->has_expired(now_ms)) return Refusal::unauthorized;
  switch (command.kind) {
    case CommandKind::put:
    case CommandKind::remove:
    case CommandKind::touch: return judge_key(*token, Permission::write, command.key);
    case CommandKind::transaction:
    case CommandKind::once: return judge(*token, command.transaction);
    case CommandKind::token_create:
    case CommandKind::token_revoke:
    case CommandKind::restore_begin:
    case CommandKind::restore_chunk:
    case CommandKind::restore_commit:
    case CommandKind::restore_abort: return refusal_unless(token->has(Permission::admin));
    case CommandKind::expire: break;
  }
  return Refusal::forbidden;
}

}  // namespace concord::acl
