// Goal: what a token may do is at every moment what its user's roles, its tenant and it itself say, and nothing goes that something names.
// Method: random histories of all changes, against maps and the plain rule, worked out anew for each key.
#include "acl/registry.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::acl {
namespace {

using command::OperationStatus;
using command::Permissions;
using command::TokenId;
using command::TokenRecord;

constexpr Permissions read_bit = 1;
constexpr Permissions write_bit = 2;
constexpr Permissions admin_bit = 4;

TokenRecord record_of(std::uint64_t id, Permissions permissions, std::string_view user = {},
                      std::string_view tenant = {}) {
  TokenRecord record{.id = TokenId(id), .permissions = permissions, .user = user, .tenant = tenant};
  record.hash.fill(static_cast<char>(id));
  return record;
}

Verdict set(Registry& registry, AccessRecord record) {
  return registry.set(std::make_shared<const AccessRecord>(*normalized(std::move(record))));
}

// ---------------------------------------------------------------------------------------------------------------------
// The plain rule.

struct Model {
  std::map<std::string, Role> roles;
  std::map<std::string, User> users;
  std::map<std::string, Tenant> tenants;
  struct Held {
    Permissions permissions = 0;
    std::vector<std::string> prefixes = {};
    std::string user = {};
    std::string tenant = {};
  };
  std::map<std::uint64_t, Held> tokens;

  static bool begins(const std::vector<std::string>& prefixes, std::string_view key) {
    return prefixes.empty() || std::ranges::any_of(prefixes, [&](const auto& each) { return key.starts_with(each); });
  }
  [[nodiscard]] bool is_locked(const Held& token) const {
    if (!token.user.empty() && users.at(token.user).disabled) return true;
    return false;
  }
  [[nodiscard]] bool grants(const User& user, Permissions bit, std::string_view key) const {
    return std::ranges::any_of(user.roles, [&](const auto& name) {
      return std::ranges::any_of(roles.at(name).grants, [&](const Grant& grant) {
        return (bits_of(grant.permissions) & (bit | admin_bit)) != 0 && begins(grant.prefixes, key);
      });
    });
  }
  [[nodiscard]] std::string tenant_of(const Held& token) const {
    if (!token.tenant.empty()) return token.tenant;
    return token.user.empty() ? std::string() : users.at(token.user).tenant;
  }
  [[nodiscard]] bool may(const Held& token, Permissions bit, std::string_view key) const {
    if (is_locked(token) || (token.permissions & (bit | admin_bit)) == 0 || !begins(token.prefixes, key)) return false;
    if (!token.user.empty() && !grants(users.at(token.user), bit, key)) return false;
    const std::string tenant = tenant_of(token);
    return tenant.empty() || key.starts_with(tenants.at(tenant).prefix);
  }
  [[nodiscard]] bool is_admin(const Held& token) const {
    if ((token.permissions & admin_bit) == 0 || is_locked(token) || !tenant_of(token).empty()) return false;
    if (token.user.empty()) return true;
    return std::ranges::any_of(users.at(token.user).roles, [&](const auto& name) {
      return std::ranges::any_of(roles.at(name).grants,
                                 [](const Grant& grant) { return (bits_of(grant.permissions) & admin_bit) != 0; });
    });
  }

  [[nodiscard]] bool takes(const User& user) const {
    const auto has = [&](const auto& name) { return roles.contains(name); };
    return std::ranges::all_of(user.roles, has) && (user.tenant.empty() || tenants.contains(user.tenant));
  }
  [[nodiscard]] bool takes(const Tenant& tenant) const {
    return std::ranges::all_of(tenants, [&](const auto& each) {
      const std::string& other = each.second.prefix;
      if (each.first == tenant.name) return other == tenant.prefix;
      return !other.starts_with(tenant.prefix) && !tenant.prefix.starts_with(other);
    });
  }
  [[nodiscard]] bool is_named(AccessKind kind, const std::string& name) const {
    const auto by_user = [&](const auto& each) {
      if (kind == AccessKind::role) return std::ranges::find(each.second.roles, name) != each.second.roles.end();
      return kind == AccessKind::tenant && each.second.tenant == name;
    };
    const auto by_token = [&](const auto& each) {
      return (kind == AccessKind::user && each.second.user == name) ||
             (kind == AccessKind::tenant && each.second.tenant == name);
    };
    return std::ranges::any_of(users, by_user) || std::ranges::any_of(tokens, by_token);
  }
};

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  void step() {
    switch (random_.below(8)) {
      case 0: set_role(); break;
      case 1: set_user(); break;
      case 2: set_tenant(); break;
      case 3: remove(); break;
      case 4: (void)registry.revoke(TokenId(revoke())); break;
      default: create(); break;
    }
  }

  Registry registry;
  Model model;

