// Listing, queries and bulk reads over a real connection and a real node.
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "http/target.hpp"
#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::HasSubstr;

class QueryApi : public NodeApi {
 protected:
  void put(std::string_view key, const Value& value, std::optional<std::chrono::seconds> ttl = {}) {
    ASSERT_TRUE(database_->put(key, value, {.ttl = ttl}));
  }
  void put_letters() {
    put("a", 1);
    put("b", "two", std::chrono::seconds(100));
    put("c", boost::json::value{{"n", 3}});
    put("d", Bytes("\x01"));
  }
};

TEST_F(QueryApi, AListShowsKeysInOrderWithWhatIsAskedFor) {
  put_letters();
  EXPECT_EQ(body_of("GET", "/api/v1/kv"),
            R"({"status":"ok","data":[{"key":"a","value":1},{"key":"b","value":"two"},{"key":"c","value":{"n":3}},)"
            R"({"key":"d","value":"AQ==","encoding":"base64"}],"next_cursor":null,"count":4})");
  EXPECT_EQ(body_of("GET", "/api/v1/kv?start=b&end=c&with_ttl=true"),
            R"({"status":"ok","data":[{"key":"b","value":"two","ttl":100},{"key":"c","value":{"n":3},"ttl":null}],)"
            R"("next_cursor":null,"count":2})");
  EXPECT_EQ(body_of("GET", "/api/v1/kv?keys_only=true&offset=1&limit=2&end=c"),
            R"({"status":"ok","data":[{"key":"b"},{"key":"c"}],"next_cursor":null,"count":2})");
  EXPECT_EQ(body_of("GET", "/api/v1/kv?keys_only=true&prefix=x"),
            R"({"status":"ok","data":[],"next_cursor":null,"count":0})");
  EXPECT_EQ(body_of("GET", "/api/v1/kv?keys_only=true&pattern=%5E%5Bad%5D&suffix=d&contains=d"),
            R"({"status":"ok","data":[{"key":"d"}],"next_cursor":null,"count":1})");
}

TEST_F(QueryApi, PagesGoThroughAllKeysOnceWhileOthersComeAndGo) {
  for (int i = 100; i < 350; ++i) put("key" + std::to_string(i), i);
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 100; ++page) {
    const auto answer = boost::json::parse(
        body_of("GET", "/api/v1/kv?keys_only=true&prefix=key&limit=7" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const auto& row : answer.at("data").as_array()) {
      EXPECT_TRUE(seen.insert(std::string(row.at("key").as_string())).second) << row;
    }
    put("key" + std::to_string(1000 + page), 0);
    ASSERT_TRUE(database_->write({.kind = command::CommandKind::remove, .key = "key1" + std::to_string(page)}, {}));
    if (answer.at("next_cursor").is_null()) break;
    cursor = answer.at("next_cursor").as_string();
  }
  for (int i = 200; i < 350; ++i) EXPECT_TRUE(seen.contains("key" + std::to_string(i))) << i;
}

TEST_F(QueryApi, BadListingsAreRefused) {
  put_letters();
  expect_error(call("GET", "/api/v1/kv?limit=0"), 400, "INVALID_REQUEST",
               "is 0; it must be a whole number, at least 1 and at most 1000");
  expect_error(call("GET", "/api/v1/kv?limit=1001"), 400, "INVALID_REQUEST", "is 1001; it must be");
  expect_error(call("GET", "/api/v1/kv?limit=x"), 400, "INVALID_REQUEST", "limit");
  expect_error(call("GET", "/api/v1/kv?offset=-1"), 400, "INVALID_REQUEST", "offset");
  expect_error(call("GET", "/api/v1/kv?start=b&end=a"), 400, "INVALID_REQUEST", "start lies behind end");
  expect_error(call("GET", "/api/v1/kv?pattern=(("), 400, "INVALID_REQUEST");
  expect_error(call("GET", "/api/v1/kv?cursor=!"), 400, "INVALID_REQUEST", "cursor");
  expect_error(call("GET", "/api/v1/kv?colour=red"), 400, "INVALID_REQUEST", "colour");
  const auto answer = boost::json::parse(body_of("GET", "/api/v1/kv?limit=1"));
  const std::string cursor(answer.at("next_cursor").as_string());
  expect_error(call("GET", "/api/v1/kv?prefix=a&cursor=" + cursor), 400, "INVALID_REQUEST", "another query");
}

