// Secrets are drawn, never repeat, and are known by their SHA-256.
#include "security/secret.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace concord::security {
namespace {

std::string hex(const command::SecretHash& hash) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : hash) {
    text += digits[static_cast<unsigned char>(c) >> 4U];
    text += digits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

TEST(Secret, Has256RandomBitsBehindItsPrefix) {
  std::set<std::string> seen;
  std::set<char> letters;
  for (int i = 0; i < 200; ++i) {
    const auto secret = generate_secret();
    ASSERT_TRUE(secret);
    EXPECT_EQ(secret->size(), secret_prefix.size() + 43);
    EXPECT_TRUE(is_well_formed(*secret));
    EXPECT_TRUE(seen.insert(*secret).second);
    letters.insert(secret->begin() + secret_prefix.size(), secret->end());
  }
  EXPECT_EQ(letters.size(), 64U);
}

TEST(Secret, HashesAreSha256) {
  EXPECT_EQ(hex(hash_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Secret, WhatIsNoTokenIsNotLookedFor) {
  for (const std::string_view bad : {"", "sk_concord_", "sk_other_abc", "SK_CONCORD_abc", " sk_concord_abc",
                                     "sk_concord_a b", "sk_concord_a\n", "sk_concord_a,b", "sk_concord_\xc3\xa4"}) {
    EXPECT_FALSE(is_well_formed(bad)) << bad;
  }
  EXPECT_TRUE(is_well_formed("sk_concord_x"));
  EXPECT_FALSE(is_well_formed("sk_concord_" + std::string(300, 'x')));
}

TEST(Secret, TheFirstTokenHasTheSameIdOnAllNodes) {
  const auto hash = hash_of("sk_concord_first");
  EXPECT_EQ(first_id_of(hash), first_id_of(hash_of("sk_concord_first")));
  EXPECT_NE(first_id_of(hash), first_id_of(hash_of("sk_concord_other")));
  EXPECT_FALSE(first_id_of(hash).is_zero());
}

}  // namespace
}  // namespace concord::security
