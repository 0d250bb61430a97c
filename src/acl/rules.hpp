// What a token may do. One place for all doors and for applying: a write is judged where it comes in, so that a refused one takes no
// place in the log, and again where it stands in the log, by the state of there.
//
//   read    values and keys: `get` in a transaction, and guards and selectors that look into values (equals, filter): who may only
//           write must not find out by trying
//   write   put, remove, touch, delete_where
//   admin   everything, tokens and members too
//
// Each permission has its own scope (acl/rights.hpp). Every key that a transaction names must be in that of the permission it takes, those of its guards
// too. What a delete_where matches outside the scope is not looked at: that of `write`, and with a filter that of `read` too
// (`delete_scope`). Thread rule: pure functions.
#pragma once

#include <string_view>

#include "acl/token.hpp"
#include "command/entry.hpp"
#include "command/transaction.hpp"

namespace concord::acl {

using command::Refusal;

[[nodiscard]] Refusal judge_key(const Rights& rights, Permission permission, std::string_view key) noexcept;
[[nodiscard]] Refusal judge(const Rights& rights, const command::Transaction& transaction) noexcept;
/// The keys that a delete_where sees.
[[nodiscard]] Scope delete_scope(const Rights& rights, const command::Selector& selector);
/// Null: there is no such token.
[[nodiscard]] Refusal judge(const Token* token, base::ClusterTimeMs now_ms, const command::Command& command) noexcept;

}  // namespace concord::acl