 private:
  std::string name() { return std::string(1, static_cast<char>('a' + random_.below(4))); }
  std::string prefix() {
    std::string text;
    for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) text += static_cast<char>('a' + random_.below(2));
    return text;
  }
  std::vector<std::string> prefixes() {
    std::vector<std::string> all;
    for (std::uint64_t left = random_.below(3); left > 0; --left) all.push_back(prefix());
    return all;
  }

  void set_role() {
    Role role{.name = name()};
    for (std::uint64_t left = random_.below(3); left > 0; --left) {
      const auto bits = static_cast<Permissions>(1 + random_.below(7));
      role.grants.push_back({.permissions = permissions_of(bits)});
      if ((bits & admin_bit) == 0) role.grants.back().prefixes = prefixes();
    }
    EXPECT_EQ(set(registry, role).status, OperationStatus::ok);
    model.roles[role.name] = role;
  }
  void set_user() {
    User user{.name = name()};
    for (std::uint64_t left = random_.below(3); left > 0; --left) user.roles.push_back(name());
    if (random_.one_in(3)) user.tenant = name();
    user.disabled = random_.one_in(4);
    const bool is_taken = model.takes(user);
    EXPECT_EQ(set(registry, user).status, is_taken ? OperationStatus::ok : OperationStatus::conflict);
    if (is_taken) model.users[user.name] = user;
  }
  void set_tenant() {
    Tenant tenant{.name = name(), .prefix = prefix(), .quotas = {.max_keys = random_.below(3)}};
    const bool is_taken = model.takes(tenant);
    EXPECT_EQ(set(registry, tenant).status, is_taken ? OperationStatus::ok : OperationStatus::conflict);
    if (is_taken) model.tenants[tenant.name] = tenant;
  }
  void remove() {
    const auto kind = static_cast<AccessKind>(1 + random_.below(3));
    const std::string gone = name();
    const std::size_t there = kind == AccessKind::role   ? model.roles.count(gone)
                              : kind == AccessKind::user ? model.users.count(gone)
                                                         : model.tenants.count(gone);
    const Verdict verdict = registry.remove(kind, gone);
    if (there == 0) {
      EXPECT_EQ(verdict.status, OperationStatus::not_found);
    } else if (model.is_named(kind, gone)) {
      EXPECT_EQ(verdict.status, OperationStatus::conflict);
      EXPECT_FALSE(verdict.why.empty());
    } else {
      EXPECT_EQ(verdict.status, OperationStatus::ok);
      model.roles.erase(kind == AccessKind::role ? gone : "");
      model.users.erase(kind == AccessKind::user ? gone : "");
      model.tenants.erase(kind == AccessKind::tenant ? gone : "");
    }
  }
  void create() {
    const std::uint64_t id = 1 + random_.below(12);
    Model::Held held{.permissions = static_cast<Permissions>(1 + random_.below(7))};
    if (random_.one_in(3)) held.prefixes = prefixes();
    if ((held.permissions & admin_bit) != 0) held.prefixes.clear();
    if (random_.one_in(2)) held.user = name();
    if (held.user.empty() && random_.one_in(2)) held.tenant = name();
    TokenRecord record = record_of(id, held.permissions, held.user, held.tenant);
    record.prefixes.assign(held.prefixes.begin(), held.prefixes.end());
    const OperationStatus status = registry.create(record, 0, 0).status;
    const bool knows_user = held.user.empty() || model.users.contains(held.user);
    const bool knows_tenant = held.tenant.empty() || model.tenants.contains(held.tenant);
    const bool is_admin_of_tenant = knows_user && (held.permissions & admin_bit) != 0 && !model.tenant_of(held).empty();
    if (!knows_user || !knows_tenant || is_admin_of_tenant) {
      EXPECT_EQ(status, OperationStatus::conflict);
    } else if (model.tokens.contains(id)) {
      EXPECT_EQ(status, OperationStatus::already_exists);
    } else {
      EXPECT_EQ(status, OperationStatus::ok);
      model.tokens[id] = held;
    }
  }
  std::uint64_t revoke() {
    const std::uint64_t id = 1 + random_.below(12);
    model.tokens.erase(id);
    return id;
  }

  base::Random random_;
};

std::vector<std::string> short_keys() {
  std::vector<std::string> keys = {""};
  for (std::size_t at = 0; at < keys.size(); ++at) {
    if (keys[at].size() < 4) keys.insert(keys.end(), {keys[at] + 'a', keys[at] + 'b'});
  }
  keys.erase(keys.begin());
  return keys;
}

