// The calls on keys, over a real connection and a database in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.hpp"
#include "http/testing_client.hpp"
#include "http/testing_database.hpp"

namespace concord::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

/// Each test runs against both ways a write may be answered.
class KvApi : public testing::TestWithParam<TestingDatabase::Completes> {
 protected:
  KvApi() : database_(GetParam()) {
    auto server = Server::start(database_, {.port = 0, .threads = 2});
    EXPECT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
    client_.emplace(server_->port());
  }
  ~KvApi() override {
    client_.reset();
    server_->stop(std::chrono::seconds(5));
    database_.close(std::chrono::seconds(5));
  }

  TestingResponse call(std::string_view method, std::string_view target, std::string_view body = {},
                       std::string_view fields = {}) {
    client_->send(request_text(method, target, body, fields));
    return client_->receive(method == "HEAD").value_or(TestingResponse{});
  }

  /// Expects a status and an error code.
  void expect_error(const TestingResponse& response, int status, std::string_view code) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_THAT(response.body,
                HasSubstr("{\"status\":\"error\",\"error\":{\"code\":\"" + std::string(code) + "\",\"message\":"));
  }

  TestingDatabase database_;
  std::unique_ptr<Server> server_;
  std::optional<TestingClient> client_;
};

INSTANTIATE_TEST_SUITE_P(, KvApi,
                         testing::Values(TestingDatabase::Completes::inside_the_call,
                                         TestingDatabase::Completes::on_a_thread),
                         [](const auto& each) {
                           return each.param == TestingDatabase::Completes::inside_the_call ? "Inline" : "OnAThread";
                         });

TEST_P(KvApi, WhatWasPutIsGotWithItsRevision) {
  auto response = call("PUT", "/api/v1/kv/a%2Fb%20c", R"({"value": {"n": [1, 2.50, "x"]}})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"status":"ok","revision":1})");
  EXPECT_EQ(response.header("ETag"), "\"1\"");
  response = call("GET", "/api/v1/kv/a%2Fb%20c");
  EXPECT_EQ(response.body, R"({"status":"ok","data":{"value":{"n":[1,2.50,"x"]}}})");
  EXPECT_EQ(response.header("ETag"), "\"1\"");
  EXPECT_EQ(response.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(response.header("Content-Type"), "application/json");
}

TEST_P(KvApi, NumbersKeepTheirBits) {
  for (const std::string number :
       {"18446744073709551615", "-9223372036854775808", "9007199254740993", "0.1", "1e300"}) {
    EXPECT_EQ(call("PUT", "/api/v1/kv/n", R"({"value":)" + number + "}").status, 200);
    EXPECT_EQ(call("GET", "/api/v1/kv/n").body, R"({"status":"ok","data":{"value":)" + number + "}}");
  }
  expect_error(call("PUT", "/api/v1/kv/n", R"({"value":18446744073709551616})"), 400, "INVALID_REQUEST");
}

TEST_P(KvApi, AValueMayNestAsDeepAsAloneAndNoDeeper) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(call("PUT", "/api/v1/kv/deep", R"({"value":)" + nested(256) + "}").status, 200);
  expect_error(call("PUT", "/api/v1/kv/deep", R"({"value":)" + nested(257) + "}"), 400, "INVALID_REQUEST");
}

TEST_P(KvApi, TtlAndMetaAreShownWhenAskedFor) {
  call("PUT", "/api/v1/kv/k", R"({"value":1,"ttl":60})");
  EXPECT_EQ(call("GET", "/api/v1/kv/k?with_ttl=true&meta=true").body,
            R"({"status":"ok","data":{"value":1,"ttl":60,"revision":1,"create_revision":1,"version":1}})");
  EXPECT_EQ(call("GET", "/api/v1/kv/k/ttl").body, R"({"status":"ok","data":{"ttl":60}})");
  EXPECT_EQ(call("POST", "/api/v1/kv/k/touch", R"({"ttl":90})").body, R"({"status":"ok","revision":2})");
  EXPECT_EQ(call("GET", "/api/v1/kv/k/ttl").body, R"({"status":"ok","data":{"ttl":90}})");
  call("PUT", "/api/v1/kv/k", R"({"value":1,"ttl":null})");
  EXPECT_EQ(call("GET", "/api/v1/kv/k/ttl").body, R"({"status":"ok","data":{"ttl":null}})");
}

