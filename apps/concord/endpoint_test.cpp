#include "endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord::app {
namespace {

using ::testing::HasSubstr;

TEST(Endpoint, SchemePortAndSlashMayBeLeftOut) {
  for (const char* text : {"http://node:4000/", "http://node:4000", "node:4000", "http://node", "node"}) {
    const auto endpoint = read_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->authority(), "node:4000") << text;
    EXPECT_FALSE(endpoint->is_secure);
  }
}

TEST(Endpoint, HttpsIsSecure) {
  const auto endpoint = read_endpoint("https://node:4443");
  ASSERT_TRUE(endpoint);
  EXPECT_TRUE(endpoint->is_secure);
  EXPECT_EQ(endpoint->authority(), "node:4443");
}

TEST(Endpoint, AnIpv6AddressKeepsItsBracketsInTheHostHeaderOnly) {
  for (const char* text : {"http://[::1]:4000", "[::1]", "http://[::1]/"}) {
    const auto endpoint = read_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->host, "::1");
    EXPECT_EQ(endpoint->authority(), "[::1]:4000");
  }
}

TEST(Endpoint, WhatIsNoneIsNamed) {
  for (const char* text : {"", "http://", "http://node:0", "node:65536", "node:", "node:x", "http://node/api", "::1",
                           "[::1", "[]:4000", "[::1]x", "http://me@node", "node?x"}) {
    const auto endpoint = read_endpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_THAT(endpoint.error(), HasSubstr("\"" + std::string(text) + "\""));
  }
}

}  // namespace
}  // namespace concord::app
