// Who calls, and the tokens by which that is known: the replicated tokens as this node has them, and the ways to change them.
//
// A token that this node does not know may be one it has not heard of yet: before it is refused, the leader is asked how far the
// state must be. The token of the configuration is made when it is first brought and there is no admin; a node that is alone makes
// it when it is opened. What a token has done on this node is noted beside it (security/last_use.hpp).
//
// Thread rule: any thread. Completions run inside the call, or where the runtime's do.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/auth.hpp>
#include <concord/error.hpp>
#include <concord/options.hpp>
#include <concord/store.hpp>

#include "acl/access.hpp"
#include "command/token.hpp"
#include "node/runtime.hpp"
#include "security/last_use.hpp"

namespace concord::database {

class Authentication {
 public:
  using Done = std::move_only_function<void(Result<void>)>;
  using Milliseconds = std::chrono::milliseconds;

  /// `runtime` outlives all calls, and ends before this does.
  explicit Authentication(node::Runtime& runtime);
  /// `told` hears of each token that is revoked through this node, once it is. Before any call.
  void on_revoked(std::function<void(command::TokenId)> told) { on_revoked_ = std::move(told); }

  /// Before anybody calls. Errors: invalid_request: who may do everything is neither in the data nor given.
  [[nodiscard]] Result<void> begin();

  [[nodiscard]] bool is_on() const noexcept { return is_on_; }
  /// Nobody's: the token is not known here, or has expired. Everybody's: authentication is off.
  [[nodiscard]] acl::Access find(std::string_view secret);
  /// The same once this node knows all that the leader does. Errors: unauthorized, cluster_not_ready, timeout.
  void when_found(std::string_view secret, Milliseconds timeout, Completion<acl::Access> done);
  [[nodiscard]] Result<acl::Access> wait_found(std::string_view secret, Milliseconds timeout);
  /// The same as of now. Errors: unauthorized.
  [[nodiscard]] Result<acl::Access> renewed(const acl::Access& access) const;
  /// It is still valid, and lets do what it let do then: for who goes on without asking again. Errors: unauthorized, forbidden.
  [[nodiscard]] Result<void> confirm(const acl::Access& access) const;

  /// Errors: invalid_request, condition_failed (its user or tenant), overloaded, and those of a write.
  void create(const NewToken& wanted, const acl::Access& access, Milliseconds timeout, Completion<CreatedToken> done);
  /// Errors: not_found, and those of a write.
  void revoke(std::string_view id, const acl::Access& access, Milliseconds timeout, Done done);
  void revoke_secret(std::string_view secret, const acl::Access& access, Milliseconds timeout, Done done);
  /// Errors: cluster_not_ready.
  [[nodiscard]] Result<std::vector<TokenInfo>> list() const;

 private:
  [[nodiscard]] acl::TokenPointer known(const command::SecretHash& hash) const;
  [[nodiscard]] acl::Access access_of(acl::TokenPointer token);
  [[nodiscard]] bool has_admin() const;
  [[nodiscard]] bool may_be_made(const command::SecretHash& hash) const;
  [[nodiscard]] command::TokenRecord first_record() const;
  void make_first(Milliseconds timeout, Completion<acl::Access> done);
  void revoke_known(command::TokenId id, const acl::Access& access, Milliseconds timeout, Done done);
  [[nodiscard]] TokenInfo info_of(const acl::Token& token) const;
  /// Of one that was asked for just now.
  [[nodiscard]] static TokenInfo info_of(const command::TokenRecord& record, std::uint64_t wall_ms);

  node::Runtime& runtime_;
  std::function<void(command::TokenId)> on_revoked_;
  const bool is_on_;
  const bool has_first_;  ///< the configuration has a token
  command::SecretHash first_hash_{};
  security::LastUse last_use_;
};

/// Of the error codes by which a call ends.
[[nodiscard]] Result<void> allowed(command::Refusal refusal);
/// Of those by which a change of tokens, roles, users or tenants ends that the state does not take.
[[nodiscard]] Error error_of(const command::OperationResult& result, std::string_view what);

}  // namespace concord::database
