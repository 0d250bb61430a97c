// GET /api/v1/openapi.json: the description of this API, made from its own route table.
#include "http/openapi.hpp"
#include "http/routes/routes.hpp"

namespace concord::http::routes {
namespace {

void get_document(Call& call) { call.reply.body = call.site.openapi; }

}  // namespace

void add_openapi(std::vector<Route>& routes) {
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/openapi.json",
                    .operation = "openapi",
                    .handler = get_document,
                    .tag = "Documentation",
                    .summary = "This document",
                    .answer = {.kind = AnswerKind::bare}});
}

}  // namespace concord::http::routes
