#include "database/local_database.hpp"

#include <algorithm>
#include <utility>

#include "acl/token.hpp"
#include "command/from_public.hpp"
#include "command/limits.hpp"
#include "command/validate.hpp"
#include "database/check_options.hpp"
#include "database/conversions.hpp"
#include "env/host_clock.hpp"
#include "transport/address.hpp"

namespace concord::database {

using command::CommandKind;
using command::Operation;
using command::OperationKind;
using command::Outcome;
using command::Transaction;
using std::chrono::milliseconds;

namespace {

bool is_get(const Operation& operation) { return operation.kind == OperationKind::get; }

Result<void> unpack_one(const compress::Unpacker& unpacker, Value& value) {
  if (!compress::is_packed(value.stored())) [[likely]]
    return {};
  auto plain = unpacker.unpack_value(value.stored(), ~std::uint32_t{0});
  if (!plain) return fail(Errc::storage_failed, "a stored value can't be unpacked: " + plain.error().message());
  value = std::move(*plain);
  return {};
}

/// As a whole: one key outside refuses all.
Result<void> check_reads(const acl::Access& access, const std::vector<std::string_view>& keys) {
  for (const std::string_view key : keys) {
    if (auto may = allowed(access.judge_key(Permission::read, key)); !may) return may;
  }
  return {};
}

Result<void> unpack_all(const compress::Unpacker& unpacker, Outcome& outcome) {
  for (command::OperationResult& result : outcome.results) {
    if (!result.value) continue;
    if (auto done = unpack_one(unpacker, *result.value); !done) {
      return fail(done.error().code(), done.error().message(), outcome.changed);
    }
  }
  return {};
}

std::unique_ptr<env::Clock> clock_of(const Options& options) {
  if (options.clock) return std::make_unique<env::HostClock>(options.clock);
  return std::make_unique<env::RealClock>();
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(Options options) {
  return LocalDatabase::open_local(std::move(options));
}

Result<std::unique_ptr<LocalDatabase>> LocalDatabase::open_local(Options options) {
  if (auto valid = check_options(options); !valid) return std::unexpected(std::move(valid.error()));
  auto unpacker = std::make_shared<const compress::Unpacker>();
  auto observer = std::make_shared<observe::Observer>(options);
  node::Host host{.files = env::make_real_file_system(), .clock = clock_of(options)};
  host.observer = observer.get();
  std::unique_ptr<events::Stream> stream;
  if (const EventStreamOptions& events = options.event_stream; events.enabled) {
    host.history = std::make_shared<store::History>(
        store::HistoryLimits{.max_events = events.history, .max_bytes = events.history_bytes});
    stream = std::make_unique<events::Stream>(
        host.history, events::HubSettings{.node = options.name,
                                          .buffer_size = events.buffer_size,
                                          .unpack = [unpacker](Value& value) { return unpack_one(*unpacker, value); },
                                          .executor = options.executor});
  }
  auto runtime = node::Runtime::open(std::move(host), std::move(options));
  if (!runtime) return std::unexpected(std::move(runtime.error()));
  auto database =
      std::make_unique<LocalDatabase>(std::move(observer), std::move(stream), std::move(*runtime), std::move(unpacker));
  if (auto opened = database->open_audit_log(); !opened) return std::unexpected(std::move(opened.error()));
  database->authentication_->on_revoked([owner = database.get()](command::TokenId id) {
    owner->finish_subscriptions(acl::id_text(id), Error(Errc::forbidden, "the token was revoked"));
  });
  if (auto begun = database->authentication_->begin(); !begun) return std::unexpected(std::move(begun.error()));
  auto backups = backup::Service::open(*database->runtime_);
  if (!backups) return std::unexpected(std::move(backups.error()));
  database->backups_ = std::move(*backups);
  return database;
}

void LocalDatabase::close(milliseconds limit) {
  stop_watching();
  if (backups_) backups_->stop();
  runtime_->close(limit);
  if (stream_) stream_->close();
  if (audit_) audit_->close();  // last: what still ends is recorded
}

std::string LocalDatabase::metrics() {
  const auto checks = ready();
  const auto status = runtime_->status();
  return metrics_page_.render(status, std::ranges::all_of(checks, &ReadyCheck::ok)) + audit_metrics();
}

Result<std::string> LocalDatabase::serve_metrics(const std::string& host, std::uint16_t port) {
  if (observer_->metrics() == nullptr) return fail(Errc::invalid_request, "nothing is measured (metrics.enabled)");
  // Who tenants are is not for everybody who reaches the API, whose page asks for no token.
  const auto page = [this] { return metrics() + AccessRecords(*runtime_).metrics(); };
  auto server = observe::MetricsServer::start(host, port, page);
  if (!server) return std::unexpected(std::move(server.error()));
  metrics_server_ = std::move(*server);
  return metrics_server_->url();
}

// ---------------------------------------------------------------------------------------------------------------------
// Writes.

Result<node::Write> LocalDatabase::checked_put(std::string_view key, const Value& value, const PutOptions& options,
                                               std::string& packed) const {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  if (auto valid = command::validate_value(value.stored(), this->options().limits.max_value_bytes); !valid) {
    return std::unexpected(std::move(valid.error()));
  }
  const auto access = access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  if (auto may = allowed(access->judge_key(Permission::write, key)); !may)
    return std::unexpected(std::move(may.error()));
  node::Write write{.kind = CommandKind::put, .key = key, .value = value.stored(), .as_token = access->id()};
  if (options.ttl || options.keep_ttl) {
    const auto ttl_s = command::put_ttl(options.ttl, options.keep_ttl);
    if (!ttl_s) return std::unexpected(ttl_s.error());
    write.ttl_s = *ttl_s;
  }
  if (packer_.pack_if_wanted(write.value, options.compress, packed)) write.value = packed;
  return write;
}

Result<Revision> LocalDatabase::put(std::string_view key, const Value& value, const PutOptions& options) {
  std::string packed;
  const auto write = checked_put(key, value, options, packed);
  if (!write) return std::unexpected(write.error());
  auto outcome = runtime_->write(*write, options.timeout);
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  return outcome->revision;
}

void LocalDatabase::async_put(std::string_view key, const Value& value, const PutOptions& options,
                              Completion<Revision> done) {
  std::string packed;
  const auto write = checked_put(key, value, options, packed);
  if (!write) return done(std::unexpected(write.error()));
  runtime_->write_async(*write, options.timeout, [done = std::move(done)](Result<Outcome> outcome) mutable {
    if (!outcome) return done(std::unexpected(std::move(outcome.error())));
    done(outcome->revision);
  });
}

Result<Outcome> LocalDatabase::write(node::Write write, const WriteOptions& options) {
  if (auto valid = command::validate_key(write.key); !valid) return std::unexpected(std::move(valid.error()));
  const auto access = access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  if (auto may = allowed(access->judge_key(Permission::write, write.key)); !may) {
    return std::unexpected(std::move(may.error()));
  }
  write.as_token = access->id();
  return runtime_->write(write, options.timeout);
}

/// `transaction` itself, when there is nothing to pack.
const Transaction& LocalDatabase::pack(const Transaction& transaction, Packed& packed) const {
  const auto wants = [this](const Operation& operation) {
    return operation.kind == OperationKind::put && packer_.wants(operation.value, operation.compress);
  };
  if (std::ranges::none_of(transaction.then, wants) && std::ranges::none_of(transaction.otherwise, wants)) {
    return transaction;
  }
  packed.transaction = transaction;
  for (auto* list : {&packed.transaction.then, &packed.transaction.otherwise}) {
    for (Operation& operation : *list) {
      if (wants(operation) &&
          packer_.pack_if_wanted(operation.value, operation.compress, packed.values.emplace_back())) {
        operation.value = packed.values.back();
      }
    }
  }
  return packed.transaction;
}

Result<Outcome> LocalDatabase::commit(const Transaction& transaction, const WriteOptions& options) {
  if (auto valid = command::validate_transaction(transaction, this->options().limits); !valid)
    return std::unexpected(std::move(valid.error()));
  const auto access = access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  if (auto may = allowed(access->judge(transaction)); !may) return std::unexpected(std::move(may.error()));
  Packed packed;
  auto outcome = runtime_->write(
      {.kind = CommandKind::transaction, .transaction = &pack(transaction, packed), .as_token = access->id()},
      options.timeout);
  if (!outcome) return outcome;
  if (auto done = unpack_all(*unpacker_, *outcome); !done) return std::unexpected(std::move(done.error()));
  return outcome;
}

void LocalDatabase::async_commit(const Transaction& transaction, const WriteOptions& options,
                                 Completion<Outcome> done) {
  const auto access = access_of(options.token, options.timeout);
  if (!access) return done(std::unexpected(access.error()));
  submit(transaction, nullptr, *access, options.timeout, std::move(done));
}

void LocalDatabase::submit(const Transaction& transaction, const command::Once* once, const acl::Access& access,
                           milliseconds timeout, Completion<Outcome> done) {
  if (auto valid = command::validate_transaction(transaction, options().limits); !valid) {
    return done(std::unexpected(std::move(valid.error())));
  }
  if (auto may = allowed(access.judge(transaction)); !may) return done(std::unexpected(std::move(may.error())));
  node::Write write{.kind = CommandKind::transaction, .as_token = access.id()};
  if (once != nullptr) {
    if (auto valid = command::validate_once(*once); !valid) return done(std::unexpected(std::move(valid.error())));
    write.kind = CommandKind::once;
    write.once = once;
  }
  Packed packed;
  const bool reads =
      std::ranges::any_of(transaction.then, is_get) || std::ranges::any_of(transaction.otherwise, is_get);
  if (reads) {
    // In the host's executor this may come to run when the database has gone.
    done = [unpacker = unpacker_, done = std::move(done)](Result<Outcome> outcome) mutable {
      if (outcome) {
        if (auto plain = unpack_all(*unpacker, *outcome); !plain)
          return done(std::unexpected(std::move(plain.error())));
      }
      done(std::move(outcome));
    };
  }
  write.transaction = &pack(transaction, packed);
  runtime_->write_async(write, timeout, std::move(done));
}

// ---------------------------------------------------------------------------------------------------------------------
// Reads.

Result<void> LocalDatabase::unpack(Value& value) const { return unpack_one(*unpacker_, value); }

Result<void> LocalDatabase::check_readable(const ReadOptions& options) const {
  return runtime_->wait_readable(options.consistency.value_or(runtime_->options().default_consistency),
                                 options.timeout);
}

Result<acl::Access> LocalDatabase::readable_access(const ReadOptions& options) const {
  if (auto readable = check_readable(options); !readable) return std::unexpected(std::move(readable.error()));
  return access_of(options.token, options.timeout);
}

Result<acl::Access> LocalDatabase::readable_by(const acl::Access& access, const ReadOptions& options) const {
  if (auto readable = check_readable(options); !readable) return std::unexpected(std::move(readable.error()));
  auto now = renewed(access);
  if (!now) return now;
  if (auto may = allowed(now->judge(Permission::read)); !may) return std::unexpected(std::move(may.error()));
  return now;
}

Result<Value> LocalDatabase::get(std::string_view key, const ReadOptions& options) const {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  const auto access = readable_access(options);
  if (!access) return std::unexpected(access.error());
  if (auto may = allowed(access->judge_key(Permission::read, key)); !may)
    return std::unexpected(std::move(may.error()));
  Result<Value> value;
  if (!runtime_->state().get(key, *value)) return fail(Errc::not_found, "the key does not exist");
  if (auto done = unpack(*value); !done) return std::unexpected(std::move(done.error()));
  if (stream_ && stream_->wants_reads()) [[unlikely]]
    tell_of_reads({key}, {*value});
  return value;
}

Result<Entry> LocalDatabase::get_entry(std::string_view key, const ReadOptions& options) {
  const auto access = access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  return read(key, options.consistency.value_or(this->options().default_consistency), *access, options.timeout);
}

Result<Entry> LocalDatabase::read(std::string_view key, ReadConsistency consistency, const acl::Access& access,
                                  milliseconds timeout) {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  const auto now = readable_by(access, {.consistency = consistency, .timeout = timeout});
  if (!now) return std::unexpected(now.error());
  if (auto may = allowed(now->judge_key(Permission::read, key)); !may) return std::unexpected(std::move(may.error()));
  auto found = runtime_->state().get_entry(key);
  if (!found) return fail(Errc::not_found, "the key does not exist");
  if (auto done = unpack(found->value); !done) return std::unexpected(std::move(done.error()));
  if (stream_ && stream_->wants_reads()) [[unlikely]]
    tell_of_reads({key}, {found->value});
  return to_entry(std::move(*found), runtime_->now_ms());
}

Result<void> LocalDatabase::check_keys(const std::vector<std::string_view>& keys) const {
  if (keys.empty()) return fail(Errc::invalid_request, "no key is given");
  if (keys.size() > command::max_batch) {
    return fail(Errc::batch_too_large,
                std::to_string(keys.size()) + " keys, the limit is " + std::to_string(command::max_batch));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (auto valid = command::validate_key(keys[i]); !valid) {
      return fail(valid.error().code(), "keys[" + std::to_string(i) + "]: " + valid.error().message());
    }
  }
  return {};
}

Result<std::vector<std::optional<Value>>> LocalDatabase::get_many(const std::vector<std::string_view>& keys,
                                                                  const ReadOptions& options) const {
  if (auto valid = check_keys(keys); !valid) return std::unexpected(std::move(valid.error()));
  const auto access = readable_access(options);
  if (!access) return std::unexpected(access.error());
  if (auto may = check_reads(*access, keys); !may) return std::unexpected(std::move(may.error()));
  std::vector<std::optional<Value>> values;
  runtime_->state().get_many(keys, values);
  for (auto& value : values) {
    if (!value) continue;
    if (auto done = unpack(*value); !done) return std::unexpected(std::move(done.error()));
  }
  if (stream_ && stream_->wants_reads()) [[unlikely]]
    tell_of_reads(keys, values);
  return values;
}

Result<std::vector<std::optional<Entry>>> LocalDatabase::get_entries(const std::vector<std::string_view>& keys,
                                                                     const ReadOptions& options) const {
  const auto access = access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  return get_entries(keys, *access, options);
}

Result<std::vector<std::optional<Entry>>> LocalDatabase::get_entries(const std::vector<std::string_view>& keys,
                                                                     const acl::Access& access,
                                                                     const ReadOptions& options) const {
  if (auto valid = check_keys(keys); !valid) return std::unexpected(std::move(valid.error()));
  const auto now = readable_by(access, options);
  if (!now) return std::unexpected(now.error());
  if (auto may = check_reads(*now, keys); !may) return std::unexpected(std::move(may.error()));
  const auto read_all = [&](const auto& source) {
    std::vector<std::optional<Entry>> entries(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (auto found = source.get_entry(keys[i])) entries[i] = to_entry(std::move(*found), runtime_->now_ms());
    }
    return entries;
  };
  // One key is a cut by itself; a view would make writers keep versions.
  auto entries = keys.size() == 1 ? read_all(runtime_->state()) : read_all(runtime_->state().view());
  for (auto& entry : entries) {
    if (!entry) continue;
    if (auto done = unpack(entry->value); !done) return std::unexpected(std::move(done.error()));
  }
  if (stream_ && stream_->wants_reads()) [[unlikely]] {
    std::vector<std::optional<Value>> values(entries.size());
    for (std::size_t at = 0; at < entries.size(); ++at) {
      if (entries[at]) values[at] = entries[at]->value;
    }
    tell_of_reads(keys, values);
  }
  return entries;
}

// ---------------------------------------------------------------------------------------------------------------------
// Events.

Result<std::shared_ptr<events::Subscriber>> LocalDatabase::subscribe(const SubscribeOptions& options,
                                                                     events::Viewer viewer) {
  if (!stream_) return fail(Errc::not_found, "events are switched off (event_stream.enabled)");
  return stream_->subscribe(options, std::move(viewer));
}

EventStats LocalDatabase::event_stats() const { return stream_ ? stream_->stats() : EventStats(); }

void LocalDatabase::finish_subscriptions(std::string_view owner, const Error& why) {
  if (stream_) stream_->finish_those_of(owner, why);
}

void LocalDatabase::tell_of_reads(const std::vector<std::string_view>& keys,
                                  const std::vector<std::optional<Value>>& values) const {
  stream_->publish_reads(keys, values);
}

// ---------------------------------------------------------------------------------------------------------------------

std::vector<ReadyCheck> LocalDatabase::ready() {
  const bool has_leader = runtime_->knows_leader();
  const auto lag = runtime_->not_ready();
  const auto refusal = runtime_->refuses_writes();
  std::vector<ReadyCheck> checks = {
      {.name = "leader", .ok = has_leader, .why = has_leader ? "" : lag.value_or("no leader is known")},
      {.name = "caught-up", .ok = !lag, .why = lag.value_or("")},
      {.name = "writable", .ok = !refusal, .why = refusal ? refusal->message() : ""}};
  if (audit_) {
    const std::string problem = audit_->problem();
    checks.push_back({.name = "audited", .ok = problem.empty(), .why = problem});
  }
  return checks;
}

void LocalDatabase::change_members(MemberChange change, std::string name, std::string peer, milliseconds timeout,
                                   std::move_only_function<void(Result<void>)> done) {
  if (runtime_->peer_address().empty()) {
    return done(fail(Errc::condition_failed, "this node is alone: a cluster needs a cookie (cluster.cookie)"));
  }
  const bool is_transfer = change == MemberChange::transfer_leadership;
  if (name.size() > 255 || (name.empty() && !is_transfer)) {
    return done(fail(Errc::invalid_request, "the name of a member has 1 to 255 bytes"));
  }
  const node::ChangeKind kind = change == MemberChange::add       ? node::ChangeKind::add
                                : change == MemberChange::promote ? node::ChangeKind::promote
                                : change == MemberChange::remove  ? node::ChangeKind::remove
                                                                  : node::ChangeKind::transfer;
  if (change == MemberChange::add) {
    if (auto address = transport::parse_address(peer); !address)
      return done(std::unexpected(std::move(address.error())));
  }
  runtime_->change_members({.kind = kind, .member = {.name = std::move(name), .peer = std::move(peer)}}, timeout,
                           [done = std::move(done)](Result<replica::Member> member) mutable {
                             if (!member) return done(std::unexpected(std::move(member.error())));
                             done({});
                           });
}

}  // namespace concord::database
