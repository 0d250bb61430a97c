// The audit log of the node that answers, over HTTP.
#include <concord/client.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "client/client_impl.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "client/json_walk.hpp"
#include "value/json_string.hpp"

namespace concord {

using client::Answer;
using client::Request;

namespace {

constexpr std::string_view root = "/api/v1/audit";

std::string text_of(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<microseconds> clock(floor<microseconds>(time - day));
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int{date.year()}, unsigned{date.month()},
                unsigned{date.day()}, static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text;
}

std::string target_of(std::string_view suffix, const AuditQuery& query, bool with_limit) {
  std::string target(root);
  target += suffix;
  char separator = '?';
  const auto add = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    target += std::exchange(separator, '&');
    target.append(name) += '=';
    client::append_percent_encoded(target, value);
  };
  add("operation", query.operation);
  add("user", query.user);
  add("result", query.result);
  if (query.from) add("from", text_of(*query.from));
  if (query.to) add("to", text_of(*query.to));
  if (with_limit) add("limit", std::to_string(query.limit));
  return target;
}

AuditEntry entry_of(std::string_view line) {
  AuditEntry entry;
  entry.line = line;
  client::each_member(line, [&](std::string_view name, std::string_view json) {
    if (name == "timestamp") entry.timestamp = client::text_of(json);
    if (name == "event_id") entry.event_id = client::text_of(json);
    if (name == "operation") entry.operation = client::text_of(json);
    if (name == "key") entry.key = client::text_of(json);
    if (name == "key_b64") entry.key = base::decode_base64(client::text_of(json)).value_or("");
    if (name == "key_hash") entry.key_hash = client::text_of(json);
    if (name == "result") entry.result = client::text_of(json);
    if (name == "error") entry.error = client::text_of(json);
    if (name == "user") entry.user = client::text_of(json);
    if (name == "node") entry.node = client::text_of(json);
    if (name == "client") entry.client = client::text_of(json);
    if (name == "revision") entry.revision = Revision(client::number_of(json));
    if (name == "trace_id") entry.trace_id = client::text_of(json);
    if (name == "span_id") entry.span_id = client::text_of(json);
    if (name == "metadata") {
      std::error_code error;
      boost::json::value parsed = boost::json::parse(json, error);
      if (!error && parsed.is_object()) entry.metadata = std::move(parsed.get_object());
    }
  });
  return entry;
}

/// The last line of an export that did not come to its end says why.
Result<void> check_end(std::string_view line) {
  if (!line.starts_with("{\"error\":")) return {};
  std::string message;
  client::each_member(line, [&](std::string_view, std::string_view error) {
    client::each_member(error, [&](std::string_view name, std::string_view json) {
      if (name == "message") message = client::text_of(json);
    });
  });
  return fail(Errc::storage_failed, "the export ended early: " + message);
}

Request post(std::string_view suffix, Request request) {
  request.method = client::Method::post;
  request.target = std::string(root).append(suffix);
  return request;
}

}  // namespace

Result<std::vector<AuditEntry>> Client::query_audit(const AuditQuery& query, const ReadOptions& options) {
  Request request = client::read_request(options, impl_->core.options());
  request.target = target_of("", query, true);
  std::vector<AuditEntry> entries;
  auto done =
      client::visit_data(impl_->core.wait(std::move(request)), [&](std::string_view name, std::string_view json) {
        if (name == "entries")
          client::each_item(json, [&](std::string_view line) { entries.push_back(entry_of(line)); });
      });
  if (!done) return std::unexpected(std::move(done.error()));
  return entries;
}

Result<void> Client::export_audit(const AuditQuery& query, const std::function<bool(std::string_view)>& visit,
                                  const ReadOptions& options) {
  Request request = client::read_request(options, impl_->core.options());
  request.target = target_of("/export", query, false);
  auto answer = impl_->core.wait(std::move(request));
  if (!answer || answer->status != 200) return client::done_of(std::move(answer));
  std::string_view rest = answer->body;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (auto whole = check_end(line); !whole) return whole;
    if (!line.empty() && !visit(line)) break;
  }
  return {};
}

Result<void> Client::log_audit(const NewAuditEntry& entry, const WriteOptions& options) {
  if (!value::is_utf8(entry.key)) return fail(Errc::invalid_request, "the key of an audit entry is UTF-8");
  Request request = post("", client::write_request(options, impl_->core.options()));
  boost::json::object body{{"operation", entry.operation}, {"result", entry.result}, {"metadata", entry.metadata}};
  if (!entry.key.empty()) body["key"] = entry.key;
  request.body = boost::json::serialize(body);
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::rotate_audit(const WriteOptions& options) {
  return client::done_of(impl_->core.wait(post("/rotate", client::write_request(options, impl_->core.options()))));
}

Result<std::uint64_t> Client::cleanup_audit(const WriteOptions& options) {
  std::uint64_t removed = 0;
  auto done =
      client::visit_data(impl_->core.wait(post("/cleanup", client::write_request(options, impl_->core.options()))),
                         [&](std::string_view name, std::string_view json) {
                           if (name == "removed") removed = client::number_of(json);
                         });
  if (!done) return std::unexpected(std::move(done.error()));
  return removed;
}

Result<AuditStats> Client::audit_stats(const ReadOptions& options) {
  Request request = client::read_request(options, impl_->core.options());
  request.target = std::string(root) + "/stats";
  AuditStats stats;
  auto done =
      client::visit_data(impl_->core.wait(std::move(request)), [&](std::string_view name, std::string_view json) {
        if (name == "enabled") stats.enabled = client::is_true(json);
        if (name == "current_log_size") stats.current_log_size = client::number_of(json);
        if (name == "total_size") stats.total_size = client::number_of(json);
        if (name == "log_dir") stats.log_dir = client::text_of(json);
        if (name == "files") stats.files = client::number_of(json);
        if (name == "entries") stats.entries = client::number_of(json);
        if (name == "queued") stats.queued = client::number_of(json);
        if (name == "dropped") stats.dropped = client::number_of(json);
        if (name == "problem") stats.problem = client::text_of(json);
      });
  if (!done && done.error().code() == Errc::not_found) return AuditStats{};  // it is switched off
  if (!done) return std::unexpected(std::move(done.error()));
  return stats;
}

Result<AuditVerification> Client::verify_audit(const ReadOptions& options) {
  AuditVerification found;
  auto done =
      client::visit_data(impl_->core.wait(post("/verify", client::read_request(options, impl_->core.options()))),
                         [&](std::string_view name, std::string_view json) {
                           if (name == "valid") found.valid = client::is_true(json);
                           if (name == "files") found.files = client::number_of(json);
                           if (name == "entries") found.entries = client::number_of(json);
                           if (name != "problems") return;
                           client::each_item(json, [&](std::string_view item) {
                             AuditProblem problem;
                             client::each_member(item, [&](std::string_view part, std::string_view value) {
                               if (part == "file") problem.file = client::text_of(value);
                               if (part == "line") problem.line = client::number_of(value);
                               if (part == "problem") problem.what = client::text_of(value);
                             });
                             found.problems.push_back(std::move(problem));
                           });
                         });
  if (!done) return std::unexpected(std::move(done.error()));
  return found;
}

}  // namespace concord
