#include "database/local_database.hpp"

#include <utility>

#include "command/limits.hpp"
#include "command/validate.hpp"

namespace concord::database {

using command::CommandKind;
using command::Outcome;
using std::chrono::milliseconds;

namespace {

/// Remaining time, rounded up, so that a living key never shows 0 (CONTRACT 10).
std::optional<std::chrono::seconds> remaining(const std::optional<base::ClusterTimeMs>& deadline_ms,
                                              base::ClusterTimeMs now_ms) {
  if (!deadline_ms) return std::nullopt;
  const std::uint64_t left_ms = *deadline_ms > now_ms ? *deadline_ms - now_ms : 0;
  return std::chrono::seconds((left_ms + 999) / 1000);
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(Options options) {
  return LocalDatabase::open_local(std::move(options));
}

Result<std::unique_ptr<LocalDatabase>> LocalDatabase::open_local(Options options) {
  auto runtime =
      node::Runtime::open(env::make_real_file_system(), std::make_unique<env::RealClock>(), std::move(options));
  if (!runtime) return std::unexpected(std::move(runtime.error()));
  return std::make_unique<LocalDatabase>(std::move(*runtime));
}

// ---------------------------------------------------------------------------------------------------------------------
// Writes.

Result<node::Write> LocalDatabase::checked_put(std::string_view key, const Value& value,
                                               const PutOptions& options) const {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  if (auto valid = command::validate_value(value.stored(), this->options().limits.max_value_bytes); !valid) {
    return std::unexpected(std::move(valid.error()));
  }
  node::Write write{.kind = CommandKind::put, .key = key, .value = value.stored()};
  if (options.ttl) {
    if (auto valid = command::validate_ttl(options.ttl->count()); !valid)
      return std::unexpected(std::move(valid.error()));
    write.ttl_s = static_cast<std::uint32_t>(options.ttl->count());
  }
  return write;
}

Result<Revision> LocalDatabase::put(std::string_view key, const Value& value, const PutOptions& options) {
  const auto write = checked_put(key, value, options);
  if (!write) return std::unexpected(write.error());
  auto outcome = runtime_->write(*write, options.timeout);
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  return outcome->revision;
}

void LocalDatabase::async_put(std::string_view key, const Value& value, const PutOptions& options,
                              Completion<Revision> done) {
  const auto write = checked_put(key, value, options);
  if (!write) return done(std::unexpected(write.error()));
  runtime_->write_async(*write, options.timeout, [done = std::move(done)](Result<Outcome> outcome) mutable {
    if (!outcome) return done(std::unexpected(std::move(outcome.error())));
    done(outcome->revision);
  });
}

Result<Outcome> LocalDatabase::remove(std::string_view key, milliseconds timeout) {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  return runtime_->write({.kind = CommandKind::remove, .key = key}, timeout);
}

Result<Outcome> LocalDatabase::commit(const command::Transaction& transaction, milliseconds timeout) {
  if (auto valid = command::validate_transaction(transaction, options().limits); !valid)
    return std::unexpected(std::move(valid.error()));
  return runtime_->write({.kind = CommandKind::transaction, .transaction = &transaction}, timeout);
}

void LocalDatabase::submit(const command::Transaction& transaction, milliseconds timeout, Completion<Outcome> done) {
  if (auto valid = command::validate_transaction(transaction, options().limits); !valid) {
    return done(std::unexpected(std::move(valid.error())));
  }
  runtime_->write_async({.kind = CommandKind::transaction, .transaction = &transaction}, timeout, std::move(done));
}

// ---------------------------------------------------------------------------------------------------------------------
// Reads.

Result<Value> LocalDatabase::get(std::string_view key, const ReadOptions& options) const {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  const ReadConsistency consistency = options.consistency.value_or(runtime_->options().default_consistency);
  if (auto readable = runtime_->check_readable(consistency); !readable)
    return std::unexpected(std::move(readable.error()));
  Result<Value> value;
  if (!runtime_->state().get(key, *value)) return fail(Errc::not_found, "the key does not exist");
  return value;
}

Result<Entry> LocalDatabase::read(std::string_view key, ReadConsistency consistency, milliseconds /*timeout*/) {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  if (auto readable = runtime_->check_readable(consistency); !readable)
    return std::unexpected(std::move(readable.error()));
  auto found = runtime_->state().get_entry(key);
  if (!found) return fail(Errc::not_found, "the key does not exist");
  return Entry{.value = std::move(found->value),
               .revision = found->revision,
               .create_revision = found->create_revision,
               .version = found->version,
               .ttl = remaining(found->deadline_ms, runtime_->now_ms())};
}

Result<std::vector<std::optional<Value>>> LocalDatabase::get_many(const std::vector<std::string_view>& keys,
                                                                  const ReadOptions& options) const {
  if (keys.empty()) return fail(Errc::invalid_request, "no key is given");
  if (keys.size() > command::max_batch) {
    return fail(Errc::batch_too_large,
                std::to_string(keys.size()) + " keys, the limit is " + std::to_string(command::max_batch));
  }
  for (const std::string_view key : keys) {
    if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  }
  const ReadConsistency consistency = options.consistency.value_or(runtime_->options().default_consistency);
  if (auto readable = runtime_->check_readable(consistency); !readable)
    return std::unexpected(std::move(readable.error()));
  std::vector<std::optional<Value>> values;
  runtime_->state().get_many(keys, values);
  return values;
}

std::vector<ReadyCheck> LocalDatabase::ready() {
  const bool leads = runtime_->is_serving();
  const auto refusal = runtime_->refuses_writes();
  return {{.name = "leader", .ok = leads, .why = leads ? "" : "no leader is known"},
          {.name = "caught-up", .ok = leads, .why = leads ? "" : "the log is not applied yet"},
          {.name = "writable", .ok = !refusal, .why = refusal ? refusal->message() : ""}};
}

}  // namespace concord::database
