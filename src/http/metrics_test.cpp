#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class MetricsApi : public NodeApi {};

TEST_F(MetricsApi, RequestsAreCountedByOperationAndRoute) {
  call("PUT", "/api/v1/kv/a", R"({"value":1})");
  call("GET", "/api/v1/kv/a");
  call("GET", "/api/v1/kv/a?consistency=strong");
  call("GET", "/api/v1/kv/missing");
  call("DELETE", "/api/v1/kv/a");
  call("GET", "/nowhere");
  const std::string page = body_of("GET", "/metrics");
  EXPECT_THAT(page, HasSubstr("\nconcord_api_put_count_total{result=\"ok\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_get_count_total{result=\"ok\",consistency=\"leader\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_get_count_total{result=\"ok\",consistency=\"strong\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_get_count_total{result=\"not_found\",consistency=\"leader\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_delete_count_total{result=\"ok\"} 1\n"));
  EXPECT_THAT(page, ContainsRegex("concord_api_get_duration_milliseconds\\{result=\"ok\",consistency=\"leader\","
                                  "quantile=\"0.5\"\\} [0-9]"));
  EXPECT_THAT(page, HasSubstr("concord_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/kv/{key}\","
                              "code=\"404\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("{method=\"other\",route=\"none\",code=\"404\",le=\"+Inf\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_operation_apply_count_total 2\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_node_ready 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_http_connections 1\n"));
  EXPECT_THAT(page, Not(HasSubstr("missing")));
}

TEST_F(MetricsApi, ThePageIsPlainText) {
  const TestingResponse response = call("GET", "/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.head, HasSubstr("text/plain; version=0.0.4"));
}

TEST_F(MetricsApi, ItsOwnPortHasTheSamePage) {
  const auto url = database_->serve_metrics("127.0.0.1", 0);
  ASSERT_TRUE(url) << url.error().message();
  const auto port = static_cast<std::uint16_t>(std::stoi(url->substr(url->rfind(':') + 1)));
  TestingClient client(port);
  client.send("GET /metrics HTTP/1.1\r\n\r\n");
  const auto response = client.receive();
  ASSERT_TRUE(response);
  EXPECT_THAT(response->body, HasSubstr("concord_build_info{"));
}

}  // namespace
}  // namespace concord::http
