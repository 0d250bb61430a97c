// All roles, users and tenants there are. Part of the replicated state: the same on every machine.
//
// Rules: what a user names is there when he is made, and stays as long as he names it; no tenant's prefix begins with another one's. So
// whoever is to go must be named by nobody. Only a restore may bring users without what they name (acl/registry.hpp).
//
// A copy shares all of it until it changes. Thread rule: ordinary value.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/btree_map.h>

#include "acl/record.hpp"
#include "acl/rights.hpp"
#include "acl/shared.hpp"
#include "command/transaction.hpp"

namespace concord::acl {

using RecordPointer = std::shared_ptr<const AccessRecord>;

/// What became of a change. `why`: of one that was not done, for people.
struct Verdict {
  command::OperationStatus status = command::OperationStatus::ok;
  std::string why = {};
};

class Directory {
 public:
  /// Null: there is none.
  [[nodiscard]] RecordPointer find(AccessKind kind, std::string_view name) const;
  [[nodiscard]] const Role* role(std::string_view name) const;
  [[nodiscard]] const User* user(std::string_view name) const;
  [[nodiscard]] TenantPointer tenant(std::string_view name) const;
  /// By kind, then by name: the order of snapshots.
  [[nodiscard]] std::vector<RecordPointer> all() const;
  [[nodiscard]] std::vector<RecordPointer> all(AccessKind kind) const;
  [[nodiscard]] std::size_t count() const noexcept { return records_->size(); }
  [[nodiscard]] std::size_t count(AccessKind kind) const;

  /// `too_large`: there are as many as may be; `conflict`: it names what is not there, or takes a prefix that is in use.
  Verdict set(RecordPointer record);
  /// `not_found`; `conflict`: something names it. Tokens are the caller's to look at.
  Verdict remove(AccessKind kind, std::string_view name);
  /// As a snapshot or a backup has it. False: there are as many as may be, it is there, or its prefix is in use.
  [[nodiscard]] bool add(RecordPointer record);

  /// What a user may do, whatever his token says.
  [[nodiscard]] Rights rights_of(const User& user) const;

 private:
  using Key = std::pair<AccessKind, std::string>;

  [[nodiscard]] bool has_room_for(AccessKind kind) const;
  [[nodiscard]] Verdict check_references(const User& user) const;
  [[nodiscard]] Verdict check_prefix(const Tenant& tenant) const;
  [[nodiscard]] Verdict check_unused(AccessKind kind, std::string_view name) const;

  Shared<absl::btree_map<Key, RecordPointer>> records_;
};

}  // namespace concord::acl
