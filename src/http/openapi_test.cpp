// The document of the API against the API: every route is in it, and what it says can be followed.
#include <latch>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include "http/openapi.hpp"
#include "http/route.hpp"
#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

namespace json = boost::json;

class OpenApi : public NodeApi {
 protected:
  OpenApi() : document_(json::parse(body_of("GET", "/api/v1/openapi.json")).as_object()) {}

  static std::string lower(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lowered;
  }
  const json::object& operation(const Route& route) {
    return document_.at("paths").at(route.path).at(lower(method_name(route.method))).as_object();
  }

  /// What a reference names.
  const json::value& target(const json::value& reference) {
    return document_value_.at_pointer(std::string_view(reference.at("$ref").as_string()).substr(1));
  }

  json::object document_;
  const json::value document_value_ = document_;
};

/// Every "$ref" below `node`.
void collect_references(const json::value& node, std::set<std::string>& to) {
  if (const auto* object = node.if_object()) {
    for (const auto& member : *object) {
      if (member.key() == "$ref") to.emplace(member.value().as_string());
      collect_references(member.value(), to);
    }
  } else if (const auto* array = node.if_array()) {
    for (const json::value& item : *array) collect_references(item, to);
  }
}

TEST_F(OpenApi, EveryRouteIsDescribed) {
  std::set<std::string> ids;
  for (const Route& route : api_routes()) {
    if (route.operation == "documentation" && route.path != "/api/docs") continue;  // files of its page
    if (route.operation == "console" && route.path != "/console/") continue;        // likewise
    SCOPED_TRACE(std::string(method_name(route.method)) + " " + std::string(route.path));
    const json::object& described = operation(route);
    EXPECT_TRUE(ids.emplace(described.at("operationId").as_string()).second);
    EXPECT_FALSE(described.at("summary").as_string().empty());
    EXPECT_FALSE(described.at("tags").as_array().at(0).as_string().empty());
    EXPECT_EQ(route.body != BodyKind::none, described.contains("requestBody"));
    EXPECT_TRUE(described.at("responses").as_object().contains(std::to_string(route.answer.status)));
    EXPECT_TRUE(described.at("responses").as_object().contains("400"));
    EXPECT_TRUE(described.at("responses").as_object().contains("default"));
  }
}

TEST_F(OpenApi, EveryReferenceHasItsTarget) {
  std::set<std::string> references;
  collect_references(document_, references);
  EXPECT_GT(references.size(), 20U);
  for (const std::string& reference : references) {
    boost::system::error_code error;
    ASSERT_TRUE(reference.starts_with("#/"));
    EXPECT_NE(document_value_.find_pointer(reference.substr(1), error), nullptr) << reference;
  }
}

TEST_F(OpenApi, TheExamplesOfBodiesAreAccepted) {
  std::set<std::string> tried;
  for (const Route& route : api_routes()) {
    if (route.body_schema == nullptr) continue;
    std::string path(route.path);
    if (const auto at = path.find('{'); at != std::string::npos) path.replace(at, path.find('}') + 1 - at, "example");
    const auto response = call(method_name(route.method), path, route.body_schema->example);
    EXPECT_FALSE(route.body_schema->example.empty()) << route.path;
    EXPECT_TRUE(response.status == static_cast<int>(route.answer.status) ||
                (route.may_miss && response.status == 404) || (route.may_conflict && response.status == 409))
        << route.path << ": " << response.body;
    tried.insert(path);
  }
  EXPECT_GE(tried.size(), 9U);
}

TEST(OpenApiDocument, IsMadeOnceForAllWhoAskAtTheSameTime) {
  constexpr std::size_t askers = 8;
  const std::vector<Route> routes = api_routes();
  OpenapiDocument document(routes, "1.2.3", true);
  std::vector<std::string_view> texts(askers);
  std::vector<std::string_view> streams(askers);
  std::latch all_are_here(askers);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < askers; ++i) {
    threads.emplace_back([&, i] {
      all_are_here.arrive_and_wait();
      streams[i] = document.gzip();
      texts[i] = document.text();
    });
  }
  threads.clear();
  EXPECT_EQ(texts.front(), openapi_document(routes, "1.2.3"));
  for (std::size_t i = 1; i < askers; ++i) {
    EXPECT_EQ(texts[i].data(), texts[0].data());
    EXPECT_EQ(streams[i].data(), streams[0].data());
  }
  EXPECT_LT(streams[0].size(), texts[0].size() / 2);
}

TEST_F(OpenApi, HeadersOfConditionalRequestsAreDescribed) {
  for (const Route& route : api_routes()) {
    if (route.summary.empty()) continue;
    std::set<std::string> headers;
    for (const json::value& named : operation(route).at("parameters").as_array()) {
      const json::value& parameter = target(named);
      if (parameter.at("in") == "header") headers.emplace(parameter.at("name").as_string());
    }
    EXPECT_EQ(headers.contains("If-Match"), route.takes_if_match) << route.path;
    EXPECT_EQ(headers.contains("If-None-Match"), route.takes_if_none_match) << route.path;
    EXPECT_EQ(headers.contains("Idempotency-Key"), route.is_write) << route.path;
  }
}

}  // namespace
}  // namespace concord::http
