// The web console: its files are open to everybody, bound by a strict policy; what they show is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/embedded_file.hpp"
#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::HasSubstr;
using testing::Not;

class Console : public NodeApi {
 protected:
  static Options with_tokens() {
    Options options;
    options.auth = {.enabled = true, .token = "sk_concord_the_first_token_of_these_tests"};
    return options;
  }
  Console() : NodeApi({}, with_tokens()) {}
};

TEST_F(Console, EveryFileIsServedWithoutAToken) {
  ASSERT_GE(console_files().size(), 5U);
  for (const EmbeddedFile& file : console_files()) {
    SCOPED_TRACE(file.path);
    const std::string target = "/console/" + std::string(file.path);
    const auto plain = call("GET", target);
    EXPECT_EQ(plain.status, 200);
    EXPECT_EQ(plain.header("Content-Type"), file.content_type);
    EXPECT_EQ(plain.header("X-Content-Type-Options"), "nosniff");
    EXPECT_TRUE(plain.body == file.bytes);
    EXPECT_TRUE(call("GET", target, {}, "Accept-Encoding: gzip\r\n").body == file.gzip_bytes);
    const auto again = call("GET", target, {}, "If-None-Match: " + plain.header("ETag") + "\r\n");
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.header("Cache-Control"), "no-cache");
  }
}

TEST_F(Console, ItsPathLeadsToItsFolderByARelativeRedirect) {
  const auto response = call("GET", "/console");
  EXPECT_EQ(response.status, 308);
  EXPECT_EQ(response.header("Location"), "console/") << "below a path of a proxy it must stay there";
  const auto page = call("GET", "/console/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, Not(HasSubstr("=\"/"))) << "and so must what it loads";
}

TEST_F(Console, ThePolicyAllowsNothingInlineAndNoMarkupFromText) {
  const std::string policy = call("GET", "/console/").header("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self'; style-src 'self';"));
  EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  const std::string page = call("GET", "/console/").body;
  EXPECT_THAT(page, Not(HasSubstr("<style")));
  EXPECT_THAT(page, Not(HasSubstr("style=")));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("://"))) << "nothing comes from elsewhere";
}

TEST_F(Console, WhatIsNoFileOfItIs404) {
  for (const char* target : {"/console/nothing", "/console/console.js/", "/console/../console/x", "/console//",
                             "/console/%69ndex.html", "/console/views/overview"}) {
    EXPECT_EQ(call("GET", target).status, 404) << target;
  }
  EXPECT_EQ(call("POST", "/console/", "{}").status, 405);
}

TEST_F(Console, AnAbsoluteTargetIsReadByItsPath) {
  EXPECT_EQ(call("GET", "http://console/console/console.css").header("Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(call("GET", "http://console/console/").status, 200);
}

TEST_F(Console, WhatItShowsNeedsAToken) {
  for (const char* target : {"/api/v1/status", "/api/v1/kv", "/api/v1/tokens", "/api/v1/events"}) {
    EXPECT_EQ(call("GET", target).status, 401) << target;
  }
}

}  // namespace
}  // namespace concord::http
