// Authentication over HTTP: a matrix of every route and every kind of token, made from the route table; then scopes, revocation,
// expiry and limits.
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "http/route.hpp"
#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

constexpr std::string_view first_secret = "sk_concord_the_first_token_of_these_tests";

class AuthApi : public NodeApi {
 protected:
  explicit AuthApi(Settings settings = unlimited()) : NodeApi(std::move(settings), with_auth()) {}

  static Settings unlimited() {
    Settings settings;
    settings.rate_limits.auth_failures_per_minute = 0;
    return settings;
  }
  static Options with_auth() {
    Options options;
    options.auth = {.enabled = true, .token = std::string(first_secret)};
    return options;
  }
  static std::string bearer(std::string_view secret) { return "Authorization: Bearer " + std::string(secret) + "\r\n"; }

  TestingResponse as(std::string_view secret, std::string_view method, std::string_view target,
                     std::string_view body = {}) {
    return call(method, target, body, bearer(secret));
  }
  json::object create(std::string_view body) {
    const TestingResponse made = as(first_secret, "POST", "/api/v1/tokens", body);
    EXPECT_EQ(made.status, 201) << made.body;
    return json::parse(made.body).at("data").as_object();
  }
  std::string secret_of(std::string_view body) { return std::string(create(body).at("token").as_string()); }
  void put(std::string_view key) {
    EXPECT_EQ(as(first_secret, "PUT", "/api/v1/kv/" + std::string(key), R"({"value":1})").status, 200);
  }
};

/// With a parameter that no route takes: who is let in is answered 400, and no stream begins and nothing is changed.
std::string path_of(const Route& route) {
  std::string path(route.path);
  if (const auto at = path.find('{'); at != std::string::npos) path.replace(at, path.find('}') + 1 - at, "k");
  return path + "?no_such_parameter=1";
}

bool is_let_in(int status) { return status != 401 && status != 403; }

TEST_F(AuthApi, EveryRouteSaysWhatItNeeds) {
  for (const Route& route : api_routes()) {
    EXPECT_NE(route.needs, Needs::nobody_may) << method_name(route.method) << ' ' << route.path;
  }
}

/// What a token of these permissions may call; those are bits as in the log.
bool may_call(Needs needs, unsigned permissions) {
  const bool admin = (permissions & 4U) != 0;
  const bool read = admin || (permissions & 1U) != 0;
  const bool write = admin || (permissions & 2U) != 0;
  switch (needs) {
    case Needs::nobody_may: return false;
    case Needs::nothing: return true;
    case Needs::read: return read;
    case Needs::write: return write;
    case Needs::read_or_write: return read || write;
    case Needs::admin: return admin;
  }
  return false;
}

TEST_F(AuthApi, EveryRouteAsksEveryKindOfToken) {
  const std::vector<std::pair<std::string, unsigned>> good = {{secret_of(R"({"permissions":["read"]})"), 1},
                                                              {secret_of(R"({"permissions":["write"]})"), 2},
                                                              {secret_of(R"({"permissions":["read","write"]})"), 3},
                                                              {secret_of(R"({"permissions":["admin"]})"), 4},
                                                              {std::string(first_secret), 4}};
  const json::object revoked = create(R"({"permissions":["admin"]})");
  const std::string expired = secret_of(R"({"permissions":["admin"],"expires_in":1})");
  EXPECT_EQ(as(first_secret, "DELETE", "/api/v1/tokens/" + std::string(revoked.at("id").as_string())).status, 200);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  const std::string unknown = "sk_concord_" + std::string(43, 'A');
  const std::vector<std::string> bad = {bearer(std::string(revoked.at("token").as_string())),
                                        bearer(expired),
                                        bearer(unknown),
                                        bearer(good[3].first + "x"),
                                        bearer(good[3].first.substr(0, 30)),
                                        bearer("sk_concord_"),
                                        bearer(""),
                                        "Authorization: Basic dXNlcjpwYXNz\r\n",
                                        "Authorization: Bearer\r\n",
                                        "Authorization: " + good[3].first + "\r\n",
                                        bearer(good[3].first) + bearer(good[3].first),
                                        "X-API-Key: " + unknown + "\r\n",
                                        "X-API-Key: \r\n",
                                        "Cookie: token=" + good[3].first + "\r\n"};
  for (const Route& route : api_routes()) {
    SCOPED_TRACE(std::string(method_name(route.method)) + " " + std::string(route.path));
    const std::string path = path_of(route);
    const std::string body = route.body == BodyKind::none ? "" : "{\"no such field\":1}";
    const TestingResponse none = call(method_name(route.method), path, body);
    EXPECT_EQ(is_let_in(none.status), route.needs == Needs::nothing) << none.body;
    if (none.status == 401) {
      EXPECT_EQ(none.header("WWW-Authenticate"), "Bearer");
    }
    for (const std::string& fields : bad) {
      const TestingResponse refused = call(method_name(route.method), path, body, fields);
      EXPECT_EQ(refused.status == 401, route.needs != Needs::nothing) << fields << refused.status << refused.body;
    }
    for (const auto& [secret, permissions] : good) {
      for (const std::string& fields : {bearer(secret), "X-API-Key: " + secret + "\r\n"}) {
        const TestingResponse answered = call(method_name(route.method), path, body, fields);
        EXPECT_EQ(is_let_in(answered.status), may_call(route.needs, permissions)) << permissions << answered.body;
      }
    }
  }
}

