#include "acl/registry.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/mutant.hpp"

namespace concord::acl {

using command::OperationStatus;

namespace {

constexpr std::size_t record_mark_bytes = 8;

Verdict conflict(std::string why) { return {.status = OperationStatus::conflict, .why = std::move(why)}; }

}  // namespace

std::string encode(const Item& item) {
  if (const auto* token = std::get_if<TokenPointer>(&item)) return encode(**token);
  return std::string(record_mark_bytes, '\0') + encode(*std::get<RecordPointer>(item));
}

std::optional<Item> decode_item(std::string_view bytes) {
  const bool is_record = bytes.size() > record_mark_bytes && bytes.find_first_not_of('\0') >= record_mark_bytes;
  if (is_record) {
    auto record = decode_record(bytes.substr(record_mark_bytes));
    if (!record) return std::nullopt;
    return std::make_shared<const AccessRecord>(std::move(*record));
  }
  auto token = decode(bytes);
  if (!token) return std::nullopt;
  return std::make_shared<const Token>(std::move(*token));
}

bool comes_before(const Item& one, const Item& other) {
  if (one.index() != other.index()) return one.index() < other.index();
  if (const auto* token = std::get_if<TokenPointer>(&one)) return (*token)->id < std::get<TokenPointer>(other)->id;
  const auto place = [](const Item& item) {
    const AccessRecord& record = *std::get<RecordPointer>(item);
    return std::pair(kind_of(record), std::string_view(name_of(record)));
  };
  return place(one) < place(other);
}

Verdict Registry::check(const command::TokenRecord& record) const {
  const User* user = record.user.empty() ? nullptr : directory_.user(record.user);
  if (!record.user.empty() && user == nullptr) return conflict("there is no user " + std::string(record.user));
  if (!record.tenant.empty() && !directory_.tenant(record.tenant)) {
    return conflict("there is no tenant " + std::string(record.tenant));
  }
  const bool is_of_tenant = !record.tenant.empty() || (user != nullptr && !user->tenant.empty());
  const bool is_admin = (record.permissions & static_cast<command::Permissions>(Permission::admin)) != 0;
  if (is_of_tenant && is_admin) return conflict("a token of a tenant can't be an admin: that is of the whole cluster");
  return {};
}

Verdict Registry::create(const command::TokenRecord& record, base::ClusterTimeMs now_ms, std::uint64_t wall_ms) {
  Verdict verdict = check(record);
  if (verdict.status != OperationStatus::ok) return verdict;
  for (const TokenPointer& old : tokens_.expired_long_ago(now_ms)) (void)revoke(old->id);
  verdict.status = tokens_.create(record, directory_, now_ms, wall_ms);
  if (verdict.status == OperationStatus::ok) changes_.come.emplace_back(tokens_.find(record.id));
  return verdict;
}

Verdict Registry::revoke(command::TokenId id) {
  TokenPointer before = tokens_.find(id);
  const OperationStatus status = tokens_.revoke(id);
  if (status != OperationStatus::ok) return {.status = status};
  changes_.gone.emplace_back(std::move(before));
  if (TokenPointer kept = tokens_.find_kept(id)) changes_.come.emplace_back(std::move(kept));
  return {};
}

Verdict Registry::set(RecordPointer record) {
  const AccessKind kind = kind_of(*record);
  const std::string name = name_of(*record);
  RecordPointer before = directory_.find(kind, name);
  Verdict verdict = directory_.set(record);
  if (verdict.status != OperationStatus::ok) return verdict;
  if (before) changes_.gone.emplace_back(std::move(before));
  changes_.come.emplace_back(std::move(record));
  refresh(kind, name);
  return verdict;
}

Verdict Registry::remove(AccessKind kind, std::string_view name) {
  const TokenPointer token = tokens_.find_if([&](const Token& each) {
    if (each.is_revoked || kind == AccessKind::role) return false;
    return (kind == AccessKind::user ? each.user : each.tenant) == name;
  });
  if (token) return conflict("the token " + id_text(token->id) + " is of it");
  // Nothing names what goes, so nobody may do less.
  RecordPointer before = directory_.find(kind, name);
  Verdict verdict = directory_.remove(kind, name);
  if (verdict.status == OperationStatus::ok) changes_.gone.emplace_back(std::move(before));
  return verdict;
}

std::vector<Item> Registry::items() const {
  std::vector<Item> items;
  items.reserve(count());
  for (TokenPointer& token : tokens_.all()) items.emplace_back(std::move(token));
  for (RecordPointer& record : directory_.all()) items.emplace_back(std::move(record));
  return items;
}

bool Registry::add(const Item& item) {
  const auto* token = std::get_if<TokenPointer>(&item);
  const bool is_added = token != nullptr ? tokens_.add(*token) : directory_.add(std::get<RecordPointer>(item));
  if (is_added) changes_.come.push_back(item);
  return is_added;
}

bool Registry::Changes::has_tenant() const {
  const auto is_tenant = [](const Item& item) {
    const auto* record = std::get_if<RecordPointer>(&item);
    return record != nullptr && kind_of(**record) == AccessKind::tenant;
  };
  return std::ranges::any_of(gone, is_tenant) || std::ranges::any_of(come, is_tenant);
}

void Registry::settle() {
  tokens_.refresh(directory_, [](const Token&) { return true; });
}

void Registry::refresh(AccessKind kind, std::string_view name) {
  if (kind == AccessKind::role && CONCORD_MUTANT("a-change-of-a-role-is-not-seen-by-tokens")) return;
  tokens_.refresh(directory_, [&](const Token& token) {
    const User* user = token.user.empty() ? nullptr : directory_.user(token.user);
    switch (kind) {
      case AccessKind::role: return user != nullptr && std::ranges::binary_search(user->roles, name);
      case AccessKind::user: return token.user == name;
      case AccessKind::tenant: break;
    }
    return token.tenant == name || (user != nullptr && user->tenant == name);
  });
}

}  // namespace concord::acl
