// Goal: a role, user or tenant is read back as it was written, and nothing is read that could not have been written. Method: golden
// bytes, every truncation and flipped bit, and a table of what is not let in.
#include "acl/record.hpp"

#include <gtest/gtest.h>

namespace concord::acl {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4U];
    text += digits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

AccessRecord some_role() {
  return Role{.name = "ed",
              .description = "d",
              .grants = {{.permissions = {Permission::read, Permission::write}, .prefixes = {"a/", "b"}},
                         {.permissions = {Permission::admin}}}};
}
AccessRecord some_user() { return User{.name = "ada", .roles = {"ed", "x"}, .tenant = "acme", .disabled = true}; }
AccessRecord some_tenant() {
  return Tenant{.name = "acme",
                .prefix = "acme/",
                .quotas = {.max_keys = 1, .max_bytes = 300, .max_operations_per_s = 3, .max_subscribers = 4}};
}

TEST(AccessRecord, ItsBytesDoNotChange) {
  EXPECT_EQ(hex(encode(some_role())),
            "0102656401640203"
            "02"
            "02612f"
            "0162"
            "0400");
  EXPECT_EQ(hex(encode(some_user())),
            "020361646100"
            "03"
            "0461636d65"
            "02"
            "026564"
            "0178");
  EXPECT_EQ(hex(encode(some_tenant())),
            "030461636d6500"
            "0561636d652f"
            "01"
            "ac02"
            "03"
            "04");
}

TEST(AccessRecord, IsReadBackAndNoOtherBytesAre) {
  for (const AccessRecord& record : {some_role(), some_user(), some_tenant()}) {
    const std::string bytes = encode(record);
    const auto read = decode_record(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(encode(*read), bytes);
    EXPECT_EQ(kind_of(*read), kind_of(record));
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_record(bytes.substr(0, size)));
    EXPECT_FALSE(decode_record(bytes + '\0'));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1U << bit % 8));
      if (const auto other = decode_record(flipped)) {
        EXPECT_EQ(encode(*other), flipped) << "another one, soundly said";
      }
    }
  }
}

TEST(AccessRecord, IsBroughtIntoOneForm) {
  const auto role = normalized(Role{.name = "r",
                                    .grants = {{.permissions = {Permission::write, Permission::read, Permission::write},
                                                .prefixes = {"b", "a/b", "a/"}}}});
  const Grant& grant = std::get<Role>(*role).grants.front();
  EXPECT_EQ(grant.permissions, (std::vector{Permission::read, Permission::write}));
  EXPECT_EQ(grant.prefixes, (std::vector<std::string>{"a/", "b"}));
  EXPECT_EQ(std::get<User>(*normalized(User{.name = "u", .roles = {"b", "a", "b"}})).roles,
            (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(std::get<Tenant>(*normalized(Tenant{.name = "acme"})).prefix, "acme/");
}

TEST(AccessRecord, WhatCanNotBeIsRefused) {
  const std::string long_name(max_name_bytes + 1, 'a');
  const std::string long_text(1025, 'a');
  const Grant read{.permissions = {Permission::read}};
  for (const AccessRecord& bad : std::vector<AccessRecord>{
           Role{.name = ""}, Role{.name = "Upper"}, Role{.name = "a/b"}, Role{.name = ".."}, Role{.name = "-a"},
           Role{.name = long_name}, Role{.name = "r", .description = long_text},
           Role{.name = "r", .description = "\xff"}, Role{.name = "r", .grants = {Grant{}}},
           Role{.name = "r", .grants = std::vector(max_grants + 1, read)},
           Role{.name = "r", .grants = {{.permissions = {Permission::admin}, .prefixes = {"a"}}}},
           Role{.name = "r", .grants = {{.permissions = {Permission::read}, .prefixes = {""}}}},
           Role{.name = "r", .grants = {{.permissions = {Permission::read}, .prefixes = {long_text}}}},
           Role{.name = "r",
                .grants = {{.permissions = {Permission::read}, .prefixes = std::vector<std::string>(65, "a")}}},
           User{.name = "u", .roles = {"Bad"}}, User{.name = "u", .tenant = "a b"},
           Tenant{.name = "t", .prefix = long_text}, Tenant{.name = "t", .quotas = {.max_keys = ~std::uint64_t{0}}}}) {
    const auto refused = normalized(bad);
    ASSERT_FALSE(refused) << hex(encode(bad));
    EXPECT_EQ(refused.error().code(), Errc::invalid_request);
    EXPECT_FALSE(decode_record(encode(bad)));
  }
}

}  // namespace
}  // namespace concord::acl
