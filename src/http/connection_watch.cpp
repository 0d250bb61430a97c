// What a connection tells whoever watches: metrics, traces, the access log, the audit log.
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "http/connection.hpp"

namespace concord::http {

using boost::system::error_code;

void Connection::note_arrival() {
  const Settings& settings = shared_.settings;
  const bool on =
      settings.access_log && (!settings.access_log_on || settings.access_log_on->load(std::memory_order_relaxed));
  received_at_ = on ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
  call_.route = call_.matched = observe::HttpMetrics::no_route;
  call_.room = audit::Room();
  call_.is_recorded = false;
  if (shared_.site.audit != nullptr) call_.notes = AuditNotes();
  if (shared_.site.observer != nullptr && shared_.site.observer->is_watching()) {
    arrived_ = shared_.site.observer->clock().now();
    if (observe::Tracer& tracer = shared_.site.observer->tracer(); tracer.is_on()) begin_span(tracer);
  }
}

void Connection::begin_span(observe::Tracer& tracer) {
  const Request& request = call_.request;
  auto parent = observe::parse_traceparent(request.header(Header::traceparent));
  if (parent) parent->state = request.header(Header::tracestate);
  const std::string_view method = method_name(request.method);
  const std::string name = "concord.http." + std::string(method.empty() ? "_OTHER" : method);
  call_.span = tracer.begin(name, observe::SpanKind::server, parent ? &*parent : nullptr);
}

/// The older names of the attributes stand beside the present ones: what people search for goes by both.
void Connection::end_span() {
  observe::Span& span = *call_.span;
  if (span.is_recorded()) {
    const Request& request = call_.request;
    const std::string_view target = request.target;
    error_code error;
    const auto client = socket_.remote_endpoint(error);
    const std::string address = error ? std::string() : client.address().to_string();
    span.set("http.request.method", method_name(request.method));
    span.set("http.method", method_name(request.method));
    span.set("url.path", target.substr(0, target.find('?')));
    span.set("http.target", target);
    span.set("http.response.status_code", call_.reply.status);
    span.set("http.status_code", call_.reply.status);
    span.set("client.address", address);
    span.set("net.peer.ip", address);
    if (call_.route != observe::HttpMetrics::no_route) {
      span.set("http.route", shared_.table.routes()[call_.route].path);
    }
    if (request.has(Header::user_agent)) {
      span.set("user_agent.original", request.header(Header::user_agent));
      span.set("http.user_agent", request.header(Header::user_agent));
    }
    span.set("concord.request_id", request_id_);
    if (call_.reply.status >= 500) span.fail(call_.reply.problem_code);
  }
  call_.span.reset();
}

void Connection::audit() {
  if (shared_.site.audit == nullptr || call_.matched == observe::HttpMetrics::no_route) return;
  audit_answer(shared_.table.routes()[call_.matched], call_);
}

/// Its client has gone; what it asked for was done all the same.
void Connection::audit_unanswered(const Result<command::Outcome>& outcome) {
  try {
    call_.reply.clear();
    if (!outcome) call_.refuse(outcome.error());
    if (outcome) note_outcome(call_.notes, *outcome);
    audit();
  } catch (const std::exception& e) {
    shared_.log(LogLevel::error,
                std::string("http: the audit entry of a request whose client has gone is lost: ") + e.what());
  }
}

/// What the answer is to whoever watches.
void Connection::note_answer() {
  audit();
  observe::Observer* const observer = shared_.site.observer;
  if (observer == nullptr || !observer->is_watching()) return;
  const Reply& reply = call_.reply;
  if (call_.operation) {
    const bool has_failed = reply.status >= 400;
    const auto code = observe::error_named(reply.problem_code);
    call_.operation->end(has_failed ? std::optional(code.value_or(Errc::invalid_request)) : std::nullopt);
    call_.operation.reset();
  }
  if (call_.span) end_span();
  if (observe::Metrics* const metrics = observer->metrics()) {
    const std::uint64_t duration_ns = observer->clock().duration_ns(arrived_, observer->clock().now());
    metrics->http.record(call_.route, reply.status, duration_ns, call_.request.body.size(),
                         reply.body.size() + reply.static_body.size());
  }
}

void Connection::record_access() const {
  const Reply& reply = call_.reply;
  error_code error;
  const auto client = socket_.remote_endpoint(error);
  const std::string address = error ? std::string() : client.address().to_string();
  shared_.settings.access_log({.client = address,
                               .method = method_name(call_.request.method),
                               .target = call_.request.target,
                               .status = reply.status,
                               .request_bytes = call_.request.body.size(),
                               .response_bytes = reply.body.size() + reply.static_body.size(),
                               .duration = std::chrono::steady_clock::now() - received_at_,
                               .request_id = request_id_});
}

}  // namespace concord::http