TEST_P(KvApi, APutMayKeepTheTimeTheKeyHas) {
  call("PUT", "/api/v1/kv/k", R"({"value":1,"ttl":60})");
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":2,"keep_ttl":true})").status, 200);
  EXPECT_EQ(call("GET", "/api/v1/kv/k?with_ttl").body, R"({"status":"ok","data":{"value":2,"ttl":60}})");
  EXPECT_EQ(call("PUT", "/api/v1/kv/k?keep_ttl=true", "x", "Content-Type: application/octet-stream\r\n").status, 200);
  EXPECT_EQ(call("GET", "/api/v1/kv/k/ttl").body, R"({"status":"ok","data":{"ttl":60}})");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2,"keep_ttl":true,"ttl":5})"), 400, "INVALID_REQUEST");
  expect_error(call("PUT", "/api/v1/kv/k?keep_ttl=true&ttl=5", "x", "Content-Type: application/octet-stream\r\n"), 400,
               "INVALID_REQUEST");
}

TEST_P(KvApi, ATransactionTellsWhichGuardDidNotHoldWhenAskedFor) {
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  const std::string body = R"({"guards":[{"key":"a","expected":1},{"key":"b","revision":3}],"then":[],)"
                           R"("else":[{"op":"get","key_b64":"YQ=="}]})";
  EXPECT_EQ(call("POST", "/api/v1/txn", body).body,
            R"({"status":"ok","data":{"succeeded":false,"results":[)"
            R"({"op":"get","key":"a","status":"ok","value":1,"revision":1}]}})");
  EXPECT_EQ(call("POST", "/api/v1/txn?meta=true", body).body,
            R"({"status":"ok","data":{"succeeded":false,"results":[)"
            R"({"op":"get","key":"a","status":"ok","value":1,"revision":1}],)"
            R"("revision":1,"failed_guard":1,"key_missing":true}})");
}

TEST_P(KvApi, KeysInBodiesMayBeBase64) {
  EXPECT_EQ(call("POST", "/api/v1/kv/bulk", R"({"operations":[{"key_b64":"/wA=","value":1}]})").body,
            R"({"status":"ok","revision":1,"data":[{"key_b64":"/wA=","status":"ok"}]})");
  EXPECT_EQ(call("GET", "/api/v1/kv/_wA?key_encoding=base64url").status, 200);
  EXPECT_EQ(call("POST", "/api/v1/kv/bulk/delete", R"({"keys_b64":["/wA=","/wE="]})").body,
            R"({"status":"ok","revision":2,"data":[{"key_b64":"/wA=","status":"ok"},)"
            R"({"key_b64":"/wE=","status":"error","error":"not_found"}]})");
  expect_error(call("POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"a","key_b64":"YQ==","value":1}]})"), 400,
               "INVALID_REQUEST");
  expect_error(call("POST", "/api/v1/kv/bulk/delete", R"({"keys":["a"],"keys_b64":["YQ=="]})"), 400, "INVALID_REQUEST");
  expect_error(call("POST", "/api/v1/kv/bulk/delete", R"({"keys_b64":[""]})"), 400, "INVALID_KEY");
}

