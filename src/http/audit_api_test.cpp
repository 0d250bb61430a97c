// The audit log over HTTP: what requests leave in it, and its own routes.
#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "http/auditing.hpp"
#include "http/route.hpp"
#include "http/testing_node_api.hpp"
#include "http/time_text.hpp"

namespace concord::http {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view first_secret = "sk_concord_the_first_token_of_these_tests";

std::filesystem::path audit_directory() {
  return std::filesystem::temp_directory_path() / ("concord_audit_api." + std::to_string(::getpid()));
}

class AuditApi : public NodeApi {
 protected:
  explicit AuditApi(Options options = with_audit()) : NodeApi({}, std::move(options)) {}
  ~AuditApi() override {
    server_->stop(std::chrono::seconds(5));
    database_->close(std::chrono::seconds(5));
    std::filesystem::remove_all(audit_directory());
  }

  static Options with_audit() {
    std::filesystem::remove_all(audit_directory());
    Options options;
    options.audit_log.enabled = true;
    options.audit_log.log_dir = audit_directory();
    return options;
  }
  json::array entries(std::string_view parameters = "", std::string_view fields = "") {
    const TestingResponse response = call("GET", "/api/v1/audit" + std::string(parameters), "", fields);
    EXPECT_EQ(response.status, 200) << response.body;
    if (response.status != 200) return {};
    return json::parse(response.body).at("data").at("entries").as_array();
  }
  std::vector<std::string> operations(std::string_view parameters = "", std::string_view fields = "") {
    std::vector<std::string> found;
    for (const json::value& entry : entries(parameters, fields)) {
      found.push_back(std::string(entry.at("operation").as_string()) + " " +
                      std::string(entry.at("result").as_string()));
    }
    return found;
  }
  static std::string all_files() {
    std::string text;
    for (const auto& file : std::filesystem::directory_iterator(audit_directory())) {
      std::ifstream input(file.path(), std::ios::binary);
      text.append(std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>());
    }
    return text;
  }
};

TEST_F(AuditApi, WhateverChangesSomethingLeavesOneEntry) {
  call("PUT", "/api/v1/kv/a", R"({"value":1,"ttl":60})");
  call("PUT", "/api/v1/kv/a", R"({"value":2,"expected":1})");
  call("PUT", "/api/v1/kv/a", R"({"value":2,"expected":1})");
  call("GET", "/api/v1/kv/a");
  call("POST", "/api/v1/kv/a/touch", R"({"ttl":5})");
  call("POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"b","value":1},{"key":"c","value":1}]})");
  call("POST", "/api/v1/txn", R"({"guards":[{"key":"a","exists":false}],"then":[{"op":"put","key":"a","value":1}]})");
  call("POST", "/api/v1/query/delete", R"({"prefix":"b"})");
  call("DELETE", "/api/v1/kv/a");
  call("DELETE", "/api/v1/kv/a");
  call("PUT", "/api/v1/kv/a", "{");
  call("PUT", "/api/v1/kv/a?nonsense=1", R"({"value":1})");
  call("POST", "/api/v1/cluster/snapshot");
  EXPECT_THAT(operations(), ElementsAre("snapshot_trigger ok", "put error", "put error", "delete not_found",
                                        "delete ok", "delete_where ok", "txn ok", "put_many ok", "touch ok",
                                        "put_if error", "put_if ok", "put ok"));
  const json::value put = entries("?operation=put&result=ok").at(0);
  EXPECT_EQ(put.at("key_hash"), "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
  EXPECT_EQ(put.at("metadata"), json::parse(R"({"has_ttl":true,"ttl_seconds":60,"compressed":false})"));
  EXPECT_EQ(put.at("user"), "anonymous");
  EXPECT_EQ(put.at("client"), "127.0.0.1");
  EXPECT_EQ(put.at("revision"), 1);
  EXPECT_EQ(entries("?operation=put_if&result=error").at(0).at("error"), "CONDITION_FAILED");
  EXPECT_EQ(entries("?operation=txn").at(0).at("metadata").at("succeeded"), false);
  EXPECT_THAT(entries("?operation=put_many").at(0).at("metadata").at("key_hashes").as_array(), SizeIs(2));
  EXPECT_EQ(entries("?operation=delete_where").at(0).at("metadata").at("count"), 1);
}

TEST_F(AuditApi, AConnectionThatIsUsedAgainTellsNothingOfTheCallBefore) {
  call("PUT", "/api/v1/kv/a", R"({"value":1,"ttl":60})");
  call("POST", "/api/v1/cluster/snapshot");
  const json::value entry = entries("?operation=snapshot_trigger").at(0);
  EXPECT_FALSE(entry.as_object().contains("key_hash"));
  EXPECT_FALSE(entry.as_object().contains("revision"));
  EXPECT_EQ(entry.at("metadata"), json::object());
}

TEST_F(AuditApi, FiltersAreThoseOfTheQuery) {
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  call("DELETE", "/api/v1/kv/b");
  EXPECT_THAT(operations("?operation=put"), ElementsAre("put ok"));
  EXPECT_THAT(operations("?result=not_found"), ElementsAre("delete not_found"));
  EXPECT_THAT(operations("?user=anonymous&limit=1"), ElementsAre("delete not_found"));
  EXPECT_THAT(operations("?from=2200-01-01"), ElementsAre());
  EXPECT_THAT(operations("?from=2020-01-01T00:00:00Z&to=2199-12-31T23:59:59.999Z"), SizeIs(2));
  EXPECT_THAT(operations("?to=2020-01-01"), ElementsAre());
  expect_error(call("GET", "/api/v1/audit?from=yesterday"), 400, "INVALID_REQUEST", "from");
  expect_error(call("GET", "/api/v1/audit?limit=0"), 400, "INVALID_REQUEST", "limit");
  expect_error(call("GET", "/api/v1/audit?limit=10001"), 400, "INVALID_REQUEST", "limit");
  expect_error(call("GET", "/api/v1/audit?result=fine"), 400, "INVALID_REQUEST", "result");
}

TEST_F(AuditApi, AnExportIsJsonLinesOldestFirst) {
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  call("DELETE", "/api/v1/kv/a");
  TestingClient client(server_->port());
  client.send(request_text("GET", "/api/v1/audit/export?result=ok", "", ""));
  const auto response = client.receive(true);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->header("Content-Type"), "application/jsonl");
  const std::string lines = client.receive_chunks();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2);
  EXPECT_LT(lines.find("\"put\""), lines.find("\"delete\""));
}

