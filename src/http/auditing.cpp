#include "http/auditing.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/ip/address_v6.hpp>

#include "http/call.hpp"
#include "http/route.hpp"
#include "security/secret.hpp"

namespace concord::http {
namespace {

constexpr std::string_view own_routes = "/api/v1/audit";

audit::Outcome outcome_of(const Reply& reply) noexcept {
  if (reply.status < 400) return audit::Outcome::ok;
  if (reply.status == 401) return audit::Outcome::unauthorized;
  if (reply.status == 403) return audit::Outcome::forbidden;
  return reply.status == 404 ? audit::Outcome::not_found : audit::Outcome::error;
}

/// Names as people know the operations: a put with a condition is one of its own, how a token to revoke was named is none.
std::string_view name_of(const Route& route, const AuditNotes& notes) noexcept {
  if (route.operation == "token_revoke_secret") return "token_revoke";
  if (!notes.is_conditional) return route.operation;
  if (route.operation == "put") return "put_if";
  return route.operation == "delete" ? "delete_if" : route.operation;
}

bool is_refused_for_its_token(const Reply& reply) noexcept { return reply.status == 401 || reply.status == 403; }

/// A token that lacks a permission was recognised, but not let in.
command::TokenId user_of(const Call& call) noexcept {
  return call.access.id().is_zero() && call.reply.status == 403 ? call.caller.proved : call.access.id();
}

/// What the path names, or the body. Who writes a token's secret in a path does not find it here.
std::string_view target_of(const Call& call, bool has_key) noexcept {
  const std::string_view target = call.notes.target.empty() && !has_key ? call.key : call.notes.target;
  return target.find(security::secret_prefix) == std::string_view::npos ? target : "(a secret)";
}

void set_trace(audit::Record& record, const Call& call) {
  const observe::Span* span = call.span.get();
  if (call.operation && call.operation->span() != nullptr) span = call.operation->span();
  if (span == nullptr) return;
  record.trace_high = span->context().trace.high;
  record.trace_low = span->context().trace.low;
  record.span = span->context().span;
}

}  // namespace

std::string text_of(const security::Address& address) {
  const auto v6 = boost::asio::ip::address_v6(address);
  if (v6.is_v4_mapped()) return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
  return v6.to_string();
}

Audited audited(const Route& route) noexcept {
  if (route.needs == Needs::nothing) return Audited::never;
  const bool is_get = route.method == Method::get;
  if (route.needs == Needs::read) return Audited::reads;
  // Looking at the log is no change, or each look would be the newest entry of the next one.
  const bool is_look = route.path.starts_with(own_routes) && (is_get || route.operation == "audit_verify");
  return is_look ? Audited::reads : Audited::always;
}

void note_transaction(AuditNotes& notes, const command::Transaction& transaction, const database::Database& database) {
  notes.is_conditional = !transaction.guards.empty();
  notes.keys.clear();
  if (transaction.then.size() == 1 && transaction.otherwise.empty()) {
    const command::Operation& only = transaction.then.front();
    if (only.kind == command::OperationKind::put) {
      notes.has_ttl = only.ttl_s != 0;
      notes.ttl_s = only.ttl_s == command::keep_ttl ? 0 : only.ttl_s;
      notes.is_compressed = database.would_compress(only.value, only.compress);
    } else if (only.kind == command::OperationKind::touch) {
      notes.ttl_s = only.ttl_s;
    }
  }
  for (const auto* operations : {&transaction.then, &transaction.otherwise}) {
    for (const command::Operation& operation : *operations) {
      if (operation.kind != command::OperationKind::delete_where) notes.keys.emplace_back(operation.key);
    }
  }
}

void note_outcome(AuditNotes& notes, const command::Outcome& outcome) {
  if (outcome.changed) notes.revision = outcome.revision;
  if (notes.is_conditional) notes.has_succeeded = outcome.guard_failure == command::GuardFailure::none;
  std::uint64_t removed = 0;
  for (const command::OperationResult& result : outcome.results) removed += result.count;
  if (removed > 0) notes.count = removed;
}

bool needs_audit_room(const Route& route, const Call& call) noexcept {
  if (call.site.audit == nullptr) return false;
  const Audited kind = audited(route);
  return kind == Audited::always || (kind == Audited::reads && call.site.audit->logs_reads());
}

void audit_answer(const Route& route, Call& call) {
  audit::Log* const log = call.site.audit;
  if (log == nullptr || call.is_recorded || audited(route) == Audited::never) return;
  const bool is_refused = is_refused_for_its_token(call.reply);
  const bool was_admitted = call.access.is_everything() || call.access.token() != nullptr;
  // Who has to wait for the next call (429) was not admitted and has done nothing: it would fill the log.
  const bool is_wanted = is_refused || (was_admitted && needs_audit_room(route, call));
  if (!call.room && !is_wanted) return;
  const AuditNotes& notes = call.notes;
  const std::string client = text_of(call.caller.address);
  std::vector<std::string_view> keys(notes.keys.begin(), notes.keys.end());
  const bool has_key = route.path.find("{key}") != std::string_view::npos;
  if (has_key) keys.clear();  // the one of the path
  audit::Record record{.operation = name_of(route, notes),
                       .outcome = outcome_of(call.reply),
                       .error = call.reply.status < 400 ? std::string_view() : call.reply.problem_code,
                       .user = user_of(call),
                       .key = has_key ? std::string_view(call.key) : std::string_view(),
                       .client = client,
                       .revision = notes.revision.value(),
                       .has_ttl = notes.has_ttl,
                       .ttl_s = notes.ttl_s,
                       .is_compressed = notes.is_compressed,
                       .count = notes.count,
                       .target = target_of(call, has_key),
                       .keys = keys};
  if (route.operation == "txn" && notes.has_succeeded) {
    record.metadata = *notes.has_succeeded ? R"("succeeded":true)" : R"("succeeded":false)";
  }
  set_trace(record, call);
  if (call.room) return log->record(std::move(call.room), std::move(record));
  if (was_admitted && needs_audit_room(route, call)) {  // it was refused before it could do anything
    if (audit::Room room = log->take_room()) return log->record(std::move(room), std::move(record));
  }
  log->record_refusal(std::move(record));
}

}  // namespace concord::http
