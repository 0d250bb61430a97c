// Bad input to every route, made from the route table and its schemas: each is refused with a clear error of the client's, and
// changes nothing.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/route.hpp"
#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::HasSubstr;

class BadInput : public NodeApi {
 protected:
  BadInput() : NodeApi({}, with_audit()) {
    EXPECT_EQ(call("PUT", "/api/v1/kv/k", R"({"value":1,"ttl":1000})").status, 200);
    before_ = everything();
  }
  ~BadInput() override {
    EXPECT_EQ(everything(), before_) << "a refused request changed something";
    std::filesystem::remove_all(audit_directory());
  }

  /// Its routes are not there while it is switched off.
  static Options with_audit() {
    Options options;
    options.audit_log.enabled = true;
    options.audit_log.log_dir = audit_directory();
    return options;
  }
  static std::filesystem::path audit_directory() {
    return std::filesystem::temp_directory_path() / ("concord_bad_input." + std::to_string(::getpid()));
  }

  std::string everything() { return body_of("GET", "/api/v1/kv?meta=true&consistency=strong"); }

  static std::string path_of(const Route& route) {
    std::string path(route.path);
    if (const auto at = path.find('{'); at != std::string::npos) path.replace(at, path.find('}') + 1 - at, "k");
    return path;
  }

  TestingResponse send(const Route& route, std::string_view body, std::string_view query = {},
                       std::string_view fields = {}) {
    return call(method_name(route.method), path_of(route) + std::string(query), body, fields);
  }

  static std::string trace(const Route& route) {
    return std::string(method_name(route.method)) + " " + std::string(route.path);
  }

  std::string before_;
};

TEST_F(BadInput, ACallWithoutABodyTakesNone) {
  for (const Route& route : api_routes()) {
    if (route.body != BodyKind::none || route.method == Method::get) continue;
    SCOPED_TRACE(trace(route));
    for (const std::string_view body : {R"({"path":"/tmp"})", "garbage", "[]", "{", "{ ", "{}x", "{}}"}) {
      const auto response = send(route, body);
      EXPECT_EQ(response.status, 400) << body;
      EXPECT_THAT(response.body, HasSubstr("takes no body"));
    }
  }
  EXPECT_EQ(call("POST", "/api/v1/cluster/snapshot", " { } ").status, 200);
}

TEST_F(BadInput, ABodyThatIsCodedIsNotTakenForWhatItStandsFor) {
  const auto refused =
      call("PUT", "/api/v1/kv/k", "\x1f\x8b", "Content-Type: application/octet-stream\r\nContent-Encoding: gzip\r\n");
  EXPECT_EQ(refused.status, 415);
  EXPECT_EQ(refused.header("Accept-Encoding"), "identity");
}

/// A value of another type than `schema` has; empty: there is none.
std::vector<std::string> ill_typed(const Schema& schema) {
  switch (schema.shape) {
    case Shape::any: return {};
    case Shape::text:
      return schema.values.empty() ? std::vector<std::string>{"1", "[]", "{}", "true"}
                                   : std::vector<std::string>{"1", "null", R"("other")"};
    case Shape::integer: return {R"("1")", "1.5", "-1", "[]", "18446744073709551616", "1e400"};
    case Shape::boolean: return {"1", "null", R"("true")"};
    case Shape::array: return {"1", "{}", "null", R"("a")"};
    case Shape::object:
    case Shape::map: return {"1", "[]", "null", R"("a")"};
  }
  return {};
}

/// A good value of the schema.
std::string sample(const Schema& schema) {
  if (!schema.example.empty()) return std::string(schema.example);
  switch (schema.shape) {
    case Shape::any: return "1";
    case Shape::text:
      if (schema.format == "byte") return R"("YQ==")";
      return schema.values.empty() ? R"("a")" : '"' + std::string(schema.values.front()) + '"';
    case Shape::integer: return std::to_string(std::max<std::int64_t>(schema.minimum, 1));
    case Shape::boolean: return "true";
    case Shape::array: {
      std::string list = "[" + sample(*schema.items);
      for (std::size_t i = 1; i < schema.min_items; ++i) list += "," + sample(*schema.items);
      return list + "]";
    }
    case Shape::map: return "{}";
    case Shape::object: break;
  }
  std::string text = "{";
  for (const Field& field : schema.fields) {
    if (field.required || (!schema.one_of.empty() && field.name == schema.one_of.front())) {
      if (text.size() > 1) text += ',';
      text += '"' + std::string(field.name) + "\":" + sample(*field.schema);
    }
  }
  return text + "}";
}

/// The object with its required fields but for `field`, which is `value` (empty: left out).
std::string object_with(const Schema& schema, std::string_view field, std::string_view value) {
  std::string text = "{";
  for (const Field& each : schema.fields) {
    const bool chosen = !schema.one_of.empty() && each.name == schema.one_of.front() &&
                        std::ranges::find(schema.one_of, field) == schema.one_of.end();
    if (each.name == field ? value.empty() : !each.required && !chosen) continue;
    if (text.size() > 1) text += ',';
    text += '"' + std::string(each.name) + "\":" + (each.name == field ? std::string(value) : sample(*each.schema));
  }
  return text + "}";
}

