#include "http/routes/routes.hpp"

namespace concord::http {

std::vector<Route> api_routes() {
  std::vector<Route> routes;
  routes::add_kv_bulk(routes);  // before the single keys: `bulk/...` is never a key
  routes::add_kv(routes);
  routes::add_kv_list(routes);
  routes::add_query(routes);
  routes::add_transaction(routes);
  routes::add_events(routes);
  routes::add_status(routes);
  routes::add_cluster(routes);
  routes::add_tokens(routes);
  routes::add_access(routes);
  routes::add_audit(routes);
  routes::add_backups(routes);
  routes::add_health(routes);
  routes::add_metrics(routes);
  routes::add_openapi(routes);
  routes::add_documentation(routes);
  routes::add_console(routes);
  return routes;
}

}  // namespace concord::http
