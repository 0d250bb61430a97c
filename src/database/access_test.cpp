// Roles, users and tenants of the embedded node: what a token may do follows them at once, in calls and in open subscriptions, and
// through a restart.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concord/auth.hpp>
#include <concord/node.hpp>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view first_secret = "sk_concord_the_first_token_of_these_tests";
constexpr Permission read = Permission::read;
constexpr Permission write = Permission::write;

class EmbeddedAccess : public testing::Test {
 protected:
  [[nodiscard]] Options options() const {
    Options options = directory_.options();
    options.auth = {.enabled = true, .token = std::string(first_secret)};
    return options;
  }
  static std::string make(Node& node, NewToken token) {
    auto made = Auth(node).create(token, {.token = first_secret});
    EXPECT_TRUE(made) << made.error().message();
    return made ? made->secret : std::string();
  }
  static std::string put(Node& node, std::string_view key, std::string_view token) {
    return outcome(node.put(key, 1, {.token = token}));
  }
  static std::string get(Node& node, std::string_view key, std::string_view token) {
    return outcome(node.get(key, {.token = token}));
  }

  StoreDirectory directory_;
  const WriteOptions admin_ = {.token = first_secret};
  const ReadOptions admin_reads_ = {.token = first_secret};
};

TEST_F(EmbeddedAccess, ATokenMayWhatItsUsersRolesGrantAndItSaysItself) {
  Node node = StoreDirectory::open(options());
  Auth auth(node);
  ASSERT_TRUE(
      auth.set_role({.name = "reader", .grants = {{.permissions = {read}, .prefixes = {"app/", "logs/"}}}}, admin_));
  ASSERT_TRUE(auth.set_role({.name = "editor", .grants = {{.permissions = {write}, .prefixes = {"app/"}}}}, admin_));
  ASSERT_TRUE(auth.set_user({.name = "ada", .roles = {"reader", "editor"}}, admin_));
  const std::string hers = make(node, {.permissions = {read, write}, .user = "ada"});
  const std::string reading = make(node, {.permissions = {read}, .prefixes = {"app/public/"}, .user = "ada"});
  EXPECT_EQ(put(node, "app/k", hers), "OK");
  EXPECT_EQ(get(node, "app/k", hers), "OK");
  EXPECT_EQ(get(node, "logs/k", hers), "NOT_FOUND");
  EXPECT_EQ(put(node, "logs/k", hers), "FORBIDDEN");
  EXPECT_EQ(get(node, "other", hers), "FORBIDDEN");
  EXPECT_EQ(get(node, "app/public/k", reading), "NOT_FOUND");
  EXPECT_EQ(get(node, "app/k", reading), "FORBIDDEN");
  EXPECT_EQ(put(node, "app/public/k", reading), "FORBIDDEN");
  EXPECT_EQ(outcome(auth.roles({.token = hers})), "FORBIDDEN");
  EXPECT_EQ(auth.list(admin_reads_).value().size(), 3U);
}

TEST_F(EmbeddedAccess, AChangeCountsAtOnceAndOutlivesTheNode) {
  std::string hers;
  {
    Node node = StoreDirectory::open(options());
    Auth auth(node);
    ASSERT_TRUE(auth.set_role({.name = "r", .grants = {{.permissions = {read, write}}}}, admin_));
    ASSERT_TRUE(auth.set_user({.name = "ada", .roles = {"r"}}, admin_));
    hers = make(node, {.permissions = {read, write}, .user = "ada"});
    EXPECT_EQ(put(node, "k", hers), "OK");
    ASSERT_TRUE(auth.set_role({.name = "r", .grants = {{.permissions = {read}}}}, admin_));
    EXPECT_EQ(put(node, "k", hers), "FORBIDDEN");
    EXPECT_EQ(get(node, "k", hers), "OK");
    ASSERT_TRUE(auth.set_user({.name = "ada", .roles = {"r"}, .disabled = true}, admin_));
    EXPECT_EQ(get(node, "k", hers), "UNAUTHORIZED");
  }
  Node node = StoreDirectory::open(options());
  EXPECT_EQ(get(node, "k", hers), "UNAUTHORIZED");
  ASSERT_TRUE(Auth(node).set_user({.name = "ada", .roles = {"r"}}, admin_));
  EXPECT_EQ(get(node, "k", hers), "OK");
  EXPECT_EQ(put(node, "k", hers), "FORBIDDEN");
}

TEST_F(EmbeddedAccess, WhatSomethingNamesStays) {
  Node node = StoreDirectory::open(options());
  Auth auth(node);
  EXPECT_EQ(outcome(auth.set_user({.name = "ada", .roles = {"none"}}, admin_)), "CONDITION_FAILED");
  ASSERT_TRUE(auth.set_role({.name = "r"}, admin_));
  ASSERT_TRUE(auth.set_tenant({.name = "acme"}, admin_));
  ASSERT_TRUE(auth.set_user({.name = "ada", .roles = {"r"}, .tenant = "acme"}, admin_));
  const auto hers = auth.create({.permissions = {read}, .user = "ada"}, admin_);
  ASSERT_TRUE(hers);
  EXPECT_THAT(message(auth.remove_role("r", admin_)), HasSubstr("ada"));
  EXPECT_THAT(message(auth.remove_tenant("acme", admin_)), HasSubstr("ada"));
  EXPECT_THAT(message(auth.remove_user("ada", admin_)), HasSubstr(hers->info.id));
  ASSERT_TRUE(auth.revoke(hers->info.id, admin_));
  EXPECT_TRUE(auth.remove_user("ada", admin_));
  EXPECT_TRUE(auth.remove_role("r", admin_));
  EXPECT_TRUE(auth.remove_tenant("acme", admin_));
  EXPECT_EQ(outcome(auth.remove_tenant("acme", admin_)), "NOT_FOUND");
  EXPECT_EQ(outcome(auth.create({.permissions = {read}, .user = "ada"}, admin_)), "CONDITION_FAILED");
}