TEST_F(QueryApi, AQuerySelectsPairsKeysOrACount) {
  put_letters();
  EXPECT_EQ(body_of("POST", "/api/v1/query", R"({"range":["a","b"]})"),
            R"({"status":"ok","data":{"pairs":[{"key":"a","value":1},{"key":"b","value":"two"}],"next_cursor":null}})");
  EXPECT_EQ(body_of("POST", "/api/v1/query", R"({"select":"keys","filter":{"n":{"$gte":3}}})"),
            R"({"status":"ok","data":{"keys":["c"],"next_cursor":null}})");
  EXPECT_EQ(body_of("POST", "/api/v1/query", R"({"select":"count"})"), R"({"status":"ok","data":{"count":4}})");
  EXPECT_EQ(body_of("POST", "/api/v1/query", R"({"select":"count","contains":"c"})"),
            R"({"status":"ok","data":{"count":1}})");
  const auto first = boost::json::parse(body_of("POST", "/api/v1/query", R"({"select":"keys","limit":3,"offset":1})"));
  EXPECT_EQ(first.at("data").at("keys"), (boost::json::array{"b", "c", "d"}));
  EXPECT_TRUE(first.at("data").at("next_cursor").is_null());
}

TEST_F(QueryApi, KeysThatAreNoTextAreShownAsBytes) {
  put("\xff", 1);
  EXPECT_EQ(body_of("POST", "/api/v1/query", R"({"select":"keys"})"),
            R"({"status":"ok","data":{"keys":[{"key_b64":"/w=="}],"next_cursor":null}})");
  EXPECT_EQ(body_of("GET", "/api/v1/kv"),
            R"({"status":"ok","data":[{"key_b64":"/w==","value":1}],"next_cursor":null,"count":1})");
}

TEST_F(QueryApi, MetaShowsTimesRevisionsAndVersions) {
  body_of("PUT", "/api/v1/kv/a", R"({"value":1,"ttl":60})");
  const std::string meta = R"("ttl":60,"revision":1,"create_revision":1,"version":1})";
  EXPECT_EQ(body_of("GET", "/api/v1/kv?meta=true"),
            R"({"status":"ok","data":[{"key":"a","value":1,)" + meta + R"(],"next_cursor":null,"count":1})");
  EXPECT_EQ(body_of("POST", "/api/v1/query?meta=true", R"({"start":"a"})"),
            R"({"status":"ok","data":{"pairs":[{"key":"a","value":1,)" + meta + R"(],"next_cursor":null}})");
  EXPECT_EQ(body_of("POST", "/api/v1/kv/bulk/get?meta=true", R"({"keys_b64":["YQ==","/w=="]})"),
            R"({"status":"ok","data":{"YQ==":{"status":"ok","value":1,)" + meta +
                R"(,"/w==":{"status":"error","error":"not_found"}}})");
  expect_error(call("POST", "/api/v1/query", R"({"start":"a","range":["a","b"]})"), 400, "INVALID_REQUEST", "both");
  EXPECT_THAT(body_of("GET", "/api/v1/cluster/members"), HasSubstr(R"("data":{"members":[{"name":)"));
}

