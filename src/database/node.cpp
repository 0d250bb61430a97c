// The embedded node: the public interface over a local database. Queries stand in node_queries.cpp,
// the cluster in node_cluster.cpp.
#include <concord/node.hpp>

#include <algorithm>
#include <utility>

#include "command/from_public.hpp"
#include "database/conversions.hpp"
#include "database/node_impl.hpp"

namespace concord {

using command::CommandKind;
using command::Outcome;
using observe::ApiOperation;

namespace {

constexpr observe::CallDetails long_write = {.is_long = true};

observe::CallDetails put_of(std::string_view key, const PutOptions& options) {
  return {.has_ttl = options.ttl.has_value(), .key = key};
}

database::AuditFacts facts_of_put(const database::LocalDatabase& database, std::string_view key, const Value& value,
                                  const PutOptions& options) {
  const std::int64_t ttl_s = options.ttl ? options.ttl->count() : 0;
  return {.token = options.token,
          .timeout = options.timeout,
          .key = key,
          .has_ttl = options.ttl.has_value(),
          .ttl_s = static_cast<std::uint32_t>(std::clamp<std::int64_t>(ttl_s, 0, UINT32_MAX)),
          .is_compressed = database.would_compress(value.stored(), options.compress)};
}

template <class Items>
database::AuditFacts facts_of_many(const Items& items, const WriteOptions& options) {
  database::AuditFacts facts{.token = options.token, .timeout = options.timeout};
  facts.keys.reserve(items.size());
  for (const auto& item : items) {
    if constexpr (requires { item.key; }) {
      facts.keys.emplace_back(item.key);
    } else {
      facts.keys.emplace_back(item);
    }
  }
  return facts;
}

/// Of a call on one key that must exist.
Result<Revision> of_existing(Result<Outcome> outcome) {
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  if (!outcome->results.empty() && outcome->results.front().status == command::OperationStatus::not_found) {
    return fail(Errc::not_found, "the key does not exist");
  }
  return outcome->revision;
}

/// `make(item) -> Result<command::Operation>`.
template <class Items, class Make>
Result<BulkResult> commit_all(database::LocalDatabase& database, const Items& items, const WriteOptions& options,
                              const Make& make) {
  command::Transaction transaction;
  transaction.then.reserve(items.size());
  for (const auto& item : items) {
    auto operation = make(item);
    if (!operation) return command::at_place("then", transaction.then.size(), operation.error());
    transaction.then.push_back(std::move(*operation));
  }
  auto outcome = database.commit(transaction, options);
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  return database::to_bulk_result(*outcome, items.size());
}

}  // namespace

Result<Node> Node::open(Options options) {
  auto database = database::LocalDatabase::open_local(std::move(options));
  if (!database) return std::unexpected(std::move(database.error()));
  if (const MetricsOptions& metrics = (*database)->options().metrics; metrics.enabled && metrics.port) {
    auto served = (*database)->serve_metrics(metrics.host, *metrics.port);
    if (!served) return std::unexpected(std::move(served.error()));
  }
  return Node(std::make_unique<Impl>(std::move(*database)));
}

Node::Node(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

// ---------------------------------------------------------------------------------------------------------------------
// One key.

Result<Revision> Node::put(std::string_view key, const Value& value, const PutOptions& options) {
  if (!impl_->is_watched()) [[likely]]
    return impl_->database->put(key, value, options);
  return impl_->observed(ApiOperation::put, put_of(key, options), facts_of_put(*impl_->database, key, value, options),
                         [&] { return impl_->database->put(key, value, options); });
}

void Node::async_put(std::string_view key, const Value& value, const PutOptions& options, Completion<Revision> done) {
  if (!impl_->is_watched()) return impl_->database->async_put(key, value, options, std::move(done));
  impl_->observed_later(
      ApiOperation::put, put_of(key, options), facts_of_put(*impl_->database, key, value, options), std::move(done),
      [&](Completion<Revision> told) { impl_->database->async_put(key, value, options, std::move(told)); });
}

Result<Revision> Node::del(std::string_view key, const WriteOptions& options) {
  const auto run = [&] {
    return of_existing(impl_->database->write({.kind = CommandKind::remove, .key = key}, options));
  };
  if (!impl_->is_watched()) [[likely]]
    return run();
  return impl_->observed(ApiOperation::del, {.key = key}, Impl::writing(options, key), run);
}

Result<Revision> Node::touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options) {
  const auto run = [&]() -> Result<Revision> {
    const auto ttl_s = command::touch_ttl(ttl);
    if (!ttl_s) return std::unexpected(ttl_s.error());
    return of_existing(impl_->database->write({.kind = CommandKind::touch, .key = key, .ttl_s = *ttl_s}, options));
  };
  if (!impl_->is_watched()) [[likely]]
    return run();
  return impl_->observed(ApiOperation::touch, {.key = key}, Impl::writing(options, key), run);
}

Result<Value> Node::get(std::string_view key, const ReadOptions& options) {
  if (!impl_->is_watched()) [[likely]]
    return impl_->database->get(key, options);
  return impl_->observed(ApiOperation::get, impl_->read_of(options, key), Impl::reading(options, key),
                         [&] { return impl_->database->get(key, options); });
}

Result<Entry> Node::get_entry(std::string_view key, const ReadOptions& options) {
  return impl_->observed(ApiOperation::get, impl_->read_of(options, key), Impl::reading(options, key),
                         [&] { return impl_->database->get_entry(key, options); });
}

// ---------------------------------------------------------------------------------------------------------------------
// Many keys.

Result<TransactionResult> Node::commit(const Transaction& transaction, const WriteOptions& options) {
  const auto run = [&]() -> Result<TransactionResult> {
    const auto command = command::to_command(transaction);
    if (!command) return std::unexpected(command.error());
    auto outcome = impl_->database->commit(*command, options);
    if (!outcome) return std::unexpected(std::move(outcome.error()));
    return database::to_result(std::move(*outcome));
  };
  if (!impl_->is_watched()) return run();
  return impl_->observed(ApiOperation::txn, database::operation_of(transaction), long_write,
                         database::facts_of(transaction, options), run);
}

void Node::async_commit(const Transaction& transaction, const WriteOptions& options,
                        Completion<TransactionResult> answered) {
  const auto start = [&](Completion<TransactionResult> done) {
    const auto command = command::to_command(transaction);
    if (!command) return done(std::unexpected(command.error()));
    impl_->database->async_commit(*command, options, [done = std::move(done)](Result<Outcome> outcome) mutable {
      if (!outcome) return done(std::unexpected(std::move(outcome.error())));
      done(database::to_result(std::move(*outcome)));
    });
  };
  if (!impl_->is_watched()) return start(std::move(answered));
  impl_->observed_later(ApiOperation::txn, database::operation_of(transaction), long_write,
                        database::facts_of(transaction, options), std::move(answered), start);
}

Result<BulkResult> Node::put_many(const std::vector<PutItem>& items, const WriteOptions& options) {
  const auto run = [&] {
    return commit_all(*impl_->database, items, options, [](const PutItem& item) -> Result<command::Operation> {
      const auto ttl_s = command::put_ttl(item.ttl, false);
      if (!ttl_s) return std::unexpected(ttl_s.error());
      return command::Operation{.kind = command::OperationKind::put,
                                .key = item.key,
                                .value = item.value.stored(),
                                .ttl_s = *ttl_s,
                                .compress = item.compress};
    });
  };
  if (!impl_->is_watched()) return run();
  return impl_->observed(ApiOperation::put_many, long_write, facts_of_many(items, options), run);
}

Result<BulkResult> Node::delete_many(const std::vector<std::string_view>& keys, const WriteOptions& options) {
  return impl_->observed(ApiOperation::delete_many, long_write, facts_of_many(keys, options), [&] {
    return commit_all(*impl_->database, keys, options, [](std::string_view key) -> Result<command::Operation> {
      return command::Operation{.kind = command::OperationKind::remove, .key = key};
    });
  });
}

Result<BulkResult> Node::touch_many(const std::vector<TouchItem>& items, const WriteOptions& options) {
  return impl_->observed(ApiOperation::touch_many, long_write, facts_of_many(items, options), [&] {
    return commit_all(*impl_->database, items, options, [](const TouchItem& item) -> Result<command::Operation> {
      const auto ttl_s = command::touch_ttl(item.ttl);
      if (!ttl_s) return std::unexpected(ttl_s.error());
      return command::Operation{.kind = command::OperationKind::touch, .key = item.key, .ttl_s = *ttl_s};
    });
  });
}

Result<std::vector<std::optional<Value>>> Node::get_many(const std::vector<std::string_view>& keys,
                                                         const ReadOptions& options) {
  return impl_->observed(ApiOperation::get_many, impl_->long_read_of(options), Impl::reading(options),
                         [&] { return impl_->database->get_many(keys, options); });
}

Result<std::vector<std::optional<Entry>>> Node::get_entries(const std::vector<std::string_view>& keys,
                                                            const ReadOptions& options) {
  return impl_->observed(ApiOperation::get_many, impl_->long_read_of(options), Impl::reading(options),
                         [&] { return impl_->database->get_entries(keys, options); });
}

// ---------------------------------------------------------------------------------------------------------------------

std::shared_ptr<calls::Gate> Node::gate() const { return impl_->gate; }

std::string Node::metrics() const { return impl_->database->metrics(); }

Telemetry& Node::telemetry() noexcept { return impl_->telemetry; }

Tracing& Node::tracing() noexcept { return impl_->tracing; }

const Compression& Node::compression() const noexcept { return impl_->compression; }

}  // namespace concord
