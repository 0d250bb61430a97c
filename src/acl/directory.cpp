#include "acl/directory.hpp"

#include <algorithm>
#include <utility>

namespace concord::acl {

using command::OperationStatus;

namespace {

Verdict conflict(std::string why) { return {.status = OperationStatus::conflict, .why = std::move(why)}; }

std::size_t most_of(AccessKind kind) noexcept {
  switch (kind) {
    case AccessKind::role: return max_roles;
    case AccessKind::user: return max_users;
    case AccessKind::tenant: break;
  }
  return max_tenants;
}

}  // namespace

RecordPointer Directory::find(AccessKind kind, std::string_view name) const {
  const auto found = records_->find(Key(kind, name));
  return found == records_->end() ? nullptr : found->second;
}

const Role* Directory::role(std::string_view name) const {
  const RecordPointer record = find(AccessKind::role, name);
  return record == nullptr ? nullptr : &std::get<Role>(*record);
}

const User* Directory::user(std::string_view name) const {
  const RecordPointer record = find(AccessKind::user, name);
  return record == nullptr ? nullptr : &std::get<User>(*record);
}

TenantPointer Directory::tenant(std::string_view name) const {
  RecordPointer record = find(AccessKind::tenant, name);
  if (!record) return nullptr;
  const auto* tenant = &std::get<Tenant>(*record);
  return {std::move(record), tenant};
}

std::vector<RecordPointer> Directory::all() const {
  std::vector<RecordPointer> records;
  records.reserve(records_->size());
  for (const auto& [key, record] : *records_) records.push_back(record);
  return records;
}

std::vector<RecordPointer> Directory::all(AccessKind kind) const {
  std::vector<RecordPointer> records;
  for (auto at = records_->lower_bound(Key(kind, "")); at != records_->end() && at->first.first == kind; ++at) {
    records.push_back(at->second);
  }
  return records;
}

std::size_t Directory::count(AccessKind kind) const {
  const auto from = records_->lower_bound(Key(kind, ""));
  const auto is_of_kind = [kind](const auto& each) { return each.first.first == kind; };
  return static_cast<std::size_t>(std::distance(from, std::find_if_not(from, records_->end(), is_of_kind)));
}

bool Directory::has_room_for(AccessKind kind) const { return count(kind) < most_of(kind); }

Verdict Directory::set(RecordPointer record) {
  const AccessKind kind = kind_of(*record);
  Verdict verdict;
  if (const User* user = std::get_if<User>(record.get())) verdict = check_references(*user);
  if (const Tenant* tenant = std::get_if<Tenant>(record.get())) verdict = check_prefix(*tenant);
  if (verdict.status != OperationStatus::ok) return verdict;
  Key key(kind, name_of(*record));
  if (records_->contains(key)) {
    records_.own().find(key)->second = std::move(record);
    return {};
  }
  if (!has_room_for(kind)) {
    return {.status = OperationStatus::too_large,
            .why = "there are " + std::to_string(most_of(kind)) + " " + std::string(kind_name(kind)) +
                   "s, which is the limit; remove some"};
  }
  records_.own().emplace(std::move(key), std::move(record));
  return {};
}

Verdict Directory::check_references(const User& user) const {
  for (const std::string& each : user.roles) {
    if (role(each) == nullptr) return conflict("there is no role " + each);
  }
  if (!user.tenant.empty() && !tenant(user.tenant)) return conflict("there is no tenant " + user.tenant);
  return {};
}

Verdict Directory::check_prefix(const Tenant& tenant) const {
  for (const RecordPointer& record : all(AccessKind::tenant)) {
    const auto& other = std::get<Tenant>(*record);
    if (other.name == tenant.name) {
      if (other.prefix == tenant.prefix) continue;
      return conflict("the prefix of a tenant does not change; that of " + tenant.name + " was given when it was made");
    }
    if (other.prefix.starts_with(tenant.prefix) || tenant.prefix.starts_with(other.prefix)) {
      return conflict("the tenant " + other.name + " has keys with this prefix, or a part of them");
    }
  }
  return {};
}

Verdict Directory::remove(AccessKind kind, std::string_view name) {
  const Key key(kind, name);
  if (!records_->contains(key)) return {.status = OperationStatus::not_found};
  Verdict verdict = check_unused(kind, name);
  if (verdict.status == OperationStatus::ok) records_.own().erase(key);
  return verdict;
}

Verdict Directory::check_unused(AccessKind kind, std::string_view name) const {
  if (kind == AccessKind::user) return {};
  for (const RecordPointer& record : all(AccessKind::user)) {
    const auto& user = std::get<User>(*record);
    const bool names_it =
        kind == AccessKind::tenant ? user.tenant == name : std::ranges::binary_search(user.roles, name);
    if (names_it) return conflict("the user " + user.name + (kind == AccessKind::tenant ? " is of it" : " has it"));
  }
  return {};
}

bool Directory::add(RecordPointer record) {
  const AccessKind kind = kind_of(*record);
  if (!has_room_for(kind) || records_->contains(Key(kind, name_of(*record)))) return false;
  const Tenant* tenant = std::get_if<Tenant>(record.get());
  if (tenant != nullptr && check_prefix(*tenant).status != OperationStatus::ok) return false;
  Key key(kind, name_of(*record));
  records_.own().emplace(std::move(key), std::move(record));
  return true;
}

Rights Directory::rights_of(const User& user) const {
  if (user.disabled) return Rights::locked();
  std::vector<const Grant*> grants;
  for (const std::string& name : user.roles) {
    const Role* each = role(name);
    if (each == nullptr) continue;
    for (const Grant& grant : each->grants) grants.push_back(&grant);
  }
  Rights rights = Rights::granted(grants);
  if (user.tenant.empty()) return rights;
  TenantPointer of = tenant(user.tenant);
  if (!of) return Rights::locked();
  rights.limit_to(std::move(of));
  return rights;
}

}  // namespace concord::acl