TEST_F(AuditApi, AnEntryOfOnesOwn) {
  body_of("POST", "/api/v1/audit",
          R"({"operation":"data_import","key":"batch:1","metadata":{"source":"legacy","records":5000}})");
  const json::array found = entries();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].at("operation"), "data_import");
  EXPECT_EQ(found[0].at("result"), "ok");
  EXPECT_EQ(found[0].at("metadata"), json::parse(R"({"source":"legacy","records":5000})"));
  expect_error(call("POST", "/api/v1/audit", R"({"operation":"audit_recovered"})"), 400, "INVALID_REQUEST",
               "the log's own");
  expect_error(call("POST", "/api/v1/audit", R"({"operation":"Import"})"), 400, "INVALID_REQUEST", "a-z");
  expect_error(call("POST", "/api/v1/audit", R"({"operation":"a","metadata":[1]})"), 400, "INVALID_REQUEST",
               "metadata");
  expect_error(call("POST", "/api/v1/audit", R"({"operation":"a","metadata":{"x":")" + std::string(5000, 'y') + "\"}}"),
               400, "INVALID_REQUEST", "4096");
}

TEST_F(AuditApi, RotateCleanupVerifyAndStats) {
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  body_of("POST", "/api/v1/audit/rotate");
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  EXPECT_THAT(body_of("POST", "/api/v1/audit/cleanup"), HasSubstr("\"removed\":0"));
  const json::value verified = json::parse(body_of("POST", "/api/v1/audit/verify")).at("data");
  EXPECT_EQ(verified.at("valid"), true) << verified;
  EXPECT_EQ(verified.at("files"), 2);
  const json::value stats = json::parse(body_of("GET", "/api/v1/audit/stats")).at("data");
  EXPECT_EQ(stats.at("enabled"), true);
  EXPECT_EQ(stats.at("files"), 2);
  EXPECT_EQ(stats.at("log_dir").as_string(), audit_directory().string());
  EXPECT_GT(stats.at("total_size").as_int64(), stats.at("current_log_size").as_int64());
  EXPECT_THAT(operations(), ElementsAre("audit_cleanup ok", "put ok", "audit_rotate ok", "put ok"));
  for (const auto& file : std::filesystem::directory_iterator(audit_directory())) {
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600)) << file.path();
  }
  EXPECT_EQ(std::filesystem::status(audit_directory()).permissions(), std::filesystem::perms(0700));
  EXPECT_THAT(body_of("GET", "/metrics"), HasSubstr("\nconcord_audit_writable 1\n"));
}

