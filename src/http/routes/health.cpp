// Whether the process answers (health, livez) and whether the node can serve (ready, readyz).
#include <array>
#include <chrono>

#include "http/routes/routes.hpp"
#include "http/schemas.hpp"
#include "http/time_text.hpp"

namespace concord::http::routes {
namespace {

constexpr std::array parameters = {
    Parameter{.name = "verbose", .schema = &schemas::boolean, .description = "A line of text for each check instead."}};

void append_check(std::string& to, const database::ReadyCheck& check) {
  to += check.ok ? "[+]" : "[-]";
  to += check.name;
  to += ' ';
  to += check.ok ? "ok" : check.why;
  to += '\n';
}

void health(Call& call) {
  if (call.query.is_set("verbose")) {
    call.reply.content_type = Reply::plain_text;
    append_check(call.reply.body, {.name = "process", .ok = true, .why = {}});
    return;
  }
  call.reply.body = R"({"status":"healthy","timestamp":")" + rfc3339(std::chrono::system_clock::now()) +
                    R"(","service":"concord-api"})";
}

void ready(Call& call) {
  const auto checks = call.site.database.ready();
  std::string lines;
  std::string why;
  for (const database::ReadyCheck& check : checks) {
    append_check(lines, check);
    if (!check.ok) why += (why.empty() ? "" : "; ") + check.name + ": " + check.why;
  }
  if (!why.empty()) call.refuse({503, error_name(Errc::cluster_not_ready), "not ready: " + why});
  if (call.query.is_set("verbose")) {
    call.reply.content_type = Reply::plain_text;
    call.reply.body = lines;
  } else if (why.empty()) {
    call.reply.body = R"({"status":"ok"})";
  }
}

}  // namespace

void add_health(std::vector<Route>& routes) {
  constexpr std::string_view tag = "Health";
  for (const std::string_view path : {"/api/v1/health", "/health", "/livez"}) {
    routes.push_back({.method = Method::get,
                      .path = path,
                      .operation = "health",
                      .handler = health,
                      .tag = tag,
                      .summary = "Whether the process answers",
                      .needs = Needs::nothing,
                      .parameters = parameters,
                      .answer = {.kind = AnswerKind::bare, .schema = &schemas::health, .also_text = true}});
  }
  for (const std::string_view path : {"/readyz", "/ready"}) {
    routes.push_back({.method = Method::get,
                      .path = path,
                      .operation = "ready",
                      .handler = ready,
                      .tag = tag,
                      .summary = "Whether the node can serve",
                      .description = "503 says why not.",
                      .needs = Needs::nothing,
                      .parameters = parameters,
                      .answer = {.kind = AnswerKind::bare, .schema = &schemas::ready, .also_text = true}});
  }
}

}  // namespace concord::http::routes