/// Bad texts of one schema: whole bodies when it is that of a body.
void bad_objects(const Schema& schema, std::vector<std::string>& to);

void bad_values(const Schema& schema, std::vector<std::string>& to) {
  for (std::string& text : ill_typed(schema)) to.push_back(std::move(text));
  if (schema.shape == Shape::array) {
    std::vector<std::string> items;
    bad_values(*schema.items, items);
    for (const std::string& item : items) to.push_back("[" + item + "]");
    if (schema.min_items > 0) to.emplace_back("[]");
  } else if (schema.shape == Shape::object) {
    bad_objects(schema, to);
  }
}

void bad_objects(const Schema& schema, std::vector<std::string>& to) {
  to.push_back(object_with(schema, "", "").substr(0, 1) + R"("unheard_of":1})");
  if (position_of(schema, "key_b64") >= 0) {
    to.emplace_back("{}");
    to.push_back(object_with(schema, "key_b64", R"("YQ==","key":"a")"));
  }
  for (const Field& field : schema.fields) {
    std::vector<std::string> values;
    bad_values(*field.schema, values);
    for (const std::string& value : values) {
      if (value == "null" && field.schema->nullable) continue;
      to.push_back(object_with(schema, field.name, value));
    }
    if (field.required) to.push_back(object_with(schema, field.name, ""));
    const std::string good = '"' + std::string(field.name) + "\":" + sample(*field.schema);
    to.push_back("{" + good + "," + good + "}");
  }
}