TEST_F(EmbeddedAccess, AnAdminIsOfNoTenant) {
  Node node = StoreDirectory::open(options());
  Auth auth(node);
  ASSERT_TRUE(auth.set_tenant({.name = "acme"}, admin_));
  ASSERT_TRUE(auth.set_role({.name = "all", .grants = {{.permissions = {Permission::admin}}}}, admin_));
  ASSERT_TRUE(auth.set_user({.name = "ada", .roles = {"all"}, .tenant = "acme"}, admin_));
  EXPECT_EQ(outcome(auth.create({.permissions = {Permission::admin}, .tenant = "acme"}, admin_)), "CONDITION_FAILED");
  EXPECT_EQ(outcome(auth.create({.permissions = {Permission::admin}, .user = "ada"}, admin_)), "CONDITION_FAILED");
  EXPECT_EQ(outcome(auth.create({.permissions = {read}, .user = "ada", .tenant = "acme"}, admin_)), "INVALID_REQUEST");
  const std::string hers = make(node, {.permissions = {read, write}, .user = "ada"});
  EXPECT_EQ(put(node, "acme/k", hers), "OK");
  EXPECT_EQ(put(node, "k", hers), "FORBIDDEN");
  EXPECT_EQ(outcome(auth.list({.token = hers})), "FORBIDDEN");
}

TEST_F(EmbeddedAccess, ATenantHasWhatItsQuotaGivesAndShowsIt) {
  Node node = StoreDirectory::open(options());
  Auth auth(node);
  ASSERT_TRUE(auth.set_tenant({.name = "acme", .quotas = {.max_keys = 2}}, admin_));
  const std::string theirs = make(node, {.permissions = {read, write}, .tenant = "acme"});
  EXPECT_EQ(put(node, "acme/1", theirs), "OK");
  EXPECT_EQ(put(node, "acme/2", first_secret), "OK") << "whoever writes it";
  const auto refused = node.put("acme/3", 1, {.token = theirs});
  EXPECT_EQ(outcome(refused), "STORAGE_FULL");
  EXPECT_THAT(message(refused), HasSubstr("the tenant acme has reached its quota max_keys"));
  EXPECT_EQ(put(node, "acme/3", first_secret), "STORAGE_FULL");
  EXPECT_EQ(outcome(node.put_many({{.key = "acme/1", .value = 2}, {.key = "acme/4", .value = 2}}, {.token = theirs})),
            "STORAGE_FULL");
  EXPECT_EQ(node.get("acme/1", {.token = theirs}).value(), Value(1)) << "nothing was done";
  const auto tenants = auth.tenants(admin_reads_);
  ASSERT_TRUE(tenants);
  EXPECT_EQ(tenants->front().usage, (TenantUsage{.keys = 2, .bytes = 16}));
  auto seen = node.subscribe({.after_revision = Revision(2), .token = theirs});
  ASSERT_TRUE(seen);
  EXPECT_TRUE(node.del("acme/1", {.token = theirs}));
  EXPECT_EQ(put(node, "acme/3", theirs), "OK");
  const Event removal = seen->next(10s).value().value();
  EXPECT_EQ(removal.type, EventType::del) << "what was refused is told to nobody";
  EXPECT_EQ(removal.revision, Revision(3));
}

TEST_F(EmbeddedAccess, AnOpenSubscriptionShowsWhatMayBeSeenNow) {
  Node node = StoreDirectory::open(options());
  Auth auth(node);
  ASSERT_TRUE(auth.set_role({.name = "r", .grants = {{.permissions = {read}, .prefixes = {"a/", "b/"}}}}, admin_));
  ASSERT_TRUE(auth.set_user({.name = "ada", .roles = {"r"}}, admin_));
  const std::string hers = make(node, {.permissions = {read}, .user = "ada"});
  auto seen = node.subscribe({.token = hers});
  ASSERT_TRUE(seen);
  EXPECT_EQ(put(node, "a/1", first_secret), "OK");
  EXPECT_EQ(seen->next(10s).value().value().key(), "a/1");
  ASSERT_TRUE(auth.set_role({.name = "r", .grants = {{.permissions = {read}, .prefixes = {"b/"}}}}, admin_));
  EXPECT_EQ(put(node, "a/2", first_secret), "OK");
  EXPECT_EQ(put(node, "b/1", first_secret), "OK");
  EXPECT_EQ(seen->next(10s).value().value().key(), "b/1");
}

TEST_F(EmbeddedAccess, ATenantHasItsNumberOfSubscribers) {
  Node node = StoreDirectory::open(options());
  ASSERT_TRUE(Auth(node).set_tenant({.name = "acme", .quotas = {.max_subscribers = 2}}, admin_));
  const std::string one = make(node, {.permissions = {read}, .tenant = "acme"});
  const std::string other = make(node, {.permissions = {read}, .tenant = "acme"});
  auto first = node.subscribe({.token = one});
  ASSERT_TRUE(first);
  {
    auto second = node.subscribe({.token = other});
    ASSERT_TRUE(second);
    EXPECT_EQ(outcome(node.subscribe({.token = one})), "TOO_MANY_REQUESTS");
    EXPECT_TRUE(node.subscribe({.token = first_secret})) << "who is of no tenant is not counted";
  }
  EXPECT_TRUE(node.subscribe({.token = one}));
}

}  // namespace
}  // namespace concord::database
