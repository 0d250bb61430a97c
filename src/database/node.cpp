// The embedded node: the public interface over a local database.
#include <concord/node.hpp>

#include <utility>

#include "database/local_database.hpp"

namespace concord {

using command::GuardKind;
using command::Operation;
using command::OperationKind;
using command::OperationStatus;
using command::Outcome;
using command::Transaction;

class Node::Impl {
 public:
  explicit Impl(std::unique_ptr<database::LocalDatabase> opened) : database(std::move(opened)) {}
  std::unique_ptr<database::LocalDatabase> database;
};

namespace {

/// Of a call on one key that must exist.
Result<Revision> of_existing(Result<Outcome> outcome) {
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  if (!outcome->results.empty() && outcome->results.front().status == OperationStatus::not_found) {
    return fail(Errc::not_found, "the key does not exist");
  }
  return outcome->revision;
}

Result<Operation> put_operation(std::string_view key, const Value& value,
                                const std::optional<std::chrono::seconds>& ttl) {
  Operation operation{.kind = OperationKind::put, .key = key, .value = value.stored()};
  if (!ttl) return operation;
  if (ttl->count() < 1 || ttl->count() > std::int64_t{0xffff'ffff}) {
    return fail(Errc::invalid_request, "ttl of " + std::to_string(ttl->count()) + " s: at least 1 s");
  }
  operation.ttl_s = static_cast<std::uint32_t>(ttl->count());
  return operation;
}

}  // namespace

Result<Node> Node::open(Options options) {
  auto database = database::LocalDatabase::open_local(std::move(options));
  if (!database) return std::unexpected(std::move(database.error()));
  return Node(std::make_unique<Impl>(std::move(*database)));
}

Node::Node(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

Result<Revision> Node::put(std::string_view key, const Value& value, const PutOptions& options) {
  return impl_->database->put(key, value, options);
}

Result<Revision> Node::create(std::string_view key, const Value& value, const PutOptions& options) {
  auto operation = put_operation(key, value, options.ttl);
  if (!operation) return std::unexpected(std::move(operation.error()));
  Transaction transaction;
  transaction.guards.push_back({.kind = GuardKind::absent, .key = key});
  transaction.then.push_back(*operation);
  auto outcome = impl_->database->commit(transaction, options.timeout);
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  if (outcome->guard_failure != command::GuardFailure::none) return fail(Errc::condition_failed, "the key exists");
  return outcome->revision;
}

Result<Revision> Node::del(std::string_view key, const WriteOptions& options) {
  return of_existing(impl_->database->remove(key, options.timeout));
}

Result<Revision> Node::touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options) {
  auto operation = put_operation(key, Value(), ttl);
  if (!operation) return std::unexpected(std::move(operation.error()));
  Transaction transaction;
  transaction.then.push_back({.kind = OperationKind::touch, .key = key, .ttl_s = operation->ttl_s});
  return of_existing(impl_->database->commit(transaction, options.timeout));
}

Result<Value> Node::get(std::string_view key, const ReadOptions& options) { return impl_->database->get(key, options); }

Result<Entry> Node::get_entry(std::string_view key, const ReadOptions& options) {
  return impl_->database->read(key, options.consistency.value_or(impl_->database->options().default_consistency),
                               options.timeout);
}

Result<Revision> Node::put_many(const std::vector<PutItem>& items, const WriteOptions& options) {
  Transaction transaction;
  transaction.then.reserve(items.size());
  for (const PutItem& item : items) {
    auto operation = put_operation(item.key, item.value, item.ttl);
    if (!operation) return std::unexpected(std::move(operation.error()));
    transaction.then.push_back(*operation);
  }
  auto outcome = impl_->database->commit(transaction, options.timeout);
  if (!outcome) return std::unexpected(std::move(outcome.error()));
  return outcome->revision;
}

Result<std::vector<std::optional<Value>>> Node::get_many(const std::vector<std::string_view>& keys,
                                                         const ReadOptions& options) {
  return impl_->database->get_many(keys, options);
}

void Node::async_put(std::string_view key, const Value& value, const PutOptions& options, Completion<Revision> done) {
  impl_->database->async_put(key, value, options, std::move(done));
}

Result<Status> Node::status() { return impl_->database->status(); }

}  // namespace concord