TEST_P(KvApi, BytesComeAndGoAsBytesOrBase64) {
  const std::string bytes("\x00\xff\r\n\x01", 5);
  EXPECT_EQ(call("PUT", "/api/v1/kv/b?ttl=9", bytes, "Content-Type: application/octet-stream\r\n").status, 200);
  auto response = call("GET", "/api/v1/kv/b", {}, "Accept: application/octet-stream\r\n");
  EXPECT_EQ(response.body, bytes);
  EXPECT_EQ(response.header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(call("GET", "/api/v1/kv/b?with_ttl=true").body,
            R"({"status":"ok","data":{"value":"AP8NCgE=","encoding":"base64","ttl":9}})");
  EXPECT_EQ(call("PUT", "/api/v1/kv/c", R"({"value":"AP8NCgE=","encoding":"base64"})").status, 200);
  EXPECT_EQ(call("GET", "/api/v1/kv/c", {}, "Accept: application/octet-stream\r\n").body, bytes);
  EXPECT_EQ(call("PUT", "/api/v1/kv/c", R"({"value":2,"expected":"AP8NCgE=","expected_encoding":"base64"})").status,
            200);
  expect_error(call("PUT", "/api/v1/kv/c", R"({"value":"AP8NCgE","encoding":"base64"})"), 400, "INVALID_REQUEST");
}

TEST_P(KvApi, AnEmptyBodyOfBytesIsTheEmptyValue) {
  EXPECT_EQ(
      call("PUT", "/api/v1/kv/empty", {}, "Content-Type: application/octet-stream\r\nContent-Length: 0\r\n").status,
      200);
  EXPECT_EQ(call("GET", "/api/v1/kv/empty").body, R"({"status":"ok","data":{"value":"","encoding":"base64"}})");
}

TEST_P(KvApi, AJsonValueAskedForAsBytesIsItsText) {
  call("PUT", "/api/v1/kv/j", R"({"value": {"a" : 1}})");
  EXPECT_EQ(call("GET", "/api/v1/kv/j", {}, "Accept: application/octet-stream\r\n").body, R"({"a":1})");
}

TEST_P(KvApi, DeletingTellsAMissingKey) {
  expect_error(call("DELETE", "/api/v1/kv/k"), 404, "NOT_FOUND");
  call("PUT", "/api/v1/kv/k", R"({"value":1})");
  EXPECT_EQ(call("DELETE", "/api/v1/kv/k", "{}").body, R"({"status":"ok","revision":2})");
  expect_error(call("GET", "/api/v1/kv/k"), 404, "NOT_FOUND");
  expect_error(call("GET", "/api/v1/kv/k/ttl"), 404, "NOT_FOUND");
  expect_error(call("POST", "/api/v1/kv/k/touch", R"({"ttl":1})"), 404, "NOT_FOUND");
}

TEST_P(KvApi, HeaderConditionsAnswer412) {
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":1})", "If-Match: \"1\"\r\n"), 412, "PRECONDITION_FAILED");
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":1})", "If-None-Match: *\r\n").status, 200);
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2})", "If-None-Match: *\r\n"), 412, "PRECONDITION_FAILED");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2})", "If-Match: \"7\"\r\n"), 412, "PRECONDITION_FAILED");
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":2})", "If-Match: \"1\"\r\n").status, 200);
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":3})", "If-Match: *\r\n").status, 200);
  expect_error(call("DELETE", "/api/v1/kv/k", {}, "If-Match: \"1\"\r\n"), 412, "PRECONDITION_FAILED");
  expect_error(call("DELETE", "/api/v1/kv/none", {}, "If-Match: \"1\"\r\n"), 412, "PRECONDITION_FAILED");
  EXPECT_EQ(call("DELETE", "/api/v1/kv/k", {}, "If-Match: \"3\"\r\n").status, 200);
}

TEST_P(KvApi, AHeaderConditionThatIsNoRevisionIsRefused) {
  for (const std::string tag : {"1", "W/\"1\"", "\"x\"", "\"\"", "\"1\", \"2\"", "\"-1\""}) {
    expect_error(call("PUT", "/api/v1/kv/k", R"({"value":1})", "If-Match: " + tag + "\r\n"), 400, "INVALID_REQUEST");
  }
}

TEST_P(KvApi, BodyConditionsAnswer404And409) {
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":1,"expected":0})"), 404, "NOT_FOUND");
  call("PUT", "/api/v1/kv/k", R"({"value":{"n":1}})");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2,"expected":{"n":2}})"), 409, "CONDITION_FAILED");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2,"condition":{"n":{"$gt":1}}})"), 409, "CONDITION_FAILED");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2,"condition":{"n":1},"expected":1})"), 400,
               "CONFLICTING_CONDITIONS");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2,"condition":{"n":{"$no":1}}})"), 400, "INVALID_REQUEST");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2,"condition":1})"), 400, "INVALID_REQUEST");
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":2,"expected":{"n":1.0}})").status, 200);
  expect_error(call("DELETE", "/api/v1/kv/k", R"({"expected":3})"), 409, "CONDITION_FAILED");
  expect_error(call("DELETE", "/api/v1/kv/none", R"({"expected":3})"), 404, "NOT_FOUND");
  EXPECT_EQ(call("DELETE", "/api/v1/kv/k", R"({"condition":{"$value":{"$lt":3}}})").status, 200);
}

