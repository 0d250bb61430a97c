// Tokens as the state keeps them: each is there once, a revoked one is gone, and its bytes in a snapshot are read back or refused.
#include "acl/tokens.hpp"

#include <cstring>

#include <gtest/gtest.h>

#include "acl/registry.hpp"

namespace concord::acl {
namespace {

using command::OperationStatus;
using command::TokenRecord;

const Directory nobody = {};
constexpr base::ClusterTimeMs a_day_ms = 24ULL * 3600 * 1000;

TokenRecord record_of(std::uint64_t id, Permissions permissions = 1) {
  TokenRecord record{.id = TokenId(id), .permissions = permissions};
  record.hash.fill(static_cast<char>(id));
  return record;
}

TEST(Tokens, AreFoundByIdAndByHashUntilRevoked) {
  Tokens tokens;
  TokenRecord record = record_of(7, 3);
  record.description = "of a service";
  record.prefixes = {"b/", "a/"};
  ASSERT_EQ(tokens.create(record, nobody, 1000, 50), OperationStatus::ok);
  const TokenPointer found = tokens.find(record.hash);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found, tokens.find(TokenId(7)));
  EXPECT_EQ(found->description, "of a service");
  EXPECT_EQ(found->created_wall_ms, 50U);
  EXPECT_FALSE(found->deadline_ms);
  EXPECT_EQ(found->scope.prefixes(), (std::vector<std::string>{"a/", "b/"}));
  EXPECT_TRUE(found->rights.covers(Permission::write, "a/k"));
  EXPECT_FALSE(found->rights.covers(Permission::read, "c/k"));
  EXPECT_EQ(tokens.revoke(TokenId(7)), OperationStatus::ok);
  EXPECT_EQ(tokens.find(record.hash), nullptr);
  EXPECT_EQ(tokens.find(TokenId(7)), nullptr);
  EXPECT_EQ(tokens.revoke(TokenId(7)), OperationStatus::not_found);
}

TEST(Tokens, AnIdOrAHashIsThereOnce) {
  Tokens tokens;
  ASSERT_EQ(tokens.create(record_of(1), nobody, 0, 0), OperationStatus::ok);
  TokenRecord same_id = record_of(2);
  same_id.id = TokenId(1);
  EXPECT_EQ(tokens.create(same_id, nobody, 0, 0), OperationStatus::already_exists);
  TokenRecord same_hash = record_of(1);
  same_hash.id = TokenId(2);
  EXPECT_EQ(tokens.create(same_hash, nobody, 0, 0), OperationStatus::already_exists);
  EXPECT_EQ(tokens.count(), 1U);
}

TEST(Tokens, TheFirstAdminIsMadeOnlyWhileThereIsNone) {
  Tokens tokens;
  TokenRecord first = record_of(1, 4);
  first.only_as_first = true;
  ASSERT_EQ(tokens.create(record_of(9, 3), nobody, 0, 0), OperationStatus::ok);
  EXPECT_EQ(tokens.create(first, nobody, 0, 0), OperationStatus::ok);
  TokenRecord second = record_of(2, 4);
  second.only_as_first = true;
  EXPECT_EQ(tokens.create(second, nobody, 0, 0), OperationStatus::already_exists);
  ASSERT_EQ(tokens.revoke(TokenId(1)), OperationStatus::ok);
  EXPECT_EQ(tokens.create(second, nobody, 0, 0), OperationStatus::ok);
}

TEST(Tokens, ARevokedTokenOfAConfigurationNeverComesBack) {
  Tokens tokens;
  TokenRecord first = record_of(1, 4);
  first.only_as_first = true;
  ASSERT_EQ(tokens.create(first, nobody, 0, 0), OperationStatus::ok);
  ASSERT_EQ(tokens.revoke(TokenId(1)), OperationStatus::ok);
  EXPECT_EQ(tokens.find(first.hash), nullptr);
  EXPECT_EQ(tokens.find(TokenId(1)), nullptr);
  EXPECT_FALSE(tokens.has_admin(0));
  EXPECT_EQ(tokens.create(first, nobody, 0, 0), OperationStatus::already_exists);
  EXPECT_EQ(tokens.revoke(TokenId(1)), OperationStatus::not_found);
  ASSERT_EQ(tokens.count(), 1U);
  EXPECT_TRUE(decode(encode(*tokens.all().front()))->is_revoked);
}

TEST(Tokens, AnExpiredAdminIsNone) {
  Tokens tokens;
  TokenRecord record = record_of(1, 4);
  record.expires_in_s = 10;
  ASSERT_EQ(tokens.create(record, nobody, 1000, 0), OperationStatus::ok);
  EXPECT_TRUE(tokens.has_admin(10'999));
  EXPECT_FALSE(tokens.has_admin(11'000));
}

TEST(Tokens, AnExpiredOneIsSeenForADay) {
  Registry registry;
  TokenRecord record = record_of(1);
  record.expires_in_s = 1;
  ASSERT_EQ(registry.create(record, 0, 0).status, OperationStatus::ok);
  ASSERT_EQ(registry.create(record_of(2), 999 + a_day_ms, 0).status, OperationStatus::ok);
  EXPECT_NE(registry.tokens().find(TokenId(1)), nullptr);
  ASSERT_EQ(registry.create(record_of(3), 1000 + a_day_ms, 0).status, OperationStatus::ok);
  EXPECT_EQ(registry.tokens().find(TokenId(1)), nullptr);
}

TEST(Tokens, ThereIsAnEndToTheirNumber) {
  Tokens tokens;
  for (std::uint64_t id = 1; id <= command::max_tokens; ++id) {
    TokenRecord record = record_of(id);
    std::memcpy(record.hash.data(), &id, sizeof id);
    ASSERT_EQ(tokens.create(record, nobody, 0, 0), OperationStatus::ok);
  }
  EXPECT_EQ(tokens.create(record_of(1'000'000), nobody, 0, 0), OperationStatus::too_large);
  ASSERT_EQ(tokens.revoke(TokenId(1)), OperationStatus::ok);
  EXPECT_EQ(tokens.create(record_of(1'000'000), nobody, 0, 0), OperationStatus::ok);
}

TEST(Token, IdsAreShownAndReadAs16Digits) {
  EXPECT_EQ(id_text(TokenId(0xab)), "00000000000000ab");
  EXPECT_EQ(parse_id("00000000000000ab"), TokenId(0xab));
  for (const std::string_view bad : {"", "ab", "00000000000000AB", "0000000000000000", "-000000000000001",
                                     "00000000000000ag", "00000000000000ab0"}) {
    EXPECT_EQ(parse_id(bad), std::nullopt) << bad;
  }
}

TEST(Token, BytesAreReadBackAndCutOrLongerOnesRefused) {
  Token token{.id = TokenId(5), .permissions = 3, .created_wall_ms = 1'700'000'000'000, .deadline_ms = 99};
  token.hash.fill('h');
  token.description = "text";
  token.user = "ada";
  token.scope = Scope({"a/", "b/"});
  const std::string bytes = encode(token);
  const auto read = decode(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(encode(*read), bytes);
  EXPECT_EQ(read->deadline_ms, token.deadline_ms);
  EXPECT_EQ(read->user, "ada");
  EXPECT_EQ(read->scope.prefixes(), token.scope.prefixes());
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode(bytes.substr(0, size))) << size;
  EXPECT_FALSE(decode(bytes + '\0'));
}

}  // namespace
}  // namespace concord::acl
