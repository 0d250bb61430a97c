// Goal: nothing is allowed that the rules don't allow. Method: every kind of command and part of a transaction, for every set of
// permissions and a key inside or outside the scope, against a table.
#include "acl/rules.hpp"

#include <gtest/gtest.h>

namespace concord::acl {
namespace {

using command::Command;
using command::CommandKind;
using command::Guard;
using command::GuardKind;
using command::Operation;
using command::OperationKind;
using command::Transaction;

constexpr Permissions read_bit = 1;
constexpr Permissions write_bit = 2;
constexpr Permissions admin_bit = 4;

bool holds(Permissions given, Permissions wanted) { return (given & (wanted | admin_bit)) != 0; }

Token token_of(Permissions permissions) {
  Token token{.id = TokenId(1), .permissions = permissions};
  if ((permissions & admin_bit) == 0) token.scope = Scope({"in/"});
  token.rights = limited(Rights::everything(), token);
  return token;
}

/// For every set of permissions and place of the key.
template <class Make>
void expect_needs(Permissions needed, const Make& make) {
  for (Permissions given = 1; given <= command::all_permissions; ++given) {
    for (const std::string_view key : {"in/k", "out"}) {
      const Token token = token_of(given);
      const bool is_admin = (given & admin_bit) != 0;
      const bool allowed = holds(given, needed) && (key == "in/k" || is_admin);
      EXPECT_EQ(judge(token.rights, make(key)), allowed ? Refusal::none : Refusal::forbidden)
          << int{given} << ' ' << key;
    }
  }
}

TEST(Rules, AnOperationNeedsItsPermissionAndItsKeyInScope) {
  for (const auto kind : {OperationKind::put, OperationKind::remove, OperationKind::touch, OperationKind::get}) {
    const Permissions needed = kind == OperationKind::get ? read_bit : write_bit;
    expect_needs(needed, [&](std::string_view key) { return Transaction{.then = {{.kind = kind, .key = key}}}; });
    expect_needs(needed, [&](std::string_view key) { return Transaction{.otherwise = {{.kind = kind, .key = key}}}; });
  }
}

TEST(Rules, AGuardThatLooksIntoAValueNeedsToRead) {
  for (const auto kind : {GuardKind::value_equals, GuardKind::filter}) {
    expect_needs(read_bit, [&](std::string_view key) { return Transaction{.guards = {{.kind = kind, .key = key}}}; });
  }
  for (const auto kind : {GuardKind::exists, GuardKind::absent, GuardKind::revision}) {
    expect_needs(read_bit | write_bit,
                 [&](std::string_view key) { return Transaction{.guards = {{.kind = kind, .key = key}}}; });
  }
}

TEST(Rules, OneOperationOutsideRefusesTheWholeTransaction) {
  Transaction transaction;
  for (int i = 0; i < 499; ++i) transaction.then.push_back({.kind = OperationKind::put, .key = "in/a"});
  EXPECT_EQ(judge(token_of(write_bit).rights, transaction), Refusal::none);
  transaction.then.push_back({.kind = OperationKind::put, .key = "in"});
  EXPECT_EQ(judge(token_of(write_bit).rights, transaction), Refusal::forbidden);
}

TEST(Rules, DeletingByASelectorNeedsToWriteAndByAFilterToReadToo) {
  for (Permissions given = 1; given <= command::all_permissions; ++given) {
    Operation operation{.kind = OperationKind::delete_where};
    const auto judged = [&] {
      return judge(token_of(given).rights, Transaction{.then = {operation}}) == Refusal::none;
    };
    EXPECT_EQ(judged(), holds(given, write_bit)) << int{given};
    operation.selector->filter = "{}";
    EXPECT_EQ(judged(), holds(given, write_bit) && holds(given, read_bit)) << int{given};
  }
}

TEST(Rules, CommandsOfTheLogNeedWhatTheyAreMadeOf) {
  for (Permissions given = 1; given <= command::all_permissions; ++given) {
    const Token token = token_of(given);
    const auto judged = [&](CommandKind kind, std::string_view key) {
      Command command;
      command.kind = kind;
      command.key = key;
      command.transaction.then = {{.kind = OperationKind::put, .key = key}};
      return judge(&token, 0, command);
    };
    for (const auto kind :
         {CommandKind::put, CommandKind::remove, CommandKind::touch, CommandKind::transaction, CommandKind::once}) {
      EXPECT_EQ(judged(kind, "in/k"), holds(given, write_bit) ? Refusal::none : Refusal::forbidden);
      EXPECT_EQ(judged(kind, "out"), (given & admin_bit) != 0 ? Refusal::none : Refusal::forbidden);
    }
    for (const auto kind : {CommandKind::token_create, CommandKind::token_revoke, CommandKind::access_set,
                            CommandKind::access_remove, CommandKind::restore_commit}) {
      EXPECT_EQ(judged(kind, ""), holds(given, admin_bit) ? Refusal::none : Refusal::forbidden);
    }
    EXPECT_EQ(judged(CommandKind::expire, ""), Refusal::forbidden);
  }
}

TEST(Rules, EachPermissionHasItsOwnKeys) {
  const auto granted = [](const std::vector<Grant>& grants) {
    std::vector<const Grant*> all;
    for (const Grant& grant : grants) all.push_back(&grant);
    return Rights::granted(all);
  };
  const Rights rights = granted({{.permissions = {Permission::read}, .prefixes = {"in/", "seen/"}},
                                 {.permissions = {Permission::write}, .prefixes = {"in/"}}});
  EXPECT_EQ(judge_key(rights, Permission::read, "seen/k"), Refusal::none);
  EXPECT_EQ(judge_key(rights, Permission::write, "seen/k"), Refusal::forbidden);
  Transaction transaction{.guards = {{.kind = GuardKind::filter, .key = "seen/k"}},
                          .then = {{.kind = OperationKind::put, .key = "in/k"}}};
  EXPECT_EQ(judge(rights, transaction), Refusal::none);
  transaction.then.front().key = "seen/k";
  EXPECT_EQ(judge(rights, transaction), Refusal::forbidden);
  const Rights other = granted({{.permissions = {Permission::read}, .prefixes = {"a/"}},
                                {.permissions = {Permission::write}, .prefixes = {"a/b/", "c/"}}});
  EXPECT_EQ(delete_scope(other, {}).prefixes(), (std::vector<std::string>{"a/b/", "c/"}));
  command::Selector filtered;
  filtered.filter = "{}";
  EXPECT_EQ(delete_scope(other, filtered).prefixes(), (std::vector<std::string>{"a/b/"}));
}

TEST(Rules, WhoIsLockedIsUnauthorised) {
  Command command;
  command.kind = CommandKind::put;
  command.key = "in/k";
  Token token = token_of(write_bit);
  token.rights = Rights::locked();
  EXPECT_EQ(judge(&token, 0, command), Refusal::unauthorized);
}

TEST(Rules, NobodyAndWhoHasExpiredIsUnauthorised) {
  Command command;
  command.kind = CommandKind::put;
  command.key = "in/k";
  EXPECT_EQ(judge(nullptr, 0, command), Refusal::unauthorized);
  Token token = token_of(write_bit);
  token.deadline_ms = 1000;
  EXPECT_EQ(judge(&token, 999, command), Refusal::none);
  EXPECT_EQ(judge(&token, 1000, command), Refusal::unauthorized);
}

}  // namespace
}  // namespace concord::acl
