// Who there is: tokens, and the roles, users and tenants they are judged by. Part of the replicated state: the same on every machine.
//
// In snapshots and backups each is an item, tokens by id and then records by kind and name:
//
//   item := token | 0:fixed64 record              no token has the id 0 (acl/token.hpp, acl/record.hpp)
//
// A change works out again what the tokens may do that it touches, so that whoever finds a token has its rights in hand. The state
// machine changes a copy and then publishes it. Thread rule: ordinary value; readers share one that is not changed any more.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "acl/directory.hpp"
#include "acl/tokens.hpp"
#include "base/ids.hpp"

namespace concord::acl {

using Item = std::variant<TokenPointer, RecordPointer>;

[[nodiscard]] std::string encode(const Item& item);
/// None: the bytes do not follow the format.
[[nodiscard]] std::optional<Item> decode_item(std::string_view bytes);
/// In the order of snapshots.
[[nodiscard]] bool comes_before(const Item& one, const Item& other);

class Registry {
 public:
  [[nodiscard]] const Tokens& tokens() const noexcept { return tokens_; }
  [[nodiscard]] const Directory& directory() const noexcept { return directory_; }

  /// As `Tokens::create`; `conflict`: its user or tenant is not there, or it would be an admin of a tenant.
  Verdict create(const command::TokenRecord& record, base::ClusterTimeMs now_ms, std::uint64_t wall_ms);
  Verdict revoke(command::TokenId id);

  /// As `Directory::set` and `remove`; `conflict`: a token names it, too.
  Verdict set(RecordPointer record);
  Verdict remove(AccessKind kind, std::string_view name);

  [[nodiscard]] std::vector<Item> items() const;
  [[nodiscard]] std::size_t count() const noexcept { return tokens_.count() + directory_.count(); }
  /// As a snapshot or a backup has it; what it names may not be there. False: it is there, or can't be. `settle` comes behind the last.
  [[nodiscard]] bool add(const Item& item);
  void settle();

  /// What was changed in this copy, so that whoever keeps a sum over all items need not look at all of them.
  struct Changes {
    std::vector<Item> gone;
    std::vector<Item> come;
    [[nodiscard]] bool has_tenant() const;
  };
  [[nodiscard]] const Changes& changes() const noexcept { return changes_; }
  void forget_changes() { changes_ = {}; }

 private:
  void refresh(AccessKind kind, std::string_view name);
  [[nodiscard]] Verdict check(const command::TokenRecord& record) const;

  Tokens tokens_;
  Directory directory_;
  Changes changes_;
};

}  // namespace concord::acl
