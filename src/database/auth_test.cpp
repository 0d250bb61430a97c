// Embedded calls in the name of tokens: each call asks who calls, a start needs somebody who may get in, and tokens outlive the
// node.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
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

class EmbeddedAuth : public testing::Test {
 protected:
  [[nodiscard]] Options options(std::string_view token = first_secret) const {
    Options options = directory_.options();
    options.auth = {.enabled = true, .token = std::string(token)};
    return options;
  }
  static std::string make(Node& node, NewToken token) {
    auto made = Auth(node).create(token, {.token = first_secret});
    EXPECT_TRUE(made) << made.error().message();
    return made ? made->secret : std::string();
  }

  StoreDirectory directory_;
};

TEST_F(EmbeddedAuth, EveryCallAsksWhoCalls) {
  Node node = StoreDirectory::open(options());
  ASSERT_TRUE(node.put("k", 1, {.token = first_secret}));
  const Transaction transaction{.then = {Operation::put("k", 2)}};
  const std::vector<std::string> outcomes = {
      outcome(node.put("k", 2)),
      outcome(node.del("k")),
      outcome(node.touch("k", 5s)),
      outcome(node.get("k")),
      outcome(node.get_entry("k")),
      outcome(node.ttl("k")),
      outcome(node.get_many({"k"})),
      outcome(node.get_entries({"k"})),
      outcome(node.put_many({{.key = "k", .value = 1}})),
      outcome(node.delete_many({"k"})),
      outcome(node.touch_many({{.key = "k", .ttl = 5s}})),
      outcome(node.commit(transaction)),
      outcome(node.keys()),
      outcome(node.where()),
      outcome(node.count()),
      outcome(node.keys_page({}, {})),
      outcome(node.delete_where({.prefix = "k"})),
      outcome(node.create("new", 1)),
      outcome(node.update("k", [](int value) { return value + 1; })),
      outcome(node.put_if("k", 2, {.expected = 1})),
      outcome(node.trigger_snapshot()),
      outcome(node.transfer_leadership()),
      outcome(node.create_token({.permissions = {Permission::read}})),
      outcome(node.list_tokens()),
      outcome(node.revoke_token("0000000000000001")),
      outcome(node.revoke_secret(first_secret)),
      outcome(completed<Revision>([&](auto done) { node.async_put("k", 2, {}, std::move(done)); })),
      outcome(completed<TransactionResult>([&](auto done) { node.async_commit(transaction, {}, std::move(done)); })),
      outcome(completed<Rows<std::string>>([&](auto done) { node.async_keys({}, {}, std::move(done)); })),
  };
  EXPECT_THAT(outcomes, testing::Each("UNAUTHORIZED"));
  EXPECT_EQ(outcome(node.put("k", 2, {.token = "sk_concord_another"})), "UNAUTHORIZED");
  EXPECT_EQ(outcome(node.get("k", {.token = "nonsense"})), "UNAUTHORIZED");
  EXPECT_EQ(node.get<int>("k", {.token = first_secret}).value(), 1);
}

TEST_F(EmbeddedAuth, ATokenDoesWhatItMayAndNoMore) {
  Node node = StoreDirectory::open(options());
  const std::string reader = make(node, {.permissions = {Permission::read}, .prefixes = {"in/"}});
  const std::string writer = make(node, {.permissions = {Permission::write}, .prefixes = {"in/"}});
  for (const char* key : {"in/a", "in/b", "out"}) ASSERT_TRUE(node.put(key, 1, {.token = first_secret}));
  EXPECT_TRUE(node.get("in/a", {.token = reader}));
  EXPECT_EQ(outcome(node.get("out", {.token = reader})), "FORBIDDEN");
  EXPECT_EQ(outcome(node.put("in/a", 2, {.token = reader})), "FORBIDDEN");
  EXPECT_TRUE(node.put("in/a", 2, {.token = writer}));
  EXPECT_EQ(outcome(node.put("out", 2, {.token = writer})), "FORBIDDEN");
  EXPECT_EQ(outcome(node.get("in/a", {.token = writer})), "FORBIDDEN");
  EXPECT_EQ(outcome(node.get_many({"in/a", "out"}, {.token = reader})), "FORBIDDEN");
  EXPECT_EQ(outcome(node.put_many({{.key = "in/c", .value = 1}, {.key = "out", .value = 1}}, {.token = writer})),
            "FORBIDDEN");
  EXPECT_THAT(node.keys({}, {.token = reader}).value(), ElementsAre("in/a", "in/b"));
  EXPECT_EQ(node.count({}, {.token = reader}).value(), 2U);
  EXPECT_EQ(node.count({.prefix = "o"}, {.token = reader}).value(), 0U);
  EXPECT_EQ(node.delete_where({.contains = "a"}, {.token = writer}).value(), 1U);
  EXPECT_THAT(node.keys({}, {.token = first_secret}).value(), ElementsAre("in/b", "out"));
}

