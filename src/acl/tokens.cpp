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
  const auto found = by_id_.find(id);
  return found == by_id_.end() || found->second->is_revoked ? nullptr : found->second;
}

TokenPointer Tokens::find(const SecretHash& hash) const {
  const auto found = by_hash_.find(hash);
  return found == by_hash_.end() ? nullptr : find(found->second);
}

std::vector<TokenPointer> Tokens::all() const {
  std::vector<TokenPointer> tokens;
  tokens.reserve(by_id_.size());
  for (const auto& [id, token] : by_id_) tokens.push_back(token);
  return tokens;
}

bool Tokens::has_admin(ClusterTimeMs now_ms) const {
  return std::ranges::any_of(by_id_, [&](const auto& each) {
    return each.second->has(Permission::admin) && !each.second->is_revoked && !each.second->has_expired(now_ms);
  });
}

OperationStatus Tokens::create(const TokenRecord& record, ClusterTimeMs now_ms, std::uint64_t wall_ms) {
  forget_expired(now_ms);
  if (record.only_as_first && has_admin(now_ms)) return OperationStatus::already_exists;
  if (by_id_.size() >= command::max_tokens) return OperationStatus::too_large;
  auto token = std::make_shared<Token>();
  token->id = record.id;
  token->hash = record.hash;
  token->permissions = record.permissions;
  token->created_wall_ms = wall_ms;
  if (record.expires_in_s != 0) token->deadline_ms = now_ms + ClusterTimeMs{record.expires_in_s} * 1000;
  token->is_first = record.only_as_first;
  token->description = record.description;
  token->scope = Scope({record.prefixes.begin(), record.prefixes.end()});
  return add(std::move(token)) ? OperationStatus::ok : OperationStatus::already_exists;
}

OperationStatus Tokens::revoke(TokenId id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->is_revoked) return OperationStatus::not_found;
  if (found->second->is_first) {
    auto remembered = std::make_shared<Token>(*found->second);
    remembered->is_revoked = true;
    found->second = std::move(remembered);
    return OperationStatus::ok;
  }
  by_hash_.erase(found->second->hash);
  by_id_.erase(found);
  return OperationStatus::ok;
}

bool Tokens::add(TokenPointer token) {
  if (by_id_.contains(token->id) || by_hash_.contains(token->hash)) return false;
  by_hash_.emplace(token->hash, token->id);
  by_id_.emplace(token->id, std::move(token));
  return true;
}

void Tokens::forget_expired(ClusterTimeMs now_ms) {
  std::vector<TokenId> old;
  for (const auto& [id, token] : by_id_) {
    if (!token->is_first && token->deadline_ms && now_ms >= *token->deadline_ms + shown_after_expiry_ms)
      old.push_back(id);
  }
  for (const TokenId id : old) revoke(id);
}

}  // namespace concord::acl