TEST_F(AuthApi, PathsThatAreNoRoutesTellNothing) {
  EXPECT_EQ(call("GET", "/api/v1/secret").status, 404);
  EXPECT_EQ(call("PATCH", "/api/v1/kv/k").status, 405);
  EXPECT_EQ(call("GET", "/api/v1/kv/k?token=" + std::string(first_secret)).status, 401);
}

TEST_F(AuthApi, ATokenIsShownOnceAndListedWithoutItsSecret) {
  const json::object made =
      create(R"({"permissions":["write","read"],"prefixes":["b/","a/"],"description":"of a \"service\"",)"
             R"("expires_in":3600})");
  const std::string secret(made.at("token").as_string());
  EXPECT_EQ(secret.size(), 54U);
  EXPECT_TRUE(secret.starts_with("sk_concord_"));
  EXPECT_EQ(json::serialize(made.at("permissions")), R"(["read","write"])");
  EXPECT_EQ(json::serialize(made.at("prefixes")), R"(["a/","b/"])");
  EXPECT_EQ(made.at("expires_in"), 3600);
  EXPECT_TRUE(made.at("last_used_at").is_null());
  EXPECT_EQ(as(secret, "GET", "/api/v1/kv/a%2Fk").status, 404);
  const TestingResponse listed = as(first_secret, "GET", "/api/v1/tokens");
  EXPECT_EQ(listed.body.find(secret), std::string::npos);
  EXPECT_EQ(listed.body.find(first_secret), std::string::npos);
  const auto tokens = json::parse(listed.body).at("data").at("tokens").as_array();
  ASSERT_EQ(tokens.size(), 2U);
  const auto& mine = tokens[tokens[0].at("id") == made.at("id") ? 0 : 1];
  EXPECT_EQ(mine.at("description"), "of a \"service\"");
  EXPECT_TRUE(mine.at("last_used_at").is_string());
}

TEST_F(AuthApi, ABadNewTokenIsRefusedAndNothingIsMade) {
  for (const std::string_view body :
       {"", "{}", R"({"permissions":[]})", R"({"permissions":["root"]})", R"({"permissions":"read"})",
        R"({"permissions":["read"],"expires_in":0})", R"({"permissions":["read"],"prefixes":[""]})",
        R"({"permissions":["admin"],"prefixes":["a/"]})", R"({"permissions":["read"],"name":"x"})",
        R"({"permissions":["read"],"description":7})", R"({"permissions":["read"],"expires_in":99999999999})"}) {
    expect_error(as(first_secret, "POST", "/api/v1/tokens", body), 400, "INVALID_REQUEST");
  }
  EXPECT_EQ(json::parse(as(first_secret, "GET", "/api/v1/tokens").body).at("data").at("tokens").as_array().size(), 1U);
}