TEST_F(AuditApi, AChangedFileIsNotValid) {
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  body_of("POST", "/api/v1/audit/rotate");
  for (const auto& file : std::filesystem::directory_iterator(audit_directory())) {
    if (file.path().filename().string().size() < 30) continue;  // the one that has ended
    std::fstream text(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    text.seekp(500);
    text.put('x');
  }
  const json::value verified = json::parse(body_of("POST", "/api/v1/audit/verify")).at("data");
  EXPECT_EQ(verified.at("valid"), false);
  EXPECT_THAT(verified.at("problems").as_array(), Not(SizeIs(0)));
}

class AuditAuthApi : public AuditApi {
 protected:
  AuditAuthApi() : AuditApi(with_auth()) {}

  static Options with_auth() {
    Options options = with_audit();
    options.auth = {.enabled = true, .token = std::string(first_secret)};
    return options;
  }
  static std::string bearer(std::string_view secret) { return "Authorization: Bearer " + std::string(secret) + "\r\n"; }
};

TEST_F(AuditAuthApi, TokensAreNamedByTheirIdAndWhoIsRefusedLeavesAnEntry) {
  const std::string admin = bearer(first_secret);
  const json::value made =
      json::parse(call("POST", "/api/v1/tokens", R"({"permissions":["write"],"prefixes":["app/"]})", admin).body)
          .at("data");
  const std::string secret(made.at("token").as_string());
  const std::string id(made.at("id").as_string());
  call("PUT", "/api/v1/kv/app%2Fa", R"({"value":1})", bearer(secret));
  call("PUT", "/api/v1/kv/other", R"({"value":1})", bearer(secret));
  call("POST", "/api/v1/cluster/snapshot", "", bearer(secret));
  call("GET", "/api/v1/kv/app%2Fa", "", bearer(secret));
  call("GET", "/api/v1/kv/a", "", bearer("sk_concord_unknown"));
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  call("DELETE", "/api/v1/tokens/" + secret, "", admin);
  call("POST", "/api/v1/tokens/revoke", R"({"token":")" + secret + "\"}", admin);
  call("GET", "/health");
  EXPECT_THAT(operations("", admin),
              ElementsAre("token_revoke ok", "token_revoke not_found", "put unauthorized", "get unauthorized",
                          "get forbidden", "snapshot_trigger forbidden", "put forbidden", "put ok", "token_create ok"));
  EXPECT_THAT(operations("?user=token:" + id, admin),
              ElementsAre("get forbidden", "snapshot_trigger forbidden", "put forbidden", "put ok"));
  EXPECT_THAT(operations("?result=error", admin), SizeIs(5));
  EXPECT_EQ(entries("?operation=token_create", admin).at(0).at("metadata").at("target").as_string(), id);
  EXPECT_EQ(entries("?operation=get&result=unauthorized", admin).at(0).at("metadata").at("unauthorized_attempt"), true);
  const std::string written = all_files();
  EXPECT_THAT(written, Not(HasSubstr(secret.substr(11))));
  EXPECT_THAT(written, Not(HasSubstr(std::string(first_secret.substr(11)))));
  EXPECT_THAT(written, Not(HasSubstr("sk_concord_")));
}

class AuditReadsApi : public AuditApi {
 protected:
  AuditReadsApi() : AuditApi(with_reads()) {}

  static Options with_reads() {
    Options options = with_audit();
    options.audit_log.log_reads = true;
    options.audit_log.sensitive_keys = true;
    return options;
  }
};

TEST_F(AuditReadsApi, ReadsAndKeysWhenAskedFor) {
  call("GET", "/api/v1/kv/a");
  call("POST", "/api/v1/kv/bulk/get", R"({"keys":["a"]})");
  call("GET", "/metrics");
  EXPECT_THAT(operations(), ElementsAre("get_many ok", "get not_found"));
  EXPECT_EQ(entries("?operation=get").at(0).at("key"), "a");
  EXPECT_THAT(operations("?operation=audit_query"), Not(SizeIs(0)));
}

class NoAuditApi : public NodeApi {};

TEST_F(NoAuditApi, WithoutALogItsRoutesSayThatItIsSwitchedOff) {
  for (const Route& route : api_routes()) {
    if (!route.path.starts_with("/api/v1/audit")) continue;
    const std::string body = route.body == BodyKind::none ? "" : R"({"operation":"a"})";
    expect_error(call(method_name(route.method), route.path, body), 404, "NOT_FOUND", "audit_log.enabled");
  }
}

TEST(Auditing, EveryRouteThatMayChangeSomethingIsRecorded) {
  for (const Route& route : api_routes()) {
    const bool may_change = route.needs == Needs::write || route.needs == Needs::read_or_write ||
                            (route.needs == Needs::admin && route.method != Method::get);
    if (may_change && route.operation != "audit_verify") {
      EXPECT_EQ(audited(route), Audited::always) << route.path;
    }
    if (route.needs != Needs::nothing) {
      EXPECT_NE(audited(route), Audited::never) << route.path;
    }
  }
}

TEST(TimeText, ReadsWhatRfc3339Allows) {
  EXPECT_EQ(rfc3339(parse_rfc3339("2026-02-03T04:05:06.789Z").value()), "2026-02-03T04:05:06.789Z");
  EXPECT_EQ(rfc3339(parse_rfc3339("2026-02-03T05:05:06+01:00").value()), "2026-02-03T04:05:06.000Z");
  EXPECT_EQ(rfc3339(parse_rfc3339("2026-02-03").value()), "2026-02-03T00:00:00.000Z");
  for (const std::string_view bad :
       {"", "2026", "2026-02-30", "2026-02-03T", "2026-02-03T04:05:06", "2026-02-03T04:05:06.Z", "2026-02-03T25:00:00Z",
        "2026-02-03T04:05:06Zx", "9999-01-01"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

}  // namespace
}  // namespace concord::http