TEST_F(EmbeddedAuth, TokensOutliveTheNodeInLogAndSnapshot) {
  std::string secret;
  for (const bool with_snapshot : {false, true}) {
    {
      Node node = StoreDirectory::open(options(with_snapshot ? "" : first_secret));
      if (!with_snapshot) secret = make(node, {.permissions = {Permission::read}, .description = "kept"});
      const auto tokens = Auth(node).list({.token = first_secret});
      ASSERT_TRUE(tokens) << tokens.error().message();
      EXPECT_EQ(tokens->size(), 2U);
      if (!with_snapshot) continue;
      ASSERT_TRUE(node.trigger_snapshot({.token = first_secret}));
      while (node.status().value().storage.snapshot_index == 0) std::this_thread::sleep_for(5ms);
    }
  }
  Node node = StoreDirectory::open(options(""));
  EXPECT_EQ(outcome(node.get("k", {.token = secret})), "NOT_FOUND");
}

TEST_F(EmbeddedAuth, AStartThatWouldLetNobodyInIsRefused) {
  const auto refused = Node::open(options(""));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::invalid_request);
  EXPECT_THAT(refused.error().message(), HasSubstr("auth.token"));
  EXPECT_EQ(outcome(Node::open(options("no prefix"))), "INVALID_REQUEST");
}

TEST_F(EmbeddedAuth, ARevokedFirstTokenDoesNotComeBackAndAnotherOneTakesItsPlace) {
  {
    Node node = StoreDirectory::open(options());
    ASSERT_TRUE(Auth(node).revoke_secret(first_secret, {.token = first_secret}));
    EXPECT_EQ(outcome(node.get("k", {.token = first_secret})), "UNAUTHORIZED");
  }
  const auto refused = Node::open(options());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("revoked"));
  Node node = StoreDirectory::open(options("sk_concord_another"));
  EXPECT_EQ(outcome(node.get("k", {.token = "sk_concord_another"})), "NOT_FOUND");
}

TEST_F(EmbeddedAuth, ASubscriptionEndsWithItsToken) {
  Node node = StoreDirectory::open(options());
  const auto reader = Auth(node).create({.permissions = {Permission::read}}, {.token = first_secret});
  ASSERT_TRUE(reader);
  auto subscription = node.subscribe({.token = reader->secret});
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(Auth(node).revoke(reader->info.id, {.token = first_secret}));
  const auto next = subscription->next(std::chrono::seconds(10));
  ASSERT_FALSE(next) << "not only no event";
  EXPECT_EQ(next.error().code(), Errc::forbidden);
}

TEST_F(EmbeddedAuth, WhoHasLostAllTokensMakesOneWithAuthenticationOff) {
  {
    Node node = StoreDirectory::open(options());
  }
  std::string secret;
  {
    Node node = StoreDirectory::open(directory_.options());
    secret = Auth(node).create({.permissions = {Permission::admin}}).value().secret;
  }
  Node node = StoreDirectory::open(options(""));
  EXPECT_EQ(Auth(node).list({.token = secret}).value().size(), 2U);
}

TEST_F(EmbeddedAuth, NoFileHoldsASecret) {
  std::string secret;
  {
    Node node = StoreDirectory::open(options());
    secret = make(node, {.permissions = {Permission::read, Permission::write}});
    ASSERT_TRUE(node.put("k", 1, {.token = secret}));
    ASSERT_TRUE(node.trigger_snapshot({.token = first_secret}));
    while (node.status().value().storage.snapshot_index == 0) std::this_thread::sleep_for(5ms);
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.options().data_dir)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string bytes(entry.file_size(), '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    EXPECT_EQ(bytes.find(secret), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find(first_secret), std::string::npos) << entry.path();
  }
  EXPECT_GT(files, 2U);
}

}  // namespace
}  // namespace concord::database
