// All tokens there are, each with what it may do. Part of the replicated state: the same on every machine.
//
// Rules: an id and a hash are there once; a token that was revoked is gone, and its id is drawn from 2^64, so it never comes
// back; one that expired stays, to be seen, until a token is made a day later. Of a revoked token that came from a configuration
// it is remembered that it was: else the next node that has it in its configuration would make it again.
//
// A copy shares all of it until it changes. Thread rule: ordinary value.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include <absl/container/btree_map.h>

#include "acl/directory.hpp"
#include "acl/shared.hpp"
#include "acl/token.hpp"
#include "base/ids.hpp"
#include "command/token.hpp"
#include "command/transaction.hpp"

namespace concord::acl {

using TokenPointer = std::shared_ptr<const Token>;

class Tokens {
 public:
  /// Null: there is none, or it was revoked.
  [[nodiscard]] TokenPointer find(TokenId id) const;
  [[nodiscard]] TokenPointer find(const SecretHash& hash) const;
  /// One that was revoked and is remembered, too.
  [[nodiscard]] TokenPointer find_kept(TokenId id) const;
  /// By id; revoked ones that are remembered too.
  [[nodiscard]] std::vector<TokenPointer> all() const;
  [[nodiscard]] std::size_t count() const noexcept { return by_id_->size(); }
  /// One that may do everything, now.
  [[nodiscard]] bool has_admin(base::ClusterTimeMs now_ms) const;

  /// What the command says; `rights`: what it may do. `already_exists`: id or hash is in use, or it is to be the first admin and is not; `too_large`: there are
  /// as many as may be. Nothing was done then.
  command::OperationStatus create(const command::TokenRecord& record, const Directory& directory,
                                  base::ClusterTimeMs now_ms, std::uint64_t wall_ms);
  /// `not_found`: there is none.
  command::OperationStatus revoke(TokenId id);
  /// Those that have been seen for long enough since they expired.
  [[nodiscard]] std::vector<TokenPointer> expired_long_ago(base::ClusterTimeMs now_ms) const;
  /// As a snapshot has it. False: id or hash is in use.
  [[nodiscard]] bool add(TokenPointer token);

  /// Works out again what those may do that `is_affected(const Token&)` names.
  template <class IsAffected>
  void refresh(const Directory& directory, IsAffected is_affected) {
    RightsCache of_users;
    std::vector<TokenPointer> changed;
    for (const auto& [id, token] : *by_id_) {
      if (is_affected(*token)) changed.push_back(refreshed(*token, directory, of_users));
    }
    for (TokenPointer& token : changed) {
      const TokenId id = token->id;
      by_id_.own()[id] = std::move(token);
    }
  }
  /// One that is named by `is_it(const Token&)`, null: none is.
  template <class IsIt>
  [[nodiscard]] TokenPointer find_if(IsIt is_it) const {
    for (const auto& [id, token] : *by_id_) {
      if (is_it(*token)) return token;
    }
    return nullptr;
  }

 private:
  using RightsCache = absl::btree_map<std::string, Rights>;  // by the name of the user
  [[nodiscard]] static TokenPointer refreshed(const Token& token, const Directory& directory, RightsCache& of_users);
  [[nodiscard]] TokenPointer with_rights(Token token, const Directory& directory) const;

  Shared<absl::btree_map<TokenId, TokenPointer>> by_id_;
  Shared<absl::btree_map<SecretHash, TokenId>> by_hash_;
};

}  // namespace concord::acl
