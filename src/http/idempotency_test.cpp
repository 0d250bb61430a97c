// Idempotency-Key: a repeat gets the first answer, and nothing is done twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::HasSubstr;
using testing::Not;

class Idempotency : public NodeApi {
 protected:
  TestingResponse once(std::string_view key, std::string_view method, std::string_view target, std::string_view body,
                       std::string_view fields = {}) {
    return call(method, target, body, "Idempotency-Key: " + std::string(key) + "\r\n" + std::string(fields));
  }
};

TEST_F(Idempotency, ARepeatGetsTheFirstAnswerAndChangesNothing) {
  const auto first = once("a", "PUT", "/api/v1/kv/k", R"({"value":1})");
  EXPECT_EQ(first.body, R"({"status":"ok","revision":1})");
  EXPECT_THAT(first.head, Not(HasSubstr("Idempotency-Replayed")));
  EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":2})").status, 200);
  const auto again = once("a", "PUT", "/api/v1/kv/k?timeout_ms=900", R"({"value":1})");
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("ETag"), first.header("ETag"));
  EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
  EXPECT_EQ(body_of("GET", "/api/v1/kv/k"), R"({"status":"ok","data":{"value":2}})");
}

TEST_F(Idempotency, EveryKindOfWriteIsDoneOnce) {
  struct Write {
    const char* method;
    const char* target;
    const char* body;
  };
  body_of("PUT", "/api/v1/kv/counted", R"({"value":1})");
  for (const Write& write : {
           Write{"PUT", "/api/v1/kv/k", R"({"value":1,"ttl":100})"},
           Write{"POST", "/api/v1/kv/k/touch", R"({"ttl":50})"},
           Write{"POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"a","value":1},{"key":"b","value":2}]})"},
           Write{"POST", "/api/v1/kv/bulk/touch", R"({"operations":[{"key":"a","ttl":9},{"key":"x","ttl":9}]})"},
           Write{"POST", "/api/v1/kv/bulk/delete", R"({"keys":["a","x"]})"},
           Write{"POST", "/api/v1/txn", R"({"then":[{"op":"get","key":"counted"},{"op":"put","key":"n","value":1}]})"},
           Write{"POST", "/api/v1/query/delete", R"({"prefix":"b"})"},
           Write{"DELETE", "/api/v1/kv/k", ""},
       }) {
    SCOPED_TRACE(std::string(write.method) + " " + write.target);
    const std::string name = std::string("every ") + write.method + write.target;
    const auto first = once(name, write.method, write.target, write.body);
    EXPECT_EQ(first.status, 200) << first.body;
    const std::string after = body_of("GET", "/api/v1/kv?meta=true");
    const auto again = once(name, write.method, write.target, write.body);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(body_of("GET", "/api/v1/kv?meta=true"), after);
  }
}

TEST_F(Idempotency, DecidedRefusalsAreRepeatedToo) {
  EXPECT_EQ(once("missing", "DELETE", "/api/v1/kv/k", "").status, 404);
  EXPECT_EQ(once("condition", "PUT", "/api/v1/kv/other", R"({"value":2,"expected":1})").status, 404);
  EXPECT_EQ(once("header", "PUT", "/api/v1/kv/k", R"({"value":2})", "If-Match: \"9\"\r\n").status, 412);
  body_of("PUT", "/api/v1/kv/k", R"({"value":1})");
  EXPECT_EQ(once("value", "PUT", "/api/v1/kv/k", R"({"value":2,"expected":3})").status, 409);
  body_of("PUT", "/api/v1/kv/k", R"({"value":3})");
  expect_error(once("missing", "DELETE", "/api/v1/kv/k", ""), 404, "NOT_FOUND");
  expect_error(once("header", "PUT", "/api/v1/kv/k", R"({"value":2})", "If-Match: \"9\"\r\n"), 412,
               "PRECONDITION_FAILED");
  expect_error(once("value", "PUT", "/api/v1/kv/k", R"({"value":2,"expected":3})"), 409, "CONDITION_FAILED");
  EXPECT_EQ(body_of("GET", "/api/v1/kv/k"), R"({"status":"ok","data":{"value":3}})");
}

TEST_F(Idempotency, AnotherRequestUnderTheSameKeyIsAConflict) {
  once("a", "PUT", "/api/v1/kv/k", R"({"value":1})");
  const std::string before = body_of("GET", "/api/v1/kv?meta=true");
  expect_error(once("a", "PUT", "/api/v1/kv/k", R"({"value":2})"), 409, "IDEMPOTENCY_CONFLICT");
  expect_error(once("a", "PUT", "/api/v1/kv/j", R"({"value":1})"), 409, "IDEMPOTENCY_CONFLICT");
  expect_error(once("a", "DELETE", "/api/v1/kv/k", ""), 409, "IDEMPOTENCY_CONFLICT");
  expect_error(once("a", "PUT", "/api/v1/kv/k", R"({"value":1})", "If-None-Match: *\r\n"), 409, "IDEMPOTENCY_CONFLICT");
  EXPECT_EQ(body_of("GET", "/api/v1/kv?meta=true"), before);
}

TEST_F(Idempotency, WhatIsRefusedBeforeItIsDecidedIsNotRemembered) {
  expect_error(once("a", "PUT", "/api/v1/kv/k", R"({"value":)"), 400, "INVALID_REQUEST");
  EXPECT_EQ(once("a", "PUT", "/api/v1/kv/k", R"({"value":1})").status, 200);
}

TEST_F(Idempotency, AKeyIsUpTo128PrintableCharacters) {
  for (const std::string& key : {std::string(), std::string(129, 'a'), std::string("a\tb"), std::string("\xc3\xa4")}) {
    expect_error(once(key, "PUT", "/api/v1/kv/k", R"({"value":1})"), 400, "INVALID_REQUEST", "Idempotency-Key");
  }
  EXPECT_EQ(call("GET", "/api/v1/kv/k").status, 404);
  EXPECT_EQ(once(std::string(128, '~'), "PUT", "/api/v1/kv/k", R"({"value":1})").status, 200);
}

}  // namespace
}  // namespace concord::http
