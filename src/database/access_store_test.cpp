// Roles, users and tenants through the public interface: of a node, and of one over HTTP.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concord/auth.hpp>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class StoreAccess : public testing::Test {
 protected:
  StoreDirectory directory_;
  std::unique_ptr<TestedStore> tested_ = open_tested(directory_.options());
  Store& store_ = tested_->store();
  Auth auth_{store_};
};

TEST_F(StoreAccess, WhatIsSetIsListed) {
  const Role editor{
      .name = "editor",
      .description = "of \"docs\"",
      .grants = {{.permissions = {Permission::read, Permission::write}, .prefixes = {"docs/", "\xc3\xa4"}},
                 {.permissions = {Permission::admin}}}};
  ASSERT_TRUE(auth_.set_role({.name = "a-role"}));
  ASSERT_TRUE(auth_.set_role(editor));
  ASSERT_TRUE(auth_.set_tenant(
      {.name = "acme",
       .description = "t",
       .prefix = "p",
       .quotas = {
           .max_keys = 1, .max_bytes = std::uint64_t{1} << 62U, .max_operations_per_s = 3, .max_subscribers = 4}}));
  ASSERT_TRUE(auth_.set_tenant({.name = "other"}));
  ASSERT_TRUE(auth_.set_user({.name = "ada", .roles = {"editor", "a-role"}, .tenant = "acme", .disabled = true}));
  ASSERT_TRUE(store_.put("p1", 1));
  const auto roles = auth_.roles();
  ASSERT_TRUE(roles) << message(roles);
  ASSERT_EQ(roles->size(), 2U);
  EXPECT_EQ(roles->at(0).name, "a-role");
  EXPECT_TRUE(roles->at(0).grants.empty());
  EXPECT_EQ(roles->at(1).description, editor.description);
  ASSERT_EQ(roles->at(1).grants.size(), 2U);
  for (std::size_t at = 0; at < 2; ++at) {
    EXPECT_EQ(roles->at(1).grants[at].permissions, editor.grants[at].permissions);
    EXPECT_EQ(roles->at(1).grants[at].prefixes, editor.grants[at].prefixes);
  }
  const auto users = auth_.users();
  ASSERT_TRUE(users) << message(users);
  ASSERT_EQ(users->size(), 1U);
  EXPECT_THAT(users->at(0).roles, ElementsAre("a-role", "editor"));
  EXPECT_EQ(users->at(0).tenant, "acme");
  EXPECT_TRUE(users->at(0).disabled);
  const auto tenants = auth_.tenants();
  ASSERT_TRUE(tenants) << message(tenants);
  ASSERT_EQ(tenants->size(), 2U);
  EXPECT_EQ(tenants->at(0).description, "t");
  EXPECT_EQ(tenants->at(0).prefix, "p");
  EXPECT_EQ(tenants->at(0).quotas.max_bytes, std::uint64_t{1} << 62U);
  EXPECT_EQ(tenants->at(0).quotas.max_subscribers, 4U);
  EXPECT_EQ(tenants->at(0).usage, (TenantUsage{.keys = 1, .bytes = 4}));
  EXPECT_EQ(tenants->at(1).prefix, "other/");
}

TEST_F(StoreAccess, WhatIsWrongIsRefusedAlike) {
  EXPECT_EQ(outcome(auth_.set_role({.name = ""})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(auth_.set_role({.name = "Upper"})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(auth_.set_role({.name = "r", .grants = {Grant{}}})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(auth_.set_role({.name = "r", .description = "\xff"})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(auth_.set_user({.name = "ada", .roles = {"none"}})), "CONDITION_FAILED");
  EXPECT_EQ(outcome(auth_.remove_user("ada")), "NOT_FOUND");
  EXPECT_EQ(outcome(auth_.remove_user("")), "NOT_FOUND");
  EXPECT_EQ(outcome(auth_.remove_user("..")), "NOT_FOUND");
  ASSERT_TRUE(auth_.set_role({.name = "r"}));
  ASSERT_TRUE(auth_.set_user({.name = "ada", .roles = {"r"}}));
  EXPECT_THAT(message(auth_.remove_role("r")), HasSubstr("the user ada has it"));
  ASSERT_TRUE(auth_.remove_user("ada"));
  ASSERT_TRUE(auth_.remove_role("r"));
}

TEST_F(StoreAccess, ATokenTellsWhoseItIs) {
  ASSERT_TRUE(auth_.set_tenant({.name = "acme", .quotas = {.max_keys = 1}}));
  ASSERT_TRUE(auth_.set_user({.name = "ada"}));
  const auto hers = auth_.create({.permissions = {Permission::read}, .user = "ada"});
  ASSERT_TRUE(hers) << message(hers);
  EXPECT_EQ(hers->info.user, "ada");
  const auto theirs = auth_.create({.permissions = {Permission::write}, .tenant = "acme"});
  ASSERT_TRUE(theirs) << message(theirs);
  EXPECT_EQ(theirs->info.tenant, "acme");
  EXPECT_EQ(outcome(auth_.create({.permissions = {Permission::read}, .user = "none"})), "CONDITION_FAILED");
  const auto tokens = auth_.list();
  ASSERT_TRUE(tokens);
  for (const TokenInfo& token : *tokens) {
    EXPECT_EQ(token.user, token.id == hers->info.id ? "ada" : "");
    EXPECT_EQ(token.tenant, token.id == theirs->info.id ? "acme" : "");
  }
  EXPECT_THAT(message(auth_.remove_user("ada")), HasSubstr(hers->info.id));
  ASSERT_TRUE(store_.put("acme/1", 1));
  const auto refused = store_.put("acme/2", 1);
  EXPECT_EQ(outcome(refused), "STORAGE_FULL");
  EXPECT_THAT(message(refused), HasSubstr("the tenant acme has reached its quota max_keys"));
}

}  // namespace
}  // namespace concord::database
