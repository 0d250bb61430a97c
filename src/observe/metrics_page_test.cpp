#include "observe/metrics_page.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/call.hpp"
#include "observe/exposition.hpp"

namespace concord::observe {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

Status some_status() {
  Status status;
  status.node = "n1";
  status.version = "1.2.3";
  status.cluster.name = "concord";
  status.cluster.leader = "n1";
  status.cluster.state = NodeState::leader;
  status.cluster.commit_index = 42;
  status.cluster.members = {{.name = "n1", .peer = {}, .api = {}},
                            {.name = "n2", .peer = {}, .api = {}, .healthy = false}};
  status.storage.size = 15420;
  status.storage.memory_bytes = 4096;
  return status;
}

class Page : public testing::Test {
 protected:
  std::string page() { return pages_.render(some_status(), true); }
  void call(ApiOperation operation, const CallDetails& details, std::optional<Errc> error = std::nullopt) {
    Call call(observer_, operation, details);
    call.end(error);
  }

  Observer observer_{Options{.metrics = {.enabled = true}}};
  MetricsPage pages_{observer_};
};

TEST_F(Page, SaysWhatAClusterAndItsStoreAre) {
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("# HELP concord_cluster_size Number of entries in the store\n"
                              "# TYPE concord_cluster_size gauge\nconcord_cluster_size 15420\n"));
  EXPECT_THAT(text, HasSubstr("\nconcord_cluster_memory 4096\n"));
  EXPECT_THAT(text, HasSubstr("\nconcord_cluster_member_count 2\n"));
  EXPECT_THAT(text, HasSubstr("\nconcord_cluster_healthy_member_count 1\n"));
  EXPECT_THAT(text, HasSubstr("\nconcord_cluster_commit_index 42\n"));
  EXPECT_THAT(text, HasSubstr("\nconcord_cluster_is_leader 1\n"));
  EXPECT_THAT(text, HasSubstr("concord_build_info{version=\"1.2.3\",node=\"n1\",cluster=\"concord\"} 1\n"));
}

TEST_F(Page, ShowsSnapshotsAndTheThreeOperationsFromTheStart) {
  const std::string text = page();
  for (const std::string name :
       {"concord_snapshot_created_size 0", "concord_snapshot_installed_size 0", "concord_operation_apply_count_total 0",
        "concord_api_put_count_total{result=\"ok\"} 0", "concord_api_delete_count_total{result=\"ok\"} 0",
        "concord_api_get_count_total{result=\"ok\",consistency=\"leader\"} 0",
        "concord_api_put_duration_milliseconds{result=\"ok\",quantile=\"0.5\"} NaN"}) {
    EXPECT_THAT(text, HasSubstr("\n" + name + "\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr("concord_api_touch")));
}

TEST_F(Page, CountsEveryCallByResultAndConsistencyThoughItTimesFew) {
  for (int i = 0; i < 1000; ++i) call(ApiOperation::get, {.consistency = ReadConsistency::eventual});
  call(ApiOperation::get, {.consistency = ReadConsistency::strong}, Errc::not_found);
  call(ApiOperation::put, {}, Errc::timeout);
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("concord_api_get_count_total{result=\"ok\",consistency=\"eventual\"} 1000\n"));
  EXPECT_THAT(text,
              HasSubstr("concord_api_get_duration_milliseconds_count{result=\"ok\",consistency=\"eventual\"} 1000\n"));
  EXPECT_THAT(text, ContainsRegex("milliseconds\\{result=\"ok\",consistency=\"eventual\",quantile=\"0.99\"\\} [0-9]"));
  EXPECT_THAT(text, HasSubstr("concord_api_get_count_total{result=\"not_found\",consistency=\"strong\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("concord_api_put_count_total{result=\"error\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("concord_api_errors_total{operation=\"put\",code=\"TIMEOUT\"} 1\n"));
}

TEST_F(Page, ManyThreadsCountEveryCall) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 5000; ++i) call(ApiOperation::put, {});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(page(), HasSubstr("concord_api_put_count_total{result=\"ok\"} 20000\n"));
}

TEST_F(Page, NamesNoMoreSeriesThanRoutesAndStatuses) {
  HttpMetrics& http = observer_.metrics()->http;
  http.set_routes({{.method = "GET", .path = "/api/v1/kv/{key}"}});
  http.record(0, 200, 1'000'000, 0, 100);
  http.record(0, 404, 1'000'000, 0, 100);
  for (unsigned status = 100; status < 600; ++status) http.record(HttpMetrics::no_route, status, 1000, 0, 0);
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("concord_http_request_duration_seconds_bucket{method=\"GET\",route=\"/api/v1/kv/{key}\","
                              "code=\"200\",le=\"0.0025\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("route=\"/api/v1/kv/{key}\",code=\"404\",le=\"+Inf\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("concord_http_response_size_bytes_count 502\n"));
  std::size_t others = 0;
  for (std::size_t at = 0; (at = text.find("route=\"none\",code=", at)) != std::string::npos; ++at) ++others;
  EXPECT_LE(others, HttpMetrics::most_statuses * 20);
}

TEST(Exposition, EscapesWhatANameMayHold) {
  Exposition page;
  page.family("x", "gauge", "back\\slash\nline");
  page.sample({{"node", "a\"b\\c\nd"}}, 1.5);
  EXPECT_EQ(page.take(), "# HELP x back\\\\slash\\nline\n# TYPE x gauge\nx{node=\"a\\\"b\\\\c\\nd\"} 1.5\n");
}

TEST(Observer, WithoutMetricsNothingIsMeasured) {
  Observer observer{Options()};
  EXPECT_FALSE(observer.is_watching());
  EXPECT_EQ(MetricsPage(observer).render(some_status(), true), "");
}

TEST(ApiOperation, NamesAreFoundAgain) {
  for (std::size_t i = 0; i < operation_count; ++i) {
    const auto operation = static_cast<ApiOperation>(i);
    EXPECT_EQ(operation_named(operation_name(operation)), operation) << operation_name(operation);
  }
  EXPECT_EQ(operation_named("documentation"), std::nullopt);
  EXPECT_EQ(error_named("TIMEOUT"), Errc::timeout);
  EXPECT_EQ(error_named("METHOD_NOT_ALLOWED"), std::nullopt);
}

}  // namespace
}  // namespace concord::observe
