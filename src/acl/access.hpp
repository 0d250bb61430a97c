// In whose name a call is made: a token's, or everybody's, when authentication is off. Made at the door, handed down with the call.
//
// A default one is nobody's and may do nothing. Thread rule: ordinary value; the token it shares is immutable.
#pragma once

#include <string_view>
#include <utility>

#include "acl/rules.hpp"
#include "acl/tokens.hpp"
#include "command/transaction.hpp"

namespace concord::acl {

class Access {
 public:
  Access() = default;
  explicit Access(TokenPointer token) noexcept : token_(std::move(token)) {}
  /// Authentication is off, or the node itself acts.
  [[nodiscard]] static Access everything() noexcept {
    Access access;
    access.is_everything_ = true;
    return access;
  }

  /// Null: it is nobody's, or everybody's.
  [[nodiscard]] const Token* token() const noexcept { return token_.get(); }
  /// 0: of no token.
  [[nodiscard]] TokenId id() const noexcept { return token_ ? token_->id : TokenId(); }
  /// Of which keys; for nobody too, who is refused before. Null: of all, and nobody asks.
  [[nodiscard]] const Scope* scope(Permission permission) const noexcept {
    return token_ ? &token_->rights.scope(permission) : nullptr;
  }
  /// Null: of none.
  [[nodiscard]] const Tenant* tenant() const noexcept { return token_ ? token_->rights.tenant() : nullptr; }
  [[nodiscard]] bool is_everything() const noexcept { return is_everything_; }

  [[nodiscard]] Refusal judge(Permission permission) const noexcept {
    if (is_everything_) return Refusal::none;
    if (!token_) return Refusal::unauthorized;
    return token_->rights.has(permission) ? Refusal::none : Refusal::forbidden;
  }
  [[nodiscard]] Refusal judge_key(Permission permission, std::string_view key) const noexcept {
    if (is_everything_) return Refusal::none;
    return token_ ? acl::judge_key(token_->rights, permission, key) : Refusal::unauthorized;
  }
  [[nodiscard]] Refusal judge(const command::Transaction& transaction) const noexcept {
    if (is_everything_) return Refusal::none;
    return token_ ? acl::judge(token_->rights, transaction) : Refusal::unauthorized;
  }

 private:
  TokenPointer token_;
  bool is_everything_ = false;
};

}  // namespace concord::acl