TEST_P(KvApi, HeadersAreCheckedBeforeTheBodysCondition) {
  call("PUT", "/api/v1/kv/k", R"({"value":1})");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2,"expected":5})", "If-Match: \"9\"\r\n"), 412,
               "PRECONDITION_FAILED");
  expect_error(call("PUT", "/api/v1/kv/k", R"({"value":2,"expected":5})", "If-Match: \"1\"\r\n"), 409,
               "CONDITION_FAILED");
}

TEST_P(KvApi, AReadOfWhatTheClientHasIs304) {
  call("PUT", "/api/v1/kv/k", R"({"value":1})");
  const auto response = call("GET", "/api/v1/kv/k", {}, "If-None-Match: \"0\", W/\"1\"\r\n");
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.header("ETag"), "\"1\"");
  EXPECT_EQ(call("GET", "/api/v1/kv/k", {}, "If-None-Match: \"2\"\r\n").status, 200);
}

TEST_P(KvApi, KeysFollowTheirRules) {
  expect_error(call("GET", "/api/v1/kv/"), 400, "INVALID_KEY");
  expect_error(call("PUT", "/api/v1/kv/", R"({"value":1})"), 400, "INVALID_KEY");
  expect_error(call("GET", "/api/v1/kv/" + std::string(1025, 'k')), 400, "INVALID_KEY");
  EXPECT_EQ(call("PUT", "/api/v1/kv/" + std::string(1024, 'k'), R"({"value":1})").status, 200);
  expect_error(call("GET", "/api/v1/kv/%ff"), 400, "INVALID_KEY");
  expect_error(call("GET", "/api/v1/kv/%f"), 400, "INVALID_REQUEST");
  expect_error(call("GET", "/api/v1/kv/%zz"), 400, "INVALID_REQUEST");
  EXPECT_EQ(call("PUT", "/api/v1/kv/_w?key_encoding=base64url", R"({"value":1})").status, 200);
  EXPECT_EQ(call("GET", "/api/v1/kv/_w==?key_encoding=base64url").status, 200);
  expect_error(call("GET", "/api/v1/kv/_?key_encoding=base64url"), 400, "INVALID_REQUEST");
  for (const std::string key : {"bulk", "touch", "ttl"}) {
    EXPECT_EQ(call("PUT", "/api/v1/kv/" + key, R"({"value":1})").status, 200);
    EXPECT_EQ(call("GET", "/api/v1/kv/" + key).status, 200);
    EXPECT_EQ(call("DELETE", "/api/v1/kv/" + key).status, 200);
  }
}

TEST_P(KvApi, BadBodiesAreRefusedAndChangeNothing) {
  for (const std::string body : {"",
                                 "{",
                                 "[]",
                                 "1",
                                 "{}",
                                 R"({"value"})",
                                 R"({"value":})",
                                 R"({"value":1,})",
                                 R"({"value":1}x)",
                                 R"({"value":tru})",
                                 R"({"value":1,"value":2})",
                                 R"({"value":1,"v\u0061lue":2})",
                                 R"({"value":{"a":1,"a":2}})",
                                 R"({"value":1,"ttl":0})",
                                 R"({"value":1,"ttl":-1})",
                                 R"({"value":1,"ttl":1.5})",
                                 R"({"value":1,"ttl":"60"})",
                                 R"({"value":1,"ttl":3153600001})",
                                 R"({"value":1,"ttl":1e30})",
                                 R"({"value":1,"compress":1})",
                                 R"({"value":1,"encoding":"base64"})",
                                 R"({"value":"a","encoding":"hex"})",
                                 R"({"value":1,"other":2})",
                                 R"({"value":"\ud800"})",
                                 "{\"value\":\"\xff\"}",
                                 R"({"value":1,"expected_encoding":"base64"})",
                                 R"({value:1})",
                                 R"({"value":1 "ttl":2})",
                                 "{\"value\":[1,}",
                                 R"({"value":[})"}) {
    expect_error(call("PUT", "/api/v1/kv/k", body), 400, "INVALID_REQUEST");
  }
  EXPECT_THAT(call("PUT", "/api/v1/kv/k", R"({"value":1,"extra":2})").body, HasSubstr("extra"));
  expect_error(call("GET", "/api/v1/kv/k"), 404, "NOT_FOUND");
}

