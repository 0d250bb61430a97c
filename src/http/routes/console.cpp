// GET /console/: the web console (console/). Its files are part of the program and no secret; the data it shows come by the API,
// with the token of whoever uses it.
#include "http/embedded_file.hpp"
#include "http/routes/routes.hpp"

namespace concord::http::routes {
namespace {

constexpr std::string_view folder = "/console";

/// Only what this server serves, nothing inline, and no text that becomes markup or script, which Trusted Types make sure of.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

void get_file(Call& call) { serve_file(call, console_files(), folder, content_security_policy); }

/// The page names its files and the API relative to its own path, so that both work below any path of a proxy: the slash counts.
void go_to_folder(Call& call) {
  call.reply.status = 308;
  call.reply.add_header("Location", "console/");
  call.reply.content_type = Reply::plain_text;
}

}  // namespace

void add_console(std::vector<Route>& routes) {
  routes.push_back({.method = Method::get,
                    .path = "/console/",
                    .operation = "console",
                    .handler = get_file,
                    .tag = "Console",
                    .summary = "The web console",
                    .needs = Needs::nothing,
                    .takes_if_none_match = true,
                    .answer = {.kind = AnswerKind::foreign, .media_type = "text/html"}});
  routes.push_back({.method = Method::get,
                    .path = folder,
                    .operation = "console",
                    .handler = go_to_folder,
                    .needs = Needs::nothing});
  // What the page loads. Without summaries: they are no operations of the API.
  for (const std::string_view path : {"/console/index.html", "/console/early.js", "/console/console.js",
                                      "/console/console.css", "/console/icon.svg", "/console/preact.LICENSE.txt"}) {
    routes.push_back(
        {.method = Method::get, .path = path, .operation = "console", .handler = get_file, .needs = Needs::nothing});
  }
}

}  // namespace concord::http::routes
