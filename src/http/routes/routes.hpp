// The rows each resource adds to the route table.
#pragma once

#include <vector>

#include "http/route.hpp"

namespace concord::http::routes {

void add_access(std::vector<Route>& routes);
void add_audit(std::vector<Route>& routes);
void add_documentation(std::vector<Route>& routes);
void add_backups(std::vector<Route>& routes);
void add_console(std::vector<Route>& routes);
void add_cluster(std::vector<Route>& routes);
void add_events(std::vector<Route>& routes);
void add_health(std::vector<Route>& routes);
void add_metrics(std::vector<Route>& routes);
void add_openapi(std::vector<Route>& routes);
void add_tokens(std::vector<Route>& routes);
void add_status(std::vector<Route>& routes);
void add_kv_bulk(std::vector<Route>& routes);
void add_kv(std::vector<Route>& routes);
void add_kv_list(std::vector<Route>& routes);
void add_query(std::vector<Route>& routes);
void add_transaction(std::vector<Route>& routes);

}  // namespace concord::http::routes