TEST_P(KvApi, ABulkPutIsOneTransaction) {
  const auto response = call(
      "POST", "/api/v1/kv/bulk",
      R"({"operations":[{"key":"a","value":1},{"key":"b","value":"eA==","encoding":"base64","ttl":5},{"key":"a","value":2}]})");
  EXPECT_EQ(
      response.body,
      R"({"status":"ok","revision":1,"data":[{"key":"a","status":"ok"},{"key":"b","status":"ok"},{"key":"a","status":"ok"}]})");
  EXPECT_EQ(call("GET", "/api/v1/kv/a").body, R"({"status":"ok","data":{"value":2}})");
  EXPECT_EQ(
      call("POST", "/api/v1/kv/bulk/touch", R"({"operations":[{"key":"a","ttl":7},{"key":"x","ttl":7}]})").body,
      R"({"status":"ok","revision":2,"data":[{"key":"a","status":"ok"},{"key":"x","status":"error","error":"not_found"}]})");
  EXPECT_EQ(
      call("POST", "/api/v1/kv/bulk/delete", R"({"keys":["b","x"]})").body,
      R"({"status":"ok","revision":3,"data":[{"key":"b","status":"ok"},{"key":"x","status":"error","error":"not_found"}]})");
  EXPECT_EQ(call("POST", "/api/v1/kv/bulk/delete", R"({"keys":["x"]})").body,
            R"({"status":"ok","data":[{"key":"x","status":"error","error":"not_found"}]})");
}

TEST_P(KvApi, OneBadOperationRejectsTheBatch) {
  for (const std::string bad : {R"({"key":"","value":1})", R"({"key":"b"})", R"({"value":1})", R"({"key":1,"value":1})",
                                R"({"key":"b","value":1,"ttl":0})", R"({"key":"b","value":1,"what":0})", "1", "{"}) {
    const auto response = call("POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"a","value":1},)" + bad + "]}");
    EXPECT_EQ(response.status, 400) << bad;
  }
  EXPECT_EQ(call("GET", "/api/v1/kv/a").status, 404);
  expect_error(call("POST", "/api/v1/kv/bulk", R"({"operations":[]})"), 400, "INVALID_REQUEST");
  expect_error(call("POST", "/api/v1/kv/bulk", "{}"), 400, "INVALID_REQUEST");
  std::string keys = R"("k")";
  for (int i = 0; i < 499; ++i) keys += R"(,"k")";
  EXPECT_EQ(call("POST", "/api/v1/kv/bulk/delete", R"({"keys":[)" + keys + "]}").status, 200);
  expect_error(call("POST", "/api/v1/kv/bulk/delete", R"({"keys":[)" + keys + R"(,"k"]})"), 413, "BATCH_TOO_LARGE");
}

TEST_P(KvApi, ATransactionAnswers200WhetherItsGuardsHoldOrNot) {
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  EXPECT_EQ(
      call(
          "POST", "/api/v1/txn",
          R"({"guards":[{"key":"a","expected":1},{"key":"b","exists":false},{"key":"a","revision":1},{"key":"a","condition":{"$value":1}}],
                     "then":[{"op":"put","key":"b","value":2,"ttl":4},{"op":"get","key":"b"},{"op":"delete","key":"x"},{"op":"touch","key":"a","ttl":3}]})")
          .body,
      R"({"status":"ok","revision":2,"data":{"succeeded":true,"results":[{"op":"put","key":"b","status":"ok","revision":2},)"
      R"({"op":"get","key":"b","status":"ok","value":2,"revision":2},{"op":"delete","key":"x","status":"not_found"},)"
      R"({"op":"touch","key":"a","status":"ok","revision":2}]}})");
  EXPECT_EQ(
      call(
          "POST", "/api/v1/txn",
          R"({"guards":[{"key":"a","exists":false}],"then":[{"op":"delete","key":"a"}],"else":[{"op":"get","key":"a"}]})")
          .body,
      R"({"status":"ok","data":{"succeeded":false,"results":[{"op":"get","key":"a","status":"ok","value":1,"revision":2}]}})");
  EXPECT_EQ(
      call("POST", "/api/v1/txn", R"({"then":[{"op":"put","key":"c","value":0}]})").body,
      R"({"status":"ok","revision":3,"data":{"succeeded":true,"results":[{"op":"put","key":"c","status":"ok","revision":3}]}})");
}

