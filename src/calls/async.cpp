// Calls that don't wait, made of the few that a store implements.
#include <concord/async_store.hpp>

#include <utility>

#include "calls/condition.hpp"

namespace concord {
namespace {

Completion<TransactionResult> for_single(Completion<Revision> done) {
  return [done = std::move(done)](Result<TransactionResult> result) mutable {
    if (!result) return done(std::unexpected(std::move(result.error())));
    done(calls::revision_of(*result));
  };
}

Completion<TransactionResult> for_bulk(Completion<BulkResult> done) {
  return [done = std::move(done)](Result<TransactionResult> result) mutable {
    if (!result) return done(std::unexpected(std::move(result.error())));
    BulkResult bulk{.revision = result->revision, .changed = result->changed};
    bulk.results.reserve(result->results.size());
    for (const OperationResult& one : result->results) bulk.results.push_back(one.status);
    done(std::move(bulk));
  };
}

/// `make` gives the operation of an item.
template <class Items, class Make>
Transaction all_of(const Items& items, const Make& make) {
  Transaction transaction;
  transaction.then.reserve(items.size());
  for (const auto& item : items) transaction.then.push_back(make(item));
  return transaction;
}

}  // namespace

void AsyncStore::async_del(std::string_view key, const WriteOptions& options, Completion<Revision> done) {
  async_commit({.then = {Operation::del(std::string(key))}}, options, for_single(std::move(done)));
}

void AsyncStore::async_touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options,
                             Completion<Revision> done) {
  async_commit({.then = {Operation::touch(std::string(key), ttl)}}, options, for_single(std::move(done)));
}

void AsyncStore::async_put_many(const std::vector<PutItem>& items, const WriteOptions& options,
                                Completion<BulkResult> done) {
  const auto put = [](const PutItem& item) {
    Operation operation = Operation::put(std::string(item.key), item.value, item.ttl);
    operation.compress = item.compress;
    return operation;
  };
  async_commit(all_of(items, put), options, for_bulk(std::move(done)));
}

void AsyncStore::async_delete_many(const std::vector<std::string>& keys, const WriteOptions& options,
                                   Completion<BulkResult> done) {
  async_commit(all_of(keys, [](const std::string& key) { return Operation::del(key); }), options,
               for_bulk(std::move(done)));
}

void AsyncStore::async_touch_many(const std::vector<TouchItem>& items, const WriteOptions& options,
                                  Completion<BulkResult> done) {
  const auto touch = [](const TouchItem& item) { return Operation::touch(std::string(item.key), item.ttl); };
  async_commit(all_of(items, touch), options, for_bulk(std::move(done)));
}

void AsyncStore::async_get_entry(std::string_view key, const ReadOptions& options, Completion<Entry> done) {
  async_get_entries({std::string(key)}, options,
                    [done = std::move(done)](Result<std::vector<std::optional<Entry>>> found) mutable {
                      if (!found) return done(std::unexpected(std::move(found.error())));
                      if (!found->front()) return done(fail(Errc::not_found, "the key does not exist"));
                      done(std::move(*found->front()));
                    });
}

void AsyncStore::async_get(std::string_view key, const ReadOptions& options, Completion<Value> done) {
  async_get_entry(key, options, [done = std::move(done)](Result<Entry> entry) mutable {
    if (!entry) return done(std::unexpected(std::move(entry.error())));
    done(std::move(entry->value));
  });
}

void AsyncStore::async_get_many(const std::vector<std::string>& keys, const ReadOptions& options,
                                Completion<std::vector<std::optional<Value>>> done) {
  async_get_entries(keys, options, [done = std::move(done)](Result<std::vector<std::optional<Entry>>> found) mutable {
    if (!found) return done(std::unexpected(std::move(found.error())));
    std::vector<std::optional<Value>> values;
    values.reserve(found->size());
    for (auto& entry : *found) {
      values.push_back(entry ? std::optional(std::move(entry->value)) : std::nullopt);
    }
    done(std::move(values));
  });
}

}  // namespace concord