TEST_F(BadInput, FieldsThatAreMissingUnknownRepeatedOrIllTyped) {
  std::size_t tried = 0;
  for (const Route& route : api_routes()) {
    if (route.body_schema == nullptr) continue;
    std::vector<std::string> bodies;
    bad_objects(*route.body_schema, bodies);
    for (const std::string& body : bodies) {
      SCOPED_TRACE(trace(route) + " " + body);
      const auto response = send(route, body);
      EXPECT_EQ(response.status, 400) << response.body;
      EXPECT_THAT(response.body, HasSubstr(R"({"status":"error","error":{"code":")"));
      ++tried;
    }
  }
  EXPECT_GT(tried, 300U);
}

TEST_F(BadInput, AGuardNeedsAKeyAndOneCondition) {
  for (const char* guard :
       {R"({"expected":1})", R"({"key":"k","key_b64":"aw==","expected":1})", R"({"exists":true})"}) {
    expect_error(call("POST", "/api/v1/txn", R"({"guards":[)" + std::string(guard) + R"(],"then":[]})"), 400,
                 "INVALID_REQUEST", "guards[0]");
  }
  expect_error(call("POST", "/api/v1/txn", R"({"guards":[{"key":"k"}],"then":[]})"), 400, "MISSING_CONDITION");
  expect_error(call("POST", "/api/v1/txn", R"({"guards":[{"key":"k","exists":true,"revision":1}],"then":[]})"), 400,
               "CONFLICTING_CONDITIONS");
}

TEST_F(BadInput, BodiesThatAreNoJson) {
  const std::string deep(1000, '[');
  const std::string braces = [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += R"({"a":)";
    return text;
  }();
  for (const Route& route : api_routes()) {
    if (route.body_schema == nullptr) continue;
    const std::string first(route.body_schema->fields.front().name);
    for (const std::string& body : {std::string("{"),
                                    std::string("[]"),
                                    std::string("null"),
                                    std::string("{}}"),
                                    std::string("{\"a\"}"),
                                    std::string("\xff\xfe"),
                                    std::string("{\"\xc3\x28\":1}"),
                                    std::string("{\"") + first + "\":\"\xc3\x28\"}",
                                    std::string("{\"a\0b\":1}", 9),
                                    std::string("\0", 1),
                                    "{\"" + first + "\":nul}",
                                    "{\"" + first + "\":01}",
                                    "{\"" + first + "\":" + deep + "}",
                                    "{\"" + first + "\":" + deep + std::string(1000, ']') + "}",
                                    "{\"" + first + "\":" + braces + "1" + std::string(1000, '}') + "}",
                                    braces,
                                    deep,
                                    std::string("{'a':1}"),
                                    std::string("{\"a\":1,}"),
                                    std::string("/* */{}")}) {
      SCOPED_TRACE(trace(route) + " " + body.substr(0, 80));
      EXPECT_EQ(send(route, body).status, 400);
    }
  }
}

TEST_F(BadInput, QueryParametersThatAreUnknownRepeatedOrWrong) {
  for (const Route& route : api_routes()) {
    SCOPED_TRACE(trace(route));
    const std::string body = route.body_schema == nullptr ? "" : sample(*route.body_schema);
    const auto refused = [&](const std::string& query) {
      const auto response = send(route, body, query);
      EXPECT_EQ(response.status, 400) << query << ": " << response.body;
      EXPECT_THAT(response.body, HasSubstr("INVALID_REQUEST")) << query;
    };
    for (const char* query : {"?unheard_of=1", "?timeout_ms=1&timeout_ms=1", "?timeout_ms=0", "?timeout_ms=-1",
                              "?timeout_ms=99999999999999999999", "?timeout_ms", "?timeout_ms=%", "?timeout_ms=%zz",
                              "?%ff=1", "?timeout_ms=1%00", "?=1"}) {
      refused(query);
    }
    refused(route.is_read ? "?consistency=sure" : "?consistency=strong");
    for (const Parameter& parameter : route.parameters) {
      const std::string name = "?" + std::string(parameter.name) + "=";
      refused(name + "1&" + std::string(parameter.name) + "=1");
      if (parameter.schema->shape == Shape::boolean) refused(name + "maybe");
      if (parameter.schema->shape != Shape::integer) continue;
      for (const char* number : {"x", "", "-1", "1.5", "1e3", "18446744073709551616", "%201", "+1"})
        refused(name + number);
      if (parameter.schema->minimum > 0) refused(name + "0");
      refused(name + std::to_string(static_cast<std::uint64_t>(parameter.schema->maximum) + 1));
    }
  }
}

TEST_F(BadInput, MethodsThatAPathDoesNotTake) {
  for (const Route& route : api_routes()) {
    for (const char* method : {"PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "BREW"}) {
      SCOPED_TRACE(std::string(method) + " " + std::string(route.path));
      const auto response = call(method, path_of(route));
      EXPECT_EQ(response.status, 405) << response.body;
      EXPECT_NE(response.header("Allow"), "");
    }
  }
}

TEST_F(BadInput, PathsThatLeadNowhereOrOut) {
  for (const char* path :
       {"/", "//", "/api", "/api/v1", "/api/v2/kv/k", "/api/v1/kv/k/", "/api/v1/kv/k/other", "/api/v1/kv/../status",
        "/../../etc/passwd", "/api/docs/../../etc/passwd", "/%2e%2e/etc/passwd",
        "/api/v1/backups/..%2f..%2fetc%2fpasswd", "/API/V1/kv/k", "/api/v1/kv%2Fk"}) {
    const auto response = call("GET", path);
    EXPECT_EQ(response.status, 404) << path << " " << response.body;
  }
  expect_error(call("GET", "/api/v1/kv/%ff"), 400, "INVALID_KEY");
  expect_error(call("GET", "/api/v1/kv/%zz"), 400, "INVALID_REQUEST");
  expect_error(call("GET", "/api/v1/kv/%"), 400, "INVALID_REQUEST");
  expect_error(call("GET", "/api/v1/kv/"), 400, "INVALID_KEY");
  expect_error(call("GET", "/api/v1/kv/" + std::string(1025, 'a')), 400, "INVALID_KEY");
  expect_error(call("GET", "/api/v1/kv/a#b"), 400, "INVALID_REQUEST");
  EXPECT_EQ(call("GET", "/api/v1/kv/..%2F..%2Fetc").status, 404);  // a key like any other
  EXPECT_EQ(call("GET", "/api/v1/kv/%00").status, 404);
}

TEST_F(BadInput, ContentTypesThatAreNotTaken) {
  for (const Route& route : api_routes()) {
    if (route.body_schema == nullptr) continue;
    for (const char* type : {"text/plain", "application/xml", "application/x-www-form-urlencoded", "json", "*/*"}) {
      const auto response = send(route, sample(*route.body_schema), {}, "Content-Type: " + std::string(type) + "\r\n");
      EXPECT_EQ(response.status, 415) << trace(route) << " " << type << " " << response.body;
      EXPECT_NE(response.header("Accept"), "");
    }
  }
}

TEST_F(BadInput, ValuesBatchesAndKeysOverTheirLimits) {
  std::string many = R"({"operations":[)";
  for (int i = 0; i < 501; ++i) many += std::string(i == 0 ? "" : ",") + R"({"key":"k","value":2})";
  expect_error(call("POST", "/api/v1/kv/bulk", many + "]}"), 413, "BATCH_TOO_LARGE", "501");
  const std::string large(8U << 20U, 'x');
  expect_error(call("PUT", "/api/v1/kv/k", "{\"value\":\"" + large + "\"}"), 413, "PAYLOAD_TOO_LARGE");
  expect_error(
      call("POST", "/api/v1/kv/bulk", R"({"operations":[{"key":")" + std::string(1025, 'k') + R"(","value":2}]})"), 400,
      "INVALID_KEY", "operations[0]");
  expect_error(call("POST", "/api/v1/kv/bulk", R"({"operations":[{"key":"k","value":2},{"key":"","value":2}]})"), 400,
               "INVALID_KEY", "operations[1]");
}

}  // namespace
}  // namespace concord::http