TEST_F(AuthApi, ARevokedTokenIsGoneAtOnce) {
  const json::object by_id = create(R"({"permissions":["read"]})");
  const json::object by_secret = create(R"({"permissions":["read"]})");
  const std::string path = "/api/v1/tokens/" + std::string(by_id.at("id").as_string());
  const std::string body = json::serialize(json::object{{"token", by_secret.at("token")}});
  EXPECT_EQ(as(first_secret, "DELETE", path).status, 200);
  EXPECT_EQ(as(first_secret, "POST", "/api/v1/tokens/revoke", body).status, 200);
  for (const json::object* token : {&by_id, &by_secret}) {
    expect_error(as(std::string(token->at("token").as_string()), "GET", "/api/v1/kv/k"), 401, "UNAUTHORIZED");
  }
  expect_error(as(first_secret, "DELETE", path), 404, "NOT_FOUND");
  expect_error(as(first_secret, "POST", "/api/v1/tokens/revoke", body), 404, "NOT_FOUND");
  expect_error(as(first_secret, "DELETE", "/api/v1/tokens/nonsense"), 404, "NOT_FOUND");
}

TEST_F(AuthApi, TheLastAdminMayRevokeItselfAndDoesNotComeBack) {
  const std::string body = json::serialize(json::object{{"token", first_secret}});
  EXPECT_EQ(as(first_secret, "POST", "/api/v1/tokens/revoke", body).status, 200);
  expect_error(as(first_secret, "GET", "/api/v1/tokens"), 401, "UNAUTHORIZED");
  expect_error(as(first_secret, "GET", "/api/v1/tokens"), 401, "UNAUTHORIZED");
}

TEST_F(AuthApi, AScopeBoundsKeysAndNarrowsWhatIsFound) {
  for (const std::string_view key : {"a%2F1", "a%2F2", "b%2F1", "c"}) put(key);
  const std::string secret = secret_of(R"({"permissions":["read","write"],"prefixes":["a/","c"]})");
  EXPECT_EQ(as(secret, "GET", "/api/v1/kv/a%2F1").status, 200);
  expect_error(as(secret, "GET", "/api/v1/kv/b%2F1"), 403, "FORBIDDEN");
  expect_error(as(secret, "GET", "/api/v1/kv/none"), 403, "FORBIDDEN");
  expect_error(as(secret, "GET", "/api/v1/kv/b%2F1/ttl"), 403, "FORBIDDEN");
  expect_error(as(secret, "PUT", "/api/v1/kv/b%2F1", R"({"value":1})"), 403, "FORBIDDEN");
  expect_error(as(secret, "DELETE", "/api/v1/kv/b%2F1"), 403, "FORBIDDEN");
  expect_error(as(secret, "POST", "/api/v1/kv/b%2F1/touch", R"({"ttl":1})"), 403, "FORBIDDEN");
  const auto listed = json::parse(as(secret, "GET", "/api/v1/kv?keys_only=true").body);
  EXPECT_EQ(json::serialize(listed.at("data")), R"([{"key":"a/1"},{"key":"a/2"},{"key":"c"}])");
  const auto page = json::parse(as(secret, "GET", "/api/v1/kv?keys_only=true&limit=2").body);
  const auto next =
      as(secret, "GET", "/api/v1/kv?keys_only=true&limit=2&cursor=" + std::string(page.at("next_cursor").as_string()));
  EXPECT_EQ(json::serialize(json::parse(next.body).at("data")), R"([{"key":"c"}])");
  const auto counted = json::parse(as(secret, "POST", "/api/v1/query", R"({"select":"count"})").body);
  EXPECT_EQ(counted.at("data").at("count"), 3);
  const auto queried = json::parse(as(secret, "POST", "/api/v1/query", R"({"prefix":"b","select":"keys"})").body);
  EXPECT_EQ(json::serialize(queried.at("data").at("keys")), "[]");
  expect_error(as(secret, "POST", "/api/v1/kv/bulk/get", R"({"keys":["a/1","b/1"]})"), 403, "FORBIDDEN");
  expect_error(
      as(secret, "POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"a/3","value":1},{"key":"b/3","value":1}]})"), 403,
      "FORBIDDEN");
  expect_error(as(secret, "POST", "/api/v1/kv/bulk/delete", R"({"keys":["a/1","b/1"]})"), 403, "FORBIDDEN");
  const auto deleted = json::parse(as(secret, "POST", "/api/v1/query/delete", R"({"contains":"1"})").body);
  EXPECT_EQ(deleted.at("data").at("deleted"), 1);
  const auto left = json::parse(as(first_secret, "GET", "/api/v1/kv?keys_only=true").body);
  EXPECT_EQ(json::serialize(left.at("data")), R"([{"key":"a/2"},{"key":"b/1"},{"key":"c"}])");
}