TEST_P(KvApi, BadTransactionsAreRefused) {
  const auto with_guard = [](const std::string& guard) {
    return R"({"guards":[)" + guard + R"(],"then":[{"op":"get","key":"a"}]})";
  };
  expect_error(call("POST", "/api/v1/txn", with_guard(R"({"key":"a"})")), 400, "MISSING_CONDITION");
  expect_error(call("POST", "/api/v1/txn", with_guard(R"({"key":"a","exists":true,"revision":1})")), 400,
               "CONFLICTING_CONDITIONS");
  expect_error(call("POST", "/api/v1/txn", with_guard(R"({"key":"a","exists":1})")), 400, "INVALID_REQUEST");
  for (const std::string body :
       {R"({})", R"({"then":[]})", R"({"then":[{"op":"jump","key":"a"}]})", R"({"then":[{"key":"a"}]})",
        R"({"then":[{"op":"get"}]})", R"({"then":[{"op":"get","key":"a","value":1}]})",
        R"({"then":[{"op":"touch","key":"a"}]})", R"({"then":[{"op":"touch","key":"a","ttl":null}]})",
        R"({"then":[{"op":"put","key":"a"}]})", R"({"maybe":[]})", R"({"then":{"op":"get","key":"a"}})"}) {
    expect_error(call("POST", "/api/v1/txn", body), 400, "INVALID_REQUEST");
  }
  expect_error(call("POST", "/api/v1/txn", R"({"then":[{"op":"get","key":""}]})"), 400, "INVALID_KEY");
}

TEST_P(KvApi, ErrorsOfTheDatabaseKeepTheirStatus) {
  const struct {
    Errc code;
    int status;
    const char* name;
  } table[] = {{Errc::overloaded, 429, "TOO_MANY_REQUESTS"},
               {Errc::cluster_not_ready, 503, "CLUSTER_UNAVAILABLE"},
               {Errc::timeout, 504, "TIMEOUT"},
               {Errc::storage_full, 507, "STORAGE_FULL"},
               {Errc::storage_failed, 500, "STORAGE_FAILED"},
               {Errc::value_too_large, 413, "PAYLOAD_TOO_LARGE"},
               {Errc::internal, 500, "INTERNAL"}};
  for (const auto& row : table) {
    database_.fail_with(Error(row.code, "on purpose"));
    const auto response = call("PUT", "/api/v1/kv/k", R"({"value":1})");
    expect_error(response, row.status, row.name);
    EXPECT_EQ(response.header("Retry-After").empty(), row.status != 429 && row.status != 503);
    expect_error(call("GET", "/api/v1/kv/k"), row.status, row.name);
  }
}

TEST_P(KvApi, StatusHealthAndReadinessAreToldApart) {
  auto response = call("GET", "/api/v1/status");
  EXPECT_THAT(response.body, HasSubstr(R"("leader":"node1@127.0.0.1")"));
  EXPECT_THAT(response.body, HasSubstr(R"("api":")" + server_->url() + "\""));
  for (const std::string path : {"/health", "/api/v1/health", "/livez"}) {
    response = call("GET", path);
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, testing::StartsWith(R"({"status":"healthy","timestamp":"20)"));
    EXPECT_THAT(response.body, EndsWith(R"(Z","service":"concord-api"})"));
  }
  EXPECT_EQ(call("GET", "/readyz").status, 200);
  EXPECT_EQ(call("GET", "/ready?verbose").body, "[+]leader ok\n[+]writable ok\n");
  database_.fail_with(Error(Errc::storage_full, "no space"));
  expect_error(call("GET", "/readyz"), 503, "CLUSTER_UNAVAILABLE");
  response = call("GET", "/readyz?verbose");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "[+]leader ok\n[-]writable no space\n");
}

}  // namespace
}  // namespace concord::http
