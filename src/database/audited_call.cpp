#include "database/audited_call.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "database/local_database.hpp"

namespace concord::database {
namespace {

bool is_conditional_write(const Transaction& transaction) noexcept {
  return transaction.guards.size() == 1 && transaction.then.size() == 1 && transaction.otherwise.empty() &&
         transaction.guards.front().key == transaction.then.front().key &&
         (transaction.then.front().kind == Operation::Kind::put ||
          transaction.then.front().kind == Operation::Kind::del);
}

}  // namespace

AuditedCall::AuditedCall(LocalDatabase& database, std::string_view operation, const AuditFacts& facts)
    : log_(database.audit()),
      database_(&database),
      token_(facts.token),
      record_{.operation = operation,
              .key = facts.key,
              .has_ttl = facts.has_ttl,
              .ttl_s = facts.ttl_s,
              .is_compressed = facts.is_compressed,
              .target = facts.target},
      timeout_(facts.timeout),
      keys_(facts.keys),
      is_read_(facts.is_read),
      is_conditional_(facts.is_conditional),
      has_guards_(facts.has_guards) {}

Result<void> AuditedCall::begin() {
  if (is_read_ && !log_->logs_reads()) return {};
  record_.user = database_->find_access(token_).id();  // before: it may be the one that is revoked
  auto room = log_->wait_room(timeout_);
  if (!room) return std::unexpected(std::move(room.error()));
  room_ = std::move(*room);
  return {};
}

void AuditedCall::keep() {
  kept_log_ = database_->shared_audit();
  database_ = nullptr;
  kept_ = std::make_unique<Kept>();
  kept_->key = record_.key;
  kept_->target = record_.target;
  kept_->keys.assign(keys_.begin(), keys_.end());
  record_.key = kept_->key;
  record_.target = kept_->target;
  keys_.assign(kept_->keys.begin(), kept_->keys.end());
}

void AuditedCall::note(const TransactionResult& result) noexcept {
  record_.revision = result.changed ? result.revision.value() : 0;
  if (is_conditional_) {
    if (!result.succeeded) guard_error_ = result.key_missing ? Errc::not_found : Errc::condition_failed;
  } else if (has_guards_) {
    record_.metadata = result.succeeded ? R"("succeeded":true)" : R"("succeeded":false)";
  }
}

void AuditedCall::note(const CreatedToken& token) {
  made_ = token.info.id;
  record_.target = made_;
}

void AuditedCall::record(std::optional<Errc> error, const observe::Span* span) noexcept {
  if (!error) error = guard_error_;
  const bool is_refused = error == Errc::unauthorized || error == Errc::forbidden;
  if (is_read_ && !log_->logs_reads() && !is_refused) return;
  record_.outcome = error ? audit::outcome_of(*error) : audit::Outcome::ok;
  if (error) record_.error = error_name(*error);
  record_.keys = keys_;
  if (span != nullptr) {
    record_.trace_high = span->context().trace.high;
    record_.trace_low = span->context().trace.low;
    record_.span = span->context().span;
  }
  try {
    if (record_.user.is_zero() && database_ != nullptr) record_.user = database_->find_access(token_).id();
    if (is_read_ && !log_->logs_reads()) return log_->record_refusal(std::move(record_));
    log_->record(std::move(room_), std::move(record_));
  } catch (const std::exception&) {  // no memory: the log counts what it has lost
    log_->count_lost();
  }
}

AuditFacts facts_of(const Transaction& transaction, const WriteOptions& options) {
  AuditFacts facts{.token = options.token, .timeout = options.timeout};
  facts.is_conditional = is_conditional_write(transaction);
  facts.has_guards = !transaction.guards.empty();
  if (facts.is_conditional) {
    const Operation& only = transaction.then.front();
    facts.key = only.key;
    if (only.kind == Operation::Kind::put) {
      facts.has_ttl = only.ttl.has_value();
      facts.ttl_s =
          static_cast<std::uint32_t>(std::clamp<std::int64_t>(only.ttl ? only.ttl->count() : 0, 0, UINT32_MAX));
    }
    return facts;
  }
  for (const auto* operations : {&transaction.then, &transaction.otherwise}) {
    for (const Operation& operation : *operations) facts.keys.emplace_back(operation.key);
  }
  return facts;
}

std::string_view operation_of(const Transaction& transaction) noexcept {
  if (!is_conditional_write(transaction)) return "txn";
  return transaction.then.front().kind == Operation::Kind::put ? "put_if" : "delete_if";
}

}  // namespace concord::database
