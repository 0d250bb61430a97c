// What a token may do. One place for all doors and for applying: a write is judged where it comes in, so that a refused one takes no
// place in the log, and again where it stands in the log, by the state of there.
//
//   read    values and keys: `get` in a transaction, and guards and selectors that look into values (equals, filter): who may only
//           write must not find out by trying
//   write   put, remove, touch, delete_where
//   admin   everything, tokens and members too
//
// Every key that a transaction names must be in the token's scope, those of its guards too. What a delete_where matches outside the
// scope is not looked at (store/apply.cpp). Thread rule: pure functions.
#pragma once

#include <string_view>

#include "acl/token.hpp"
#include "command/entry.hpp"
#include "command/transaction.hpp"

namespace concord::acl {

using command::Refusal;

[[nodiscard]] Refusal judge_key(const Token& token, Permission permission, std::string_view key) noexcept;
[[nodiscard]] Refusal judge(const Token& token, const command::Transaction& transaction) noexcept;
/// Null: there is no such token.
[[nodiscard]] Refusal judge(const Token* token, base::ClusterTimeMs now_ms, const command::Command& command) noexcept;

}  // namespace concord::acl
