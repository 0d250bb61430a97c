// Roles, users and tenants over HTTP: the routes themselves; every route and the tokens of a user, of a disabled one and of a tenant; and
// that no route leads from one tenant to the keys of another.
#include <chrono>
#include <string>
#include <string_view>
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
using testing::Not;

constexpr std::string_view first_secret = "sk_concord_the_first_token_of_these_tests";

class AccessApi : public NodeApi {
 protected:
  AccessApi() : NodeApi(unlimited(), with_auth()) {}

  static Settings unlimited() {
    Settings settings;
    settings.rate_limits.auth_failures_per_minute = 0;
    settings.sign_of_life_interval = std::chrono::milliseconds(20);
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
  void set(std::string_view path, std::string_view body) {
    const TestingResponse done = as(first_secret, "PUT", "/api/v1/" + std::string(path), body);
    EXPECT_EQ(done.status, 200) << path << done.body;
  }
  json::value data_of(std::string_view target) {
    const TestingResponse answered = as(first_secret, "GET", "/api/v1/" + std::string(target));
    EXPECT_EQ(answered.status, 200) << answered.body;
    return json::parse(answered.body).at("data");
  }
  std::string secret_of(std::string_view body) {
    const TestingResponse made = as(first_secret, "POST", "/api/v1/tokens", body);
    EXPECT_EQ(made.status, 201) << made.body;
    return std::string(json::parse(made.body).at("data").at("token").as_string());
  }
  void put(std::string_view key, std::string_view secret = first_secret) {
    EXPECT_EQ(as(secret, "PUT", "/api/v1/kv/" + std::string(key), R"({"value":1})").status, 200);
  }
};

TEST_F(AccessApi, WhatIsSetIsShownListedAndGone) {
  set("roles/editor", R"({"description":"d","grants":[{"permissions":["write","read"],"prefixes":["b/","a/"]},)"
                      R"({"permissions":["admin"]}]})");
  set("tenants/acme", R"({"quotas":{"max_keys":10,"max_subscribers":2}})");
  set("users/ada", R"({"roles":["editor"],"tenant":"acme"})");
  const std::string role = R"({"name":"editor","description":"d","grants":[{"permissions":["read","write"],)"
                           R"("prefixes":["a/","b/"]},{"permissions":["admin"],"prefixes":[]}]})";
  const std::string user = R"({"name":"ada","description":"","roles":["editor"],"tenant":"acme","disabled":false})";
  const std::string tenant = R"({"name":"acme","description":"","prefix":"acme/","quotas":{"max_keys":10,)"
                             R"("max_bytes":0,"max_operations_per_s":0,"max_subscribers":2},)"
                             R"("usage":{"keys":0,"bytes":0}})";
  EXPECT_EQ(json::serialize(data_of("roles/editor")), role);
  EXPECT_EQ(json::serialize(data_of("roles")), R"({"roles":[)" + role + "]}");
  EXPECT_EQ(json::serialize(data_of("users/ada")), user);
  EXPECT_EQ(json::serialize(data_of("users")), R"({"users":[)" + user + "]}");
  EXPECT_EQ(json::serialize(data_of("tenants/acme")), tenant);
  EXPECT_EQ(json::serialize(data_of("tenants")), R"({"tenants":[)" + tenant + "]}");
  put("acme%2Fk");
  EXPECT_EQ(json::serialize(data_of("tenants/acme").at("usage")), R"({"keys":1,"bytes":8})");
  expect_error(as(first_secret, "DELETE", "/api/v1/roles/editor"), 409, "CONDITION_FAILED", "ada");
  expect_error(as(first_secret, "DELETE", "/api/v1/tenants/acme"), 409, "CONDITION_FAILED", "ada");
  for (const std::string_view path : {"users/ada", "roles/editor", "tenants/acme"}) {
    const std::string target = "/api/v1/" + std::string(path);
    EXPECT_EQ(as(first_secret, "DELETE", target).status, 200);
    expect_error(as(first_secret, "GET", target), 404, "NOT_FOUND");
    expect_error(as(first_secret, "DELETE", target), 404, "NOT_FOUND");
  }
  EXPECT_EQ(as(first_secret, "GET", "/api/v1/kv/acme%2Fk").status, 200) << "keys of a tenant stay";
}

TEST_F(AccessApi, WhatCanNotBeIsRefused) {
  set("tenants/acme", R"({"prefix":"acme/"})");
  const auto refuse = [&](std::string_view path, std::string_view body, int status, std::string_view code) {
    SCOPED_TRACE(std::string(path) + " " + std::string(body));
    expect_error(as(first_secret, "PUT", "/api/v1/" + std::string(path), body), status, code);
  };
  for (const std::string_view body :
       {"", "[]", "{}", R"({"grants":{}})", R"({"grants":[{}]})", R"({"grants":[{"permissions":[]}]})",
        R"({"grants":[{"permissions":["root"]}]})", R"({"grants":[{"permissions":["read"],"prefixes":[""]}]})",
        R"({"grants":[{"permissions":["admin"],"prefixes":["a"]}]})", R"({"grants":[],"name":"x"})",
        R"({"grants":[{"permissions":["read"],"keys":[]}]})", R"({"grants":[],"description":1})"}) {
    refuse("roles/r", body, 400, "INVALID_REQUEST");
  }
  refuse("roles/Upper", R"({"grants":[]})", 400, "INVALID_REQUEST");
  refuse("users/u", R"({"roles":"r"})", 400, "INVALID_REQUEST");
  refuse("users/u", R"({"disabled":1})", 400, "INVALID_REQUEST");
  refuse("users/u", R"({"roles":["none"]})", 409, "CONDITION_FAILED");
  refuse("users/u", R"({"tenant":"none"})", 409, "CONDITION_FAILED");
  refuse("tenants/t", R"({"quotas":{"max_keys":-1}})", 400, "INVALID_REQUEST");
  refuse("tenants/t", R"({"quotas":{"max_leases":1}})", 400, "INVALID_REQUEST");
  refuse("tenants/t", R"({"prefix":"acme/inside/"})", 409, "CONDITION_FAILED");
  refuse("tenants/t", R"({"prefix":"ac"})", 409, "CONDITION_FAILED");
  refuse("tenants/acme", R"({"prefix":"other/"})", 409, "CONDITION_FAILED");
  const auto refuse_token = [&](std::string_view body, int status, std::string_view code) {
    expect_error(as(first_secret, "POST", "/api/v1/tokens", body), status, code);
  };
  refuse_token(R"({"permissions":["read"],"user":"none"})", 409, "CONDITION_FAILED");
  refuse_token(R"({"permissions":["read"],"tenant":"none"})", 409, "CONDITION_FAILED");
  refuse_token(R"({"permissions":["admin"],"tenant":"acme"})", 409, "CONDITION_FAILED");
  refuse_token(R"({"permissions":["read"],"tenant":"acme","user":"none"})", 400, "INVALID_REQUEST");
  refuse_token(R"({"permissions":["read"],"tenant":""})", 400, "INVALID_REQUEST");
}

// ---------------------------------------------------------------------------------------------------------------------
// Every route.

/// As in auth_api_test.cpp: who is let in is answered 400.
std::string path_of(const Route& route) {
  std::string path(route.path);
  if (const auto at = path.find('{'); at != std::string::npos) path.replace(at, path.find('}') + 1 - at, "k");
  return path + "?no_such_parameter=1";
}

bool needs_admin(const Route& route) { return route.needs == Needs::admin; }
bool needs_write_alone(const Route& route) { return route.needs == Needs::write; }

TEST_F(AccessApi, EveryRouteAsksTheRolesOfAUser) {
  set("roles/reader", R"({"grants":[{"permissions":["read"],"prefixes":["a/"]}]})");
  set("roles/all", R"({"grants":[{"permissions":["admin"]}]})");
  set("tenants/acme", "{}");
  set("users/reader", R"({"roles":["reader"]})");
  set("users/operator", R"({"roles":["all"]})");
  set("users/of-tenant", R"({"roles":["all"],"tenant":"acme"})");
  set("users/nothing", "{}");
  set("users/gone", R"({"roles":["all"]})");
  const std::string all = R"("permissions":["read","write"])";
  const std::string reader = secret_of("{" + all + R"(,"user":"reader"})");
  const std::string admin = secret_of(R"({"permissions":["admin"],"user":"operator"})");
  const std::string limited = secret_of(R"({"permissions":["read"],"user":"operator"})");
  const std::string of_tenant = secret_of("{" + all + R"(,"user":"of-tenant"})");
  const std::string tenant = secret_of("{" + all + R"(,"tenant":"acme"})");
  const std::string nothing = secret_of("{" + all + R"(,"user":"nothing"})");
  const std::string disabled = secret_of(R"({"permissions":["admin"],"user":"gone"})");
  set("users/gone", R"({"roles":["all"],"disabled":true})");
  for (const Route& route : api_routes()) {
    if (route.needs == Needs::nothing) continue;
    SCOPED_TRACE(std::string(method_name(route.method)) + " " + std::string(route.path));
    const std::string body = route.body == BodyKind::none ? "" : "{\"no such field\":1}";
    const auto status_of = [&](const std::string& secret) {
      return as(secret, method_name(route.method), path_of(route), body).status;
    };
    const auto is_let_in = [&](const std::string& secret) {
      const int status = status_of(secret);
      EXPECT_NE(status, 401);
      return status != 403;
    };
    EXPECT_EQ(status_of(disabled), 401);
    EXPECT_TRUE(is_let_in(admin));
    EXPECT_FALSE(is_let_in(nothing));
    EXPECT_EQ(is_let_in(reader), !needs_admin(route) && !needs_write_alone(route));
    EXPECT_EQ(is_let_in(limited), !needs_admin(route) && !needs_write_alone(route));
    EXPECT_EQ(is_let_in(of_tenant), !needs_admin(route));
    EXPECT_EQ(is_let_in(tenant), !needs_admin(route));
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// One tenant and the keys of another.

class Tenants : public AccessApi {
 protected:
  Tenants() {
    set("tenants/a", "{}");
    set("tenants/b", "{}");
    set("roles/all", R"({"grants":[{"permissions":["read","write"]}]})");
    set("users/ada", R"({"roles":["all"],"tenant":"a"})");
    for (const std::string_view key : {"a%2F1", "a%2F2", "b%2F1", "b%2F2", "free"}) put(key);
    secrets_ = {secret_of(R"({"permissions":["read","write"],"tenant":"a"})"),
                secret_of(R"({"permissions":["read","write"],"user":"ada"})"),
                secret_of(R"({"permissions":["read","write"],"user":"ada","prefixes":["a/","b/"]})")};
  }
  std::string all_keys() { return as(first_secret, "GET", "/api/v1/kv?keys_only=true").body; }

  std::vector<std::string> secrets_;  // each is of tenant a
};

TEST_F(Tenants, NoRouteThatNamesAKeyReachesThoseOfAnother) {
  const std::string before = all_keys();
  struct Row {
    std::string_view method;
    std::string_view target;
    std::string_view body = {};
  };
  for (const Row& row : std::vector<Row>{
           {"GET", "/api/v1/kv/b%2F1"},
           {"GET", "/api/v1/kv/b%2Fnone"},
           {"HEAD", "/api/v1/kv/b%2F1"},
           {"GET", "/api/v1/kv/b%2F1/ttl"},
           {"PUT", "/api/v1/kv/b%2F1", R"({"value":2})"},
           {"PUT", "/api/v1/kv/b%2F1", R"({"value":2,"expected":1})"},
           {"DELETE", "/api/v1/kv/b%2F1"},
           {"POST", "/api/v1/kv/b%2F1/touch", R"({"ttl":1})"},
           {"POST", "/api/v1/kv/bulk/get", R"({"keys":["a/1","b/1"]})"},
           {"POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"a/1","value":2},{"key":"b/1","value":2}]})"},
           {"POST", "/api/v1/kv/bulk/delete", R"({"keys":["a/1","b/1"]})"},
           {"POST", "/api/v1/kv/bulk/touch", R"({"operations":[{"key":"a/1","ttl":1},{"key":"b/1","ttl":1}]})"},
           {"POST", "/api/v1/txn", R"({"then":[{"op":"get","key":"b/1"}]})"},
           {"POST", "/api/v1/txn", R"({"then":[{"op":"put","key":"a/1","value":2},{"op":"delete","key":"b/1"}]})"},
           {"POST", "/api/v1/txn", R"({"then":[],"else":[{"op":"put","key":"b/1","value":2}]})"},
           {"POST", "/api/v1/txn",
            R"({"guards":[{"key":"b/1","exists":true}],"then":[{"op":"put","key":"a/1","value":2}]})"},
           {"POST", "/api/v1/txn",
            R"({"guards":[{"key":"b/1","expected":1}],"then":[{"op":"put","key":"a/1","value":2}]})"}}) {
    for (const std::string& secret : secrets_) {
      const TestingResponse answered = as(secret, row.method, row.target, row.body);
      EXPECT_EQ(answered.status, 403) << row.method << ' ' << row.target << row.body << answered.body;
    }
  }
  EXPECT_EQ(all_keys(), before);
}

TEST_F(Tenants, WhatIsFoundIsOnesOwn) {
  for (const std::string& secret : secrets_) {
    const auto data = [&](std::string_view method, std::string_view target, std::string_view body = {}) {
      const TestingResponse answered = as(secret, method, target, body);
      EXPECT_EQ(answered.status, 200) << answered.body;
      return json::parse(answered.body).at("data");
    };
    EXPECT_EQ(json::serialize(data("GET", "/api/v1/kv?keys_only=true")), R"([{"key":"a/1"},{"key":"a/2"}])");
    EXPECT_EQ(json::serialize(data("GET", "/api/v1/kv?keys_only=true&prefix=b")), "[]");
    EXPECT_EQ(data("POST", "/api/v1/query", R"({"select":"count"})").at("count"), 2);
    EXPECT_EQ(json::serialize(data("POST", "/api/v1/query", R"({"pattern":".","select":"keys"})").at("keys")),
              R"(["a/1","a/2"])");
    EXPECT_EQ(data("POST", "/api/v1/query/delete", R"({"prefix":"b/"})").at("deleted"), 0);
  }
  EXPECT_EQ(
      json::parse(as(secrets_[0], "POST", "/api/v1/query/delete", R"({"contains":"1"})").body).at("data").at("deleted"),
      1);
  EXPECT_THAT(all_keys(), HasSubstr("b/1"));
  EXPECT_THAT(all_keys(), Not(HasSubstr("a/1")));
}

TEST_F(Tenants, OthersAndWhoTheyAreAreNotVisible) {
  for (const std::string& secret : secrets_) {
    for (const std::string_view target : {"tenants", "tenants/a", "tenants/b", "tenants/none", "users", "users/ada",
                                          "users/none", "roles", "roles/all", "tokens", "backups", "audit"}) {
      const TestingResponse one = as(secret, "GET", "/api/v1/" + std::string(target));
      expect_error(one, 403, "FORBIDDEN");
      EXPECT_THAT(one.body, Not(HasSubstr("ada")));
    }
    expect_error(as(secret, "PUT", "/api/v1/tenants/a", "{}"), 403, "FORBIDDEN");
    expect_error(as(secret, "DELETE", "/api/v1/tenants/b"), 403, "FORBIDDEN");
    expect_error(as(secret, "POST", "/api/v1/tokens", R"({"permissions":["read"],"tenant":"a"})"), 403, "FORBIDDEN");
    expect_error(as(secret, "POST", "/api/v1/backups", "{}"), 403, "FORBIDDEN");
  }
}

/// One open stream.
class Stream {
 public:
  Stream(std::uint16_t port, const std::string& query, const std::string& fields) : client_(port) {
    client_.send(request_text("GET", "/api/v1/events" + query, {}, fields));
    if (const auto head = client_.receive(true)) status = head->status;
  }
  /// The next event's lines; comments are passed over.
  std::string next() {
    for (;;) {
      const auto block = client_.receive_block();
      if (!block) return "the end";
      if (!block->starts_with(':')) return *block;
    }
  }
  /// The first event on the way to this revision; empty: its signs of life have come there without one.
  std::string until(std::uint64_t revision) {
    constexpr std::string_view sign_of_life = ": revision ";
    for (;;) {
      const auto block = client_.receive_block();
      if (!block) return "the end";
      if (!block->starts_with(sign_of_life)) return *block;
      if (std::stoull(block->substr(sign_of_life.size())) >= revision) return {};
    }
  }
  int status = 0;

 private:
  TestingClient client_;
};

TEST_F(Tenants, EventsAreOnesOwn) {
  for (const std::string& secret : secrets_) {
    Stream all(server_->port(), "", bearer(secret));
    Stream others(server_->port(), "?prefix=b/", bearer(secret));
    Stream past_of_others(server_->port(), "?prefix=b/&after_revision=0", bearer(secret));
    Stream past(server_->port(), "?after_revision=0", bearer(secret));
    put("b%2F1");
    EXPECT_EQ(as(first_secret, "POST", "/api/v1/kv/bulk",
                 R"({"operations":[{"key":"b/3","value":"secret"},{"key":"a/3","value":1}]})")
                  .status,
              200);
    const std::string seen = all.next();
    EXPECT_THAT(seen, HasSubstr("a/3"));
    EXPECT_THAT(seen, Not(HasSubstr("b/3"))) << "of a transaction its own part";
    EXPECT_THAT(seen, Not(HasSubstr("secret")));
    EXPECT_THAT(past.next(), HasSubstr("a/1"));
    const TestingResponse last = as(first_secret, "PUT", "/api/v1/kv/b%2F9", R"({"value":1})");
    ASSERT_EQ(last.status, 200);
    const std::uint64_t revision = json::parse(last.body).at("revision").to_number<std::uint64_t>();
    EXPECT_EQ(others.until(revision), "");
    EXPECT_EQ(past_of_others.until(revision), "");
  }
}

TEST_F(Tenants, AStreamEndsWhenWhatItMayShowChanges) {
  Stream stream(server_->port(), "", bearer(secrets_[1]));
  ASSERT_EQ(stream.status, 200);
  put("a%2F1");
  EXPECT_THAT(stream.next(), HasSubstr("a/1"));
  set("tenants/a", R"({"quotas":{"max_keys":100}})");
  put("a%2F2");
  EXPECT_THAT(stream.next(), HasSubstr("a/2")) << "a quota changes nothing of what may be seen";
  set("roles/all", R"({"grants":[{"permissions":["write"]}]})");
  put("a%2F1");
  const std::string end = stream.next();
  EXPECT_THAT(end, HasSubstr("event: end"));
  EXPECT_THAT(end, HasSubstr("FORBIDDEN"));
  set("roles/all", R"({"grants":[{"permissions":["read"]}]})");
  Stream again(server_->port(), "", bearer(secrets_[1]));
  set("users/ada", R"({"roles":["all"],"tenant":"a","disabled":true})");
  put("a%2F1");
  EXPECT_THAT(again.next(), HasSubstr("UNAUTHORIZED"));
}

TEST_F(Tenants, QuotasAreAnsweredAsWhatTheyAre) {
  set("tenants/a", R"({"quotas":{"max_keys":2,"max_subscribers":1}})");
  expect_error(as(secrets_[0], "PUT", "/api/v1/kv/a%2F3", R"({"value":1})"), 507, "STORAGE_FULL",
               "the tenant a has reached its quota max_keys");
  expect_error(as(secrets_[0], "POST", "/api/v1/txn", R"({"then":[{"op":"put","key":"a/3","value":1}]})"), 507,
               "STORAGE_FULL");
  EXPECT_EQ(as(secrets_[0], "DELETE", "/api/v1/kv/a%2F1").status, 200);
  put("a%2F3", secrets_[0]);
  Stream stream(server_->port(), "", bearer(secrets_[0]));
  Stream second(server_->port(), "", bearer(secrets_[1]));
  EXPECT_EQ(stream.status, 200);
  EXPECT_EQ(second.status, 429);
}

/// What one bucket lets through in the time that the calls took is a third of what three would.
TEST_F(Tenants, CallsOfATenantAreCountedTogether) {
  set("tenants/a", R"({"quotas":{"max_operations_per_s":20}})");
  int refused = 0;
  int taken = 0;
  const auto began_at = std::chrono::steady_clock::now();
  for (int i = 0; i < 400; ++i) {
    const TestingResponse answered = as(secrets_[static_cast<std::size_t>(i % 3)], "GET", "/api/v1/kv/a%2F1");
    if (answered.status == 200) ++taken;
    if (answered.status != 429) continue;
    ++refused;
    EXPECT_GE(std::stoi(answered.header("Retry-After")), 1);
  }
  const std::chrono::duration<double> took_s = std::chrono::steady_clock::now() - began_at;
  EXPECT_EQ(taken + refused, 400);
  EXPECT_GT(refused, 0);
  EXPECT_LE(taken, 20 * (1 + took_s.count()) + 1);
  EXPECT_EQ(as(first_secret, "GET", "/api/v1/kv/a%2F1").status, 200);
  set("tenants/a", "{}");
  EXPECT_EQ(as(secrets_[0], "GET", "/api/v1/kv/a%2F1").status, 200);
}

}  // namespace
}  // namespace concord::http
