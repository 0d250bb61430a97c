// GET /metrics: the page for Prometheus, beside the one on its own port.
#include "http/routes/routes.hpp"
#include "observe/exposition.hpp"

namespace concord::http::routes {
namespace {

void metrics(Call& call) {
  std::string page = call.site.database.metrics();
  if (page.empty()) {
    return call.refuse({404, error_name(Errc::not_found), "this node measures nothing (prometheus.enabled)"});
  }
  call.reply.content_type = observe::Exposition::content_type;
  call.reply.body = std::move(page);
}

}  // namespace

void add_metrics(std::vector<Route>& routes) {
  routes.push_back({.method = Method::get,
                    .path = "/metrics",
                    .operation = "metrics",
                    .handler = metrics,
                    .tag = "Health",
                    .summary = "What the node measures, for Prometheus",
                    .description = "404 when `prometheus.enabled` is off.",
                    .needs = Needs::nothing,
                    .may_miss = true,
                    .answer = {.kind = AnswerKind::foreign, .media_type = observe::Exposition::content_type}});
}

}  // namespace concord::http::routes
