// What pages of other sites may and may not do through somebody's browser.
#include "http/browser_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::HasSubstr;
using testing::Not;

Request request_of(std::string_view host, Method method = Method::get, std::string_view origin = {}) {
  Request request;
  request.method = method;
  request.add_header(Header::host, host);
  if (!origin.empty()) request.add_header(Header::origin, origin);
  return request;
}

unsigned status_for(const BrowserGuard& guard, std::string_view host) {
  const auto problem = guard.check(request_of(host));
  return problem ? problem->status : 200;
}

TEST(BrowserGuard, OnTheLoopbackOnlyHostsThatNoForeignDnsCanNameAreServed) {
  const BrowserGuard guard({}, "127.0.0.1");
  for (const char* host : {"127.0.0.1:4000", "127.0.0.1", "[::1]:4000", "localhost:4000", "LOCALHOST",
                           "app.localhost:1", "node1", "10.1.2.3:80"}) {
    EXPECT_EQ(status_for(guard, host), 200U) << host;
  }
  for (const char* host : {"attacker.example", "attacker.example:4000", "127.0.0.1.attacker.example", "1.2.3", "",
                           "localhost.attacker.example", "[::1", ":4000", "evil.com:80:80"}) {
    EXPECT_EQ(status_for(guard, host), 421U) << host;
  }
}

TEST(BrowserGuard, NamedHostsAreServedAndAStarServesAll) {
  const BrowserGuard named({.allowed_hosts = {"KV.example.com"}}, "0.0.0.0");
  EXPECT_EQ(status_for(named, "kv.example.com:4000"), 200U);
  EXPECT_EQ(status_for(named, "10.0.0.1"), 200U);
  EXPECT_EQ(status_for(named, "other.example.com"), 421U);
  EXPECT_EQ(status_for(named, "kv"), 421U);
  EXPECT_EQ(status_for(BrowserGuard({.allowed_hosts = {"*"}}, "127.0.0.1"), "any.example"), 200U);
}

TEST(BrowserGuard, BeyondTheLoopbackNamesAreNotKnownUnlessGiven) {
  const BrowserGuard guard({}, "0.0.0.0");
  EXPECT_EQ(status_for(guard, "concord.default.svc.cluster.local:4000"), 200U);
}

TEST(BrowserGuard, APageOfAnotherSiteCannotChangeAnything) {
  const BrowserGuard guard({.cors_origins = {"https://app.example"}}, "127.0.0.1");
  const auto status = [&](Method method, std::string_view origin) {
    const auto problem = guard.check(request_of("localhost:4000", method, origin));
    return problem ? problem->status : 200;
  };
  for (const Method method : {Method::put, Method::post, Method::del, Method::other}) {
    EXPECT_EQ(status(method, "https://attacker.example"), 403U);
    EXPECT_EQ(status(method, "null"), 403U);
    EXPECT_EQ(status(method, "http://localhost:4001"), 403U);
    EXPECT_EQ(status(method, "http://localhost:4000"), 200U);
    EXPECT_EQ(status(method, "https://app.example"), 200U);
  }
  EXPECT_EQ(status(Method::get, "https://attacker.example"), 200U);  // it cannot read the answer
}

class CrossOrigin : public NodeApi {
 protected:
  CrossOrigin() : NodeApi({.browsers = {.cors_origins = {"https://app.example"}}}) {}
};

TEST_F(CrossOrigin, AnAllowedPageMayAskWriteAndReadTheAnswer) {
  const std::string origin = "Origin: https://app.example\r\n";
  auto response = call("OPTIONS", "/api/v1/kv/k", {}, origin + "Access-Control-Request-Method: PUT\r\n");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_THAT(response.header("Access-Control-Allow-Methods"), HasSubstr("PUT"));
  EXPECT_THAT(response.header("Access-Control-Allow-Headers"), HasSubstr("If-Match"));
  response = call("PUT", "/api/v1/kv/k", R"({"value":1})", origin);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_THAT(response.header("Access-Control-Expose-Headers"), HasSubstr("ETag"));
  EXPECT_EQ(response.header("Vary"), "Origin");
}

TEST_F(CrossOrigin, AnotherPageIsToldNothing) {
  const std::string origin = "Origin: https://attacker.example\r\n";
  auto response = call("OPTIONS", "/api/v1/kv/k", {}, origin + "Access-Control-Request-Method: PUT\r\n");
  EXPECT_THAT(response.head, Not(HasSubstr("Access-Control")));
  response = call("PUT", "/api/v1/kv/k", R"({"value":1})", origin);
  expect_error(response, 403, "FORBIDDEN", "api.cors_origins");
  EXPECT_THAT(response.head, Not(HasSubstr("Access-Control")));
  EXPECT_EQ(call("GET", "/api/v1/kv/k").status, 404);
}

using NoCrossOrigin = NodeApi;

TEST_F(NoCrossOrigin, IsTheDefault) {
  const auto response = call("GET", "/health", {}, "Origin: https://app.example\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.head, Not(HasSubstr("Access-Control")));
  client_->send("GET /health HTTP/1.1\r\nHost: attacker.example\r\n\r\n");
  expect_error(*client_->receive(), 421, "INVALID_REQUEST", "api.allowed_hosts");
}

}  // namespace
}  // namespace concord::http
