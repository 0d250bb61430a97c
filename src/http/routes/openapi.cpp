// GET /api/v1/openapi.json: the description of this API, made from its own route table.
#include "http/openapi.hpp"

#include "http/accept.hpp"
#include "http/routes/routes.hpp"

namespace concord::http::routes {
namespace {

void get_document(Call& call) {
  OpenapiDocument& document = *call.site.openapi;
  Reply& reply = call.reply;
  const bool packed = document.is_coded() && takes_gzip(call.request.header(Header::accept_encoding));
  reply.vary_by("Accept-Encoding");
  if (packed) reply.add_header("Content-Encoding", "gzip");
  reply.static_body = packed ? document.gzip() : document.text();
}

}  // namespace

void add_openapi(std::vector<Route>& routes) {
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/openapi.json",
                    .operation = "openapi",
                    .handler = get_document,
                    .tag = "Documentation",
                    .summary = "This document",
                    .needs = Needs::nothing,
                    .answer = {.kind = AnswerKind::bare}});
}

}  // namespace concord::http::routes