TEST_F(QueryApi, BadQueriesAreRefused) {
  for (const auto* body : {R"({"limit":0})", R"({"limit":1001})", R"({"range":["b","a"]})", R"({"range":["a"]})",
                           R"({"select":"rows"})", R"({"pattern":"(("})", R"({"filter":{"n":{"$near":1}}})",
                           R"({"filter":5})", R"({"prefix":5})", R"({"colour":"red"})",
                           R"({"prefix":"a","prefix":"b"})", R"({"select":"count","cursor":"AA"})", R"([])", R"({)"}) {
    expect_error(call("POST", "/api/v1/query", body), 400, "INVALID_REQUEST");
  }
}

TEST_F(QueryApi, WhatMatchesIsDeletedInOneTransaction) {
  put_letters();
  expect_error(call("POST", "/api/v1/query/delete", "{}"), 400, "INVALID_REQUEST", "at least one selector");
  expect_error(call("POST", "/api/v1/query/delete", R"({"prefix":"a","offset":1})"), 400, "INVALID_REQUEST", "offset");
  expect_error(call("POST", "/api/v1/query/delete", R"({"prefix":"a","limit":0})"), 400, "INVALID_REQUEST", "limit");
  EXPECT_EQ(body_of("POST", "/api/v1/query/delete", R"({"prefix":"x"})"), R"({"status":"ok","data":{"deleted":0}})");
  EXPECT_EQ(body_of("POST", "/api/v1/query/delete", R"({"range":["a","z"],"limit":3})"),
            R"({"status":"ok","revision":5,"data":{"deleted":3}})");
  EXPECT_EQ(body_of("POST", "/api/v1/query", R"({"select":"keys"})"),
            R"({"status":"ok","data":{"keys":["d"],"next_cursor":null}})");
}

TEST_F(QueryApi, ABulkGetIsOneCutWithEachKeyOnce) {
  put_letters();
  EXPECT_EQ(body_of("POST", "/api/v1/kv/bulk/get", R"({"keys":["b","none","a","b"],"with_ttl":true})"),
            R"({"status":"ok","data":{"b":{"status":"ok","value":"two","ttl":100},)"
            R"("none":{"status":"error","error":"not_found"},"a":{"status":"ok","value":1,"ttl":null}}})");
  expect_error(call("POST", "/api/v1/kv/bulk/get", R"({"keys":[]})"), 400, "INVALID_REQUEST", "empty");
  expect_error(call("POST", "/api/v1/kv/bulk/get", R"({"keys":[""]})"), 400, "INVALID_KEY");
  expect_error(call("POST", "/api/v1/kv/bulk/get", R"({"keys":[5]})"), 400, "INVALID_REQUEST");
  expect_error(call("POST", "/api/v1/kv/bulk/get", R"({})"), 400, "INVALID_REQUEST", "keys");
  std::string many = R"({"keys":["k")";
  for (int i = 0; i < 500; ++i) many += ",\"k" + std::to_string(i) + '"';
  expect_error(call("POST", "/api/v1/kv/bulk/get", many + "]}"), 413, "BATCH_TOO_LARGE");
}

TEST_F(QueryApi, OtherRequestsAreServedWhileALongQueryRuns) {
  std::vector<std::string> keys;
  for (int i = 0; i < 20'000; ++i) keys.push_back("key" + std::to_string(i));
  for (std::size_t at = 0; at < keys.size(); at += 500) {
    command::Transaction transaction;
    for (std::size_t i = at; i < at + 500; ++i) {
      transaction.then.push_back({.kind = command::OperationKind::put,
                                  .key = keys[i],
                                  .value = std::string_view("\0"
                                                            "1",
                                                            2)});
    }
    ASSERT_TRUE(database_->commit(transaction, {}));
  }
  // Pipelined: the answers come in order, the long one first.
  client_->send(request_text("POST", "/api/v1/query", R"({"select":"count","pattern":"9$"})", {}) +
                request_text("GET", "/api/v1/kv/key7", {}, {}));
  EXPECT_EQ(client_->receive(false)->body, R"({"status":"ok","data":{"count":2000}})");
  EXPECT_EQ(client_->receive(false)->status, 200);
  // A client that goes away in the middle takes nothing with it.
  for (int i = 0; i < 20; ++i) {
    TestingClient leaving(server_->port());
    leaving.send(request_text("POST", "/api/v1/query", R"({"select":"count","suffix":"9","contains":"k"})", {}));
  }
  EXPECT_EQ(body_of("GET", "/api/v1/kv/key7"), R"({"status":"ok","data":{"value":1}})");
}

}  // namespace
}  // namespace concord::http
