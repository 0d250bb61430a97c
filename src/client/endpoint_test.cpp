#include "client/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord::client {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Endpoint, SchemePortAndSlashMayBeLeftOut) {
  for (const char* text :
       {"http://node:4000/", "http://node:4000", "HTTP://node:4000", "node:4000", "http://node", "node", "node/"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text << ": " << endpoint.error().message();
    EXPECT_EQ(endpoint->url, text);
    EXPECT_EQ(endpoint->host, "node") << text;
    EXPECT_EQ(endpoint->port, "4000") << text;
    EXPECT_EQ(endpoint->authority, "node:4000") << text;
    EXPECT_FALSE(endpoint->is_secure) << text;
  }
}

TEST(Endpoint, HttpsIsSecure) {
  const auto endpoint = parse_endpoint("https://node:4443");
  ASSERT_TRUE(endpoint);
  EXPECT_TRUE(endpoint->is_secure);
  EXPECT_EQ(endpoint->authority, "node:4443");
}

TEST(Endpoint, AnIpv6AddressKeepsItsBracketsInTheHostHeaderOnly) {
  for (const char* text : {"http://[::1]:4000", "[::1]", "[::1]:4000", "http://[::1]/"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->host, "::1") << text;
    EXPECT_EQ(endpoint->authority, "[::1]:4000") << text;
  }
}

TEST(Endpoint, WhatIsNoneIsNamed) {
  for (const char* text : {"", "http://", "http://node:0", "node:65536", "http://node:70000", "node:", "node:x",
                           "http://node/api", "::1", "[::1", "[]:4000", "[::1]x", "node?x", "http://node?x=1", "node#x",
                           "http://no de", "ftp://127.0.0.1", "://node"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().code(), Errc::invalid_request);
    EXPECT_THAT(endpoint.error().message(), HasSubstr("\"" + std::string(text) + "\""));
  }
}

TEST(Endpoint, APasswordIsRefusedAndNotRepeated) {
  for (const char* text : {"http://me@node", "http://me:secret@node", "me:secret@node"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_THAT(endpoint.error().message(), Not(HasSubstr("me")));
  }
}

}  // namespace
}  // namespace concord::client