void expect_same(const Registry& registry, const Model& model) {
  static const std::vector<std::string> keys = short_keys();
  ASSERT_EQ(registry.tokens().count(), model.tokens.size());
  for (const auto& [id, held] : model.tokens) {
    const TokenPointer token = registry.tokens().find(TokenId(id));
    ASSERT_NE(token, nullptr);
    ASSERT_EQ(token->is_valid(0), !model.is_locked(held));
    ASSERT_EQ(token->rights.has(Permission::admin), model.is_admin(held));
    if (!model.is_locked(held)) {
      const std::string tenant = model.tenant_of(held);
      ASSERT_EQ(token->rights.tenant() != nullptr, !tenant.empty());
      if (!tenant.empty()) {
        ASSERT_EQ(token->rights.tenant()->quotas, model.tenants.at(tenant).quotas);
      }
    }
    for (const std::string& key : keys) {
      ASSERT_EQ(token->rights.covers(Permission::read, key), model.may(held, read_bit, key)) << key;
      ASSERT_EQ(token->rights.covers(Permission::write, key), model.may(held, write_bit, key)) << key;
    }
  }
}

TEST(Registry, TokensMayAtEveryMomentWhatEverythingSaysTogether) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    for (int i = 0; i < 150; ++i) {
      history.step();
      expect_same(history.registry, history.model);
      if (testing::Test::HasFailure()) return;
    }
    Registry copy;  // as from a snapshot
    for (const Item& item : history.registry.items()) {
      const auto read = decode_item(encode(item));
      ASSERT_TRUE(read);
      ASSERT_TRUE(copy.add(*read));
    }
    copy.settle();
    expect_same(copy, history.model);
  }
}

TEST(Registry, TokensOfAUserThatSayTheSameShareTheirRights) {
  Registry registry;
  set(registry, Role{.name = "r", .grants = {{.permissions = {Permission::read}, .prefixes = {"a/", "b/"}}}});
  set(registry, User{.name = "ada", .roles = {"r"}});
  const auto made = [&](std::uint64_t id, Permissions permissions) {
    EXPECT_EQ(registry.create(record_of(id, permissions, "ada"), 0, 0).status, OperationStatus::ok);
    return &registry.tokens().find(TokenId(id))->rights.scope(Permission::read);
  };
  const Scope* const first = made(1, read_bit);
  EXPECT_EQ(made(2, read_bit), first);
  EXPECT_NE(made(3, write_bit), first);
  set(registry, Role{.name = "r", .grants = {{.permissions = {Permission::read}, .prefixes = {"c/"}}}});
  const auto shown = [&](std::uint64_t id) {
    return &registry.tokens().find(TokenId(id))->rights.scope(Permission::read);
  };
  EXPECT_TRUE(shown(1)->covers("c/k"));
  EXPECT_EQ(shown(2), shown(1));
}

TEST(Registry, ItemsComeInOneOrder) {
  History history(7);
  for (int i = 0; i < 300; ++i) history.step();
  const std::vector<Item> items = history.registry.items();
  ASSERT_GT(items.size(), 10U);
  EXPECT_TRUE(std::ranges::is_sorted(items, comes_before));
}

TEST(Registry, WhatIsBroughtWithoutWhatItNamesLocksOrGrantsNothing) {
  Registry registry;
  const auto add = [&](const AccessRecord& record) {
    return registry.add(Item(std::make_shared<const AccessRecord>(record)));
  };
  ASSERT_TRUE(add(User{.name = "ada", .roles = {"gone"}}));
  ASSERT_TRUE(add(User{.name = "bob", .tenant = "gone"}));
  for (const auto& [id, user, tenant] :
       {std::tuple(1, "ada", ""), std::tuple(2, "bob", ""), std::tuple(3, "nobody", ""), std::tuple(4, "", "gone")}) {
    auto token = std::make_shared<Token>(Token{.id = TokenId(static_cast<std::uint64_t>(id)), .permissions = 7});
    token->hash.fill(static_cast<char>(id));
    token->user = user;
    token->tenant = tenant;
    ASSERT_TRUE(registry.add(Item(TokenPointer(token))));
  }
  registry.settle();
  const auto of = [&](std::uint64_t id) { return registry.tokens().find(TokenId(id)); };
  EXPECT_TRUE(of(1)->is_valid(0));
  EXPECT_FALSE(of(1)->rights.has(Permission::read));
  for (const std::uint64_t id : {2, 3, 4}) EXPECT_FALSE(of(id)->is_valid(0)) << id;
  EXPECT_FALSE(registry.tokens().has_admin(0));
  EXPECT_FALSE(add(User{.name = "ada"})) << "what is there stays";
}

TEST(Registry, ThereIsAnEndToTheirNumbers) {
  Registry registry;
  for (std::size_t i = 0; i < max_roles; ++i) {
    ASSERT_EQ(set(registry, Role{.name = "r" + std::to_string(i)}).status, OperationStatus::ok);
  }
  EXPECT_EQ(set(registry, Role{.name = "one-more"}).status, OperationStatus::too_large);
  EXPECT_EQ(set(registry, Role{.name = "r0", .description = "again"}).status, OperationStatus::ok);
  EXPECT_EQ(registry.remove(AccessKind::role, "r1").status, OperationStatus::ok);
  EXPECT_EQ(set(registry, Role{.name = "one-more"}).status, OperationStatus::ok);
}

}  // namespace
}  // namespace concord::acl