TEST_F(AuthApi, ATransactionIsJudgedByWhatItSays) {
  put("k");
  const std::string reader = secret_of(R"({"permissions":["read"]})");
  const std::string writer = secret_of(R"({"permissions":["write"]})");
  const std::string_view reads = R"({"then":[{"op":"get","key":"k"}]})";
  const std::string_view writes = R"({"then":[{"op":"put","key":"k","value":2}]})";
  EXPECT_EQ(as(reader, "POST", "/api/v1/txn", reads).status, 200);
  expect_error(as(reader, "POST", "/api/v1/txn", writes), 403, "FORBIDDEN");
  expect_error(as(writer, "POST", "/api/v1/txn", reads), 403, "FORBIDDEN");
  EXPECT_EQ(as(writer, "POST", "/api/v1/txn", writes).status, 200);
  expect_error(as(writer, "PUT", "/api/v1/kv/k", R"({"value":3,"expected":2})"), 403, "FORBIDDEN");
}

TEST_F(AuthApi, AnIdempotencyKeyBelongsToItsToken) {
  const std::string one = secret_of(R"({"permissions":["write"]})");
  const std::string other = secret_of(R"({"permissions":["write"]})");
  const std::string field = "Idempotency-Key: same\r\n";
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":1})", bearer(one) + field).status, 200);
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":2})", bearer(other) + field).status, 200);
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":2})", bearer(one) + field).status, 409);
}

class AuthLimits : public AuthApi {
 protected:
  static Settings limited() {
    Settings settings;
    settings.rate_limits = {
        .auth_failures_per_minute = 5, .requests_per_address_per_s = 0, .requests_per_token_per_s = 50};
    return settings;
  }
  AuthLimits() : AuthApi(limited()) {}
};

TEST_F(AuthLimits, WhoGuessesIsStoppedAndWhoIsKnownGoesOn) {
  EXPECT_EQ(as(first_secret, "GET", "/api/v1/kv").status, 200);
  TestingClient guesser(server_->port());
  const auto guess = [&](std::string_view secret) {
    guesser.send(request_text("GET", "/api/v1/kv", {}, bearer(secret)));
    return guesser.receive().value_or(TestingResponse{});
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(guess("sk_concord_guess" + std::to_string(i)).status, 401);
  const TestingResponse stopped = guess("sk_concord_guess");
  EXPECT_EQ(stopped.status, 429);
  EXPECT_GE(std::stoi(stopped.header("Retry-After")), 1);
  EXPECT_EQ(guess(first_secret).status, 429) << "a right guess looks like the wrong ones";
  EXPECT_EQ(as(first_secret, "GET", "/api/v1/kv").status, 200) << "its connection has proved who it is";
  EXPECT_EQ(call("GET", "/health").status, 200);
}

TEST_F(AuthLimits, ATokenHasItsShare) {
  const std::string greedy = secret_of(R"({"permissions":["read"]})");
  int refused = 0;
  for (int i = 0; i < 400; ++i) refused += as(greedy, "GET", "/api/v1/kv/none").status == 429 ? 1 : 0;
  EXPECT_GT(refused, 0);
  EXPECT_EQ(as(first_secret, "GET", "/api/v1/kv").status, 200);
}

class NoAuthApi : public NodeApi {};

TEST_F(NoAuthApi, WithAuthenticationOffNobodyIsAskedAndTokensCanBeMade) {
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":1})").status, 200);
  EXPECT_EQ(call("GET", "/api/v1/kv/k", {}, "Authorization: Bearer nonsense\r\n").status, 200);
  EXPECT_EQ(call("POST", "/api/v1/tokens", R"({"permissions":["admin"]})").status, 201);
}

}  // namespace
}  // namespace concord::http
