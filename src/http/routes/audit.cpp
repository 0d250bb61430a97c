// /api/v1/audit: the audit log of the node that is asked.
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/json/parse.hpp>

#include "audit/log.hpp"
#include "database/new_entry.hpp"
#include "http/audit_feed.hpp"
#include "http/audit_schemas.hpp"
#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/time_text.hpp"
#include "value/json_string.hpp"

namespace concord::http::routes {
namespace {

constexpr Parameter operation_parameter = {
    .name = "operation", .schema = &schemas::text, .description = "`put`, `delete`, `token_create`, ..."};
constexpr Parameter user_parameter = {
    .name = "user", .schema = &schemas::text, .description = "`token:<id>`, `anonymous`."};
constexpr Parameter result_parameter = {
    .name = "result",
    .schema = &schemas::audit_result,
    .description = "`error` is whatever failed, `unauthorized` and `forbidden` too."};
constexpr Parameter from_parameter = {.name = "from", .schema = &schemas::given_time, .description = "Inclusive."};
constexpr Parameter to_parameter = {.name = "to", .schema = &schemas::given_time, .description = "Inclusive."};
constexpr std::array query_parameters = {
    operation_parameter,
    user_parameter,
    result_parameter,
    from_parameter,
    to_parameter,
    Parameter{.name = "limit", .schema = &schemas::audit_limit, .description = "100 unless said."}};
constexpr std::array export_parameters = {operation_parameter, user_parameter, result_parameter, from_parameter,
                                          to_parameter};

std::expected<AuditQuery, Problem> read_query(const Call& call) {
  const auto text = [&](std::string_view name) {
    const std::string* const found = call.query.find(name);
    return found == nullptr ? std::string() : *found;
  };
  AuditQuery query{.operation = text("operation"), .user = text("user"), .result = text("result")};
  query.limit = number_of(call.query, "limit", query.limit);
  for (const auto& [name, bound] : {std::pair("from", &query.from), std::pair("to", &query.to)}) {
    if (call.query.find(name) == nullptr) continue;
    *bound = parse_rfc3339(text(name));
    if (!*bound) return std::unexpected(invalid_request(std::string(name) + ": not a time like 2026-02-03T04:05:06Z"));
  }
  return query;
}

/// Null after the call was refused.
audit::Log* log_of(Call& call) {
  if (call.site.audit == nullptr) {
    call.refuse({404, error_name(Errc::not_found), "the audit log is switched off (audit_log.enabled)"});
  }
  return call.site.audit;
}

/// Runs `work(audit::Log&) -> Result<T>` on a thread of the log, then `answer(Call&, T&)`.
template <class Work, class Answer>
void ask(Call& call, Work work, Answer answer) {
  audit::Log* const log = log_of(call);
  if (log == nullptr) return;
  using Found = decltype(work(*log));
  const auto found = std::make_shared<std::optional<Found>>();
  call.await(
      [&](Completion<command::Outcome> done) {
        log->ask([log, found, work = std::move(work), done = std::move(done)]() mutable {
          found->emplace(work(*log));
          if (!**found) return done(std::unexpected((*found)->error()));
          done(command::Outcome());
        });
      },
      [found, answer = std::move(answer)](Call& answered, const Result<command::Outcome>& outcome) mutable {
        if (!outcome) return answered.refuse(outcome.error());
        answer(answered, **found);
      });
}

void append_count(std::string& to, std::string_view name, std::uint64_t count) {
  (to += ",\"").append(name) += "\":";
  append_number(to, count);
}

void query(Call& call) {
  auto query = read_query(call);
  if (!query) return call.refuse(query.error());
  ask(
      call, [query = std::move(*query)](audit::Log& log) { return log.query(query); },
      [](Call& answered, const Result<std::vector<std::string>>& lines) {
        answered.reply.begin_data();
        std::string& body = answered.reply.body;
        body += "{\"entries\":[";
        for (std::size_t i = 0; i < lines->size(); ++i) {
          if (i > 0) body += ',';
          body += (*lines)[i];
        }
        body += "]}";
        answered.reply.end_data();
      });
}

void export_lines(Call& call) {
  auto query = read_query(call);
  if (!query) return call.refuse(query.error());
  ask(
      call, [query = std::move(*query)](audit::Log& log) { return log.search(query); },
      [](Call& answered, Result<audit::LineSearch>& search) {
        answered.reply.content_type = "application/jsonl";
        answered.reply.add_header("Cache-Control", "no-store");
        answered.stream(std::make_unique<AuditFeed>(std::move(*search)));
      });
}

void rotate(Call& call) {
  ask(
      call, [](audit::Log& log) { return log.rotate(); },
      [](Call& answered, const Result<void>&) { answered.reply.set_done(false, {}); });
}

void cleanup(Call& call) {
  ask(
      call, [](audit::Log& log) { return log.cleanup(); },
      [](Call& answered, const Result<std::uint64_t>& removed) {
        answered.reply.begin_data();
        answered.reply.body += "{\"removed\":";
        append_number(answered.reply.body, *removed);
        answered.reply.body += '}';
        answered.reply.end_data();
      });
}

void verify(Call& call) {
  ask(
      call, [](audit::Log& log) { return log.verify(); },
      [](Call& answered, const Result<AuditVerification>& verification) {
        answered.reply.begin_data();
        std::string& body = answered.reply.body;
        body += "{\"valid\":";
        body += verification->valid ? "true" : "false";
        append_count(body, "files", verification->files);
        append_count(body, "entries", verification->entries);
        body += ",\"problems\":[";
        for (std::size_t i = 0; i < verification->problems.size(); ++i) {
          const AuditProblem& problem = verification->problems[i];
          body += i == 0 ? "{\"file\":" : ",{\"file\":";
          value::append_json_string(body, problem.file);
          append_count(body, "line", problem.line);
          body += ",\"problem\":";
          value::append_json_string(body, problem.what);
          body += '}';
        }
        body += "]}";
        answered.reply.end_data();
      });
}

void append_stats(std::string& body, const AuditStats& stats) {
  body += "{\"enabled\":";
  body += stats.enabled ? "true" : "false";
  append_count(body, "current_log_size", stats.current_log_size);
  append_count(body, "total_size", stats.total_size);
  body += ",\"log_dir\":";
  value::append_json_string(body, stats.log_dir);
  append_count(body, "files", stats.files);
  append_count(body, "entries", stats.entries);
  append_count(body, "queued", stats.queued);
  append_count(body, "dropped", stats.dropped);
  if (!stats.problem.empty()) {
    body += ",\"problem\":";
    value::append_json_string(body, stats.problem);
  }
  body += '}';
}

void stats(Call& call) {
  ask(
      call, [](audit::Log& log) { return log.stats(); },
      [](Call& answered, const Result<AuditStats>& stats) {
        answered.reply.begin_data();
        append_stats(answered.reply.body, *stats);
        answered.reply.end_data();
      });
}

std::expected<void, Problem> read_metadata(std::string_view raw, NewAuditEntry& entry) {
  const auto text = read_filter(raw, "metadata", {});  // any JSON object, compact
  if (!text) return std::unexpected(text.error());
  std::error_code error;
  const boost::json::value parsed = boost::json::parse(*text, error);
  if (error || !parsed.is_object()) return std::unexpected(wrong_type("metadata", {}, "an object"));
  entry.metadata = parsed.get_object();
  return {};
}

std::expected<void, Problem> read_entry_field(const Field& field, std::string_view raw, NewAuditEntry& entry) {
  if (field.name == "metadata") return read_metadata(raw, entry);
  auto text = read_string(raw, field.name, {});
  if (!text) return std::unexpected(std::move(text.error()));
  (field.name == "operation" ? entry.operation : field.name == "key" ? entry.key : entry.result) = std::move(*text);
  return {};
}

/// The entry is the record of this call.
void log_entry(Call& call) {
  audit::Log* const log = log_of(call);
  if (log == nullptr) return;
  NewAuditEntry entry;
  BodyText text(call.request.body);
  ObjectReader reader(text, schemas::new_audit_entry);
  while (const Field* const field = reader.next()) {
    if (auto done = read_entry_field(*field, reader.value(), entry); !done && !text.problem()) {
      return call.refuse(done.error());
    }
  }
  if (text.problem()) return call.refuse(*text.problem());
  std::string metadata;
  auto record = database::record_of(entry, call.access.id(), metadata);
  if (!record) return call.refuse(record.error());
  const std::string client = text_of(call.caller.address);
  record->client = client;
  log->record(std::move(call.room), std::move(*record));
  call.is_recorded = true;
  call.reply.set_done(false, {});
}

constexpr std::string_view tag = "Audit log";

Route reading(std::string_view path, std::string_view operation, void (*handler)(Call&)) {
  return {.method = Method::get, .path = path, .operation = operation, .handler = handler, .tag = tag};
}

void add_reads(std::vector<Route>& routes) {
  Route querying = reading("/api/v1/audit", "audit_query", query);
  querying.summary = "Entries of this node's audit log, newest first";
  querying.description =
      "Each node records what is asked of it: of a cluster, ask all. 404 when the log is switched off.";
  querying.needs = Needs::admin;
  querying.parameters = query_parameters;
  querying.may_miss = true;
  querying.answer = {.kind = AnswerKind::data, .schema = &schemas::audit_entries};
  routes.push_back(querying);
  Route exporting = reading("/api/v1/audit/export", "audit_export", export_lines);
  exporting.summary = "The same as JSON lines, oldest first and without limit";
  exporting.description = "An export that fails on its way ends with a line `{\"error\":{\"code\",\"message\"}}`.";
  exporting.needs = Needs::admin;
  exporting.parameters = export_parameters;
  exporting.may_miss = true;
  exporting.answer = {.kind = AnswerKind::foreign, .media_type = "application/jsonl"};
  routes.push_back(exporting);
  Route telling = reading("/api/v1/audit/stats", "audit_stats", stats);
  telling.summary = "How the audit log is doing";
  telling.needs = Needs::admin;
  telling.may_miss = true;
  telling.answer = {.kind = AnswerKind::data, .schema = &schemas::audit_stats};
  routes.push_back(telling);
}

}  // namespace

void add_audit(std::vector<Route>& routes) {
  add_reads(routes);
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/audit",
                    .operation = "audit_log",
                    .handler = log_entry,
                    .tag = tag,
                    .summary = "Adds an entry of one's own",
                    .needs = Needs::admin,
                    .body = BodyKind::json,
                    .body_schema = &schemas::new_audit_entry,
                    .may_miss = true});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/audit/rotate",
                    .operation = "audit_rotate",
                    .handler = rotate,
                    .tag = tag,
                    .summary = "Begins a new file",
                    .needs = Needs::admin,
                    .may_miss = true});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/audit/cleanup",
                    .operation = "audit_cleanup",
                    .handler = cleanup,
                    .tag = tag,
                    .summary = "Removes files older than `audit_log.retention_days`",
                    .description = "The node does so by itself once an hour.",
                    .needs = Needs::admin,
                    .may_miss = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::audit_removed}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/audit/verify",
                    .operation = "audit_verify",
                    .handler = verify,
                    .tag = tag,
                    .summary = "Reads all files and tells what was changed, removed or put in",
                    .description = "Takes a second for some hundred megabytes.",
                    .needs = Needs::admin,
                    .may_miss = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::audit_verification}});
}

}  // namespace concord::http::routes
