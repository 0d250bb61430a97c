#include "acl/tokens.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace concord::acl {

using base::ClusterTimeMs;
using command::OperationStatus;
using command::TokenRecord;

namespace {

/// So long an expired token can still be seen.
constexpr ClusterTimeMs shown_after_expiry_ms = 24ULL * 3600 * 1000;

}  // namespace

TokenPointer Tokens::find(TokenId id) const {
  TokenPointer token = find_kept(id);
  return token && token->is_revoked ? nullptr : token;
}

TokenPointer Tokens::find_kept(TokenId id) const {
  const auto found = by_id_->find(id);
  return found == by_id_->end() ? nullptr : found->second;
}

TokenPointer Tokens::find(const SecretHash& hash) const {
  const auto found = by_hash_->find(hash);
  return found == by_hash_->end() ? nullptr : find(found->second);
}

std::vector<TokenPointer> Tokens::all() const {
  std::vector<TokenPointer> tokens;
  tokens.reserve(by_id_->size());
  for (const auto& [id, token] : *by_id_) tokens.push_back(token);
  return tokens;
}

bool Tokens::has_admin(ClusterTimeMs now_ms) const {
  return std::ranges::any_of(*by_id_, [&](const auto& each) {
    const Token& token = *each.second;
    return token.rights.has(Permission::admin) && !token.is_revoked && token.is_valid(now_ms);
  });
}

OperationStatus Tokens::create(const TokenRecord& record, const Directory& directory, ClusterTimeMs now_ms,
                               std::uint64_t wall_ms) {
  if (record.only_as_first && has_admin(now_ms)) return OperationStatus::already_exists;
  if (by_id_->size() >= command::max_tokens) return OperationStatus::too_large;
  Token token{.id = record.id,
              .hash = record.hash,
              .permissions = record.permissions,
              .created_wall_ms = wall_ms,
              .is_first = record.only_as_first,
              .description = std::string(record.description),
              .scope = Scope({record.prefixes.begin(), record.prefixes.end()}),
              .user = std::string(record.user),
              .tenant = std::string(record.tenant)};
  if (record.expires_in_s != 0) token.deadline_ms = now_ms + ClusterTimeMs{record.expires_in_s} * 1000;
  return add(with_rights(std::move(token), directory)) ? OperationStatus::ok : OperationStatus::already_exists;
}

/// A user's tokens that say the same have the same rights, and share them.
TokenPointer Tokens::with_rights(Token token, const Directory& directory) const {
  const TokenPointer sibling = token.user.empty() ? nullptr : find_if([&](const Token& each) {
    return each.user == token.user && each.permissions == token.permissions && each.scope == token.scope &&
           each.tenant == token.tenant && !each.is_revoked;
  });
  if (sibling) {
    token.rights = sibling->rights;
    return std::make_shared<const Token>(std::move(token));
  }
  RightsCache of_users;
  return refreshed(token, directory, of_users);
}

TokenPointer Tokens::refreshed(const Token& token, const Directory& directory, RightsCache& of_users) {
  const auto of_user = [&]() -> Rights {
    if (token.user.empty()) return Rights::everything();
    if (const auto found = of_users.find(token.user); found != of_users.end()) return found->second;
    const User* user = directory.user(token.user);
    return of_users[token.user] = user == nullptr ? Rights::locked() : directory.rights_of(*user);
  };
  auto refreshed = std::make_shared<Token>(token);
  refreshed->rights = limited(of_user(), token);
  if (token.tenant.empty()) return refreshed;
  TenantPointer tenant = directory.tenant(token.tenant);
  if (tenant) {
    refreshed->rights.limit_to(std::move(tenant));
  } else {
    refreshed->rights = Rights::locked();
  }
  return refreshed;
}

OperationStatus Tokens::revoke(TokenId id) {
  const TokenPointer token = find(id);
  if (!token) return OperationStatus::not_found;
  if (token->is_first) {
    auto remembered = std::make_shared<Token>(*token);
    remembered->is_revoked = true;
    by_id_.own()[id] = std::move(remembered);
    return OperationStatus::ok;
  }
  by_hash_.own().erase(token->hash);
  by_id_.own().erase(id);
  return OperationStatus::ok;
}

bool Tokens::add(TokenPointer token) {
  if (by_id_->contains(token->id) || by_hash_->contains(token->hash)) return false;
  by_hash_.own().emplace(token->hash, token->id);
  by_id_.own().emplace(token->id, std::move(token));
  return true;
}

std::vector<TokenPointer> Tokens::expired_long_ago(ClusterTimeMs now_ms) const {
  std::vector<TokenPointer> old;
  for (const auto& [id, token] : *by_id_) {
    if (!token->is_first && token->deadline_ms && now_ms >= *token->deadline_ms + shown_after_expiry_ms) {
      old.push_back(token);
    }
  }
  return old;
}

}  // namespace concord::acl
