// GET /api/docs: Swagger UI over this server's own OpenAPI document. Page and assets are part of the program, so that it works
// where there is no network but the one to the server.
#include <algorithm>

#include "http/accept.hpp"
#include "http/embedded_file.hpp"
#include "http/routes/routes.hpp"

namespace concord::http::routes {
namespace {

constexpr std::string_view page_path = "/api/docs";
constexpr std::string_view page_file = "index.html";

/// Swagger UI sets styles from its script and has its icons in its style sheet; all else must come from this server, and no
/// other site may frame the page.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src "
    "'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Precondition: the path is one of the routes below.
const EmbeddedFile& requested_file(std::string_view target) {
  std::string_view name = target.substr(0, target.find_first_of("?#"));
  name.remove_prefix(std::min(name.find(page_path) + page_path.size(), name.size()));
  if (name.starts_with('/')) name.remove_prefix(1);
  if (name.empty()) name = page_file;
  return *std::ranges::find(docs_page_files(), name, &EmbeddedFile::path);
}

/// Whether `If-None-Match` names the tag; weak tags compare as strong ones.
bool client_has_tag(std::string_view list, std::string_view etag) noexcept {
  if (list == "*") return true;
  for (std::size_t at = list.find(etag); at != std::string_view::npos; at = list.find(etag, at + 1)) {
    const std::size_t end = at + etag.size();  // tags have their quotes, so one is never a part of another
    if (end == list.size() || list[end] == ',' || list[end] == ' ') return true;
  }
  return false;
}

void get_file(Call& call) {
  const EmbeddedFile& file = requested_file(call.request.target);
  const bool packed = takes_gzip(call.request.header(Header::accept_encoding));
  const std::string_view etag = packed ? file.gzip_etag : file.etag;
  Reply& reply = call.reply;
  reply.content_type = file.content_type;
  reply.add_header("ETag", etag);
  reply.add_header("Cache-Control",
                   "no-cache");  // kept, but asked about: another version of the program has other files
  reply.vary_by("Accept-Encoding");
  reply.add_header("Content-Security-Policy", content_security_policy);
  reply.add_header("Referrer-Policy", "no-referrer");
  if (client_has_tag(call.request.header(Header::if_none_match), etag)) {
    reply.status = 304;
    return;
  }
  if (packed) reply.add_header("Content-Encoding", "gzip");
  reply.static_body = packed ? file.gzip_bytes : file.bytes;
}

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
