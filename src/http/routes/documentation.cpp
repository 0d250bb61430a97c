// GET /api/docs: Swagger UI over this server's own OpenAPI document. Page and assets are part of the program, so that it works
// where there is no network but the one to the server.
#include "http/embedded_file.hpp"
#include "http/routes/routes.hpp"

namespace concord::http::routes {
namespace {

constexpr std::string_view page_path = "/api/docs";

/// Swagger UI sets styles from its script and has its icons in its style sheet; all else must come from this server, and no
/// other site may frame the page.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src "
    "'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void get_file(Call& call) { serve_file(call, docs_page_files(), page_path, content_security_policy); }

}  // namespace

void add_documentation(std::vector<Route>& routes) {
  routes.push_back({.method = Method::get,
                    .path = page_path,
                    .operation = "documentation",
                    .handler = get_file,
                    .tag = "Documentation",
                    .summary = "This API as a page to read and to try out",
                    .needs = Needs::nothing,
                    .takes_if_none_match = true,
                    .answer = {.kind = AnswerKind::foreign, .media_type = "text/html"}});
  // What the page loads, and the path that people type. Without summaries: they are no operations of the API.
  for (const std::string_view path :
       {"/api/docs/", "/api/docs/index.html", "/api/docs/page.css", "/api/docs/page.js", "/api/docs/swagger-ui.css",
        "/api/docs/swagger-ui-bundle.js", "/api/docs/swagger-ui-bundle.js.LICENSE.txt", "/api/docs/favicon-32x32.png",
        "/api/docs/LICENSE", "/api/docs/NOTICE"}) {
    routes.push_back({.method = Method::get,
                      .path = path,
                      .operation = "documentation",
                      .handler = get_file,
                      .needs = Needs::nothing});
  }
}

}  // namespace concord::http::routes
