// The calls of `Store` that don't wait. Each comes in two forms: with a completion, and for `co_await`.
//
//     store.async_put("counter", 1, {}, [](concord::Result<concord::Revision> done) { ... });
//     concord::Result<concord::Revision> done = co_await store.async_put("counter", 2);
//
// What each does, and its errors, stand beside its namesake in concord/store.hpp. The completion is called exactly once: on the
// node's thread or `Options::executor`, or inside the call itself (when it is refused, has nothing to wait for, or the outcome of
// its last step came before it returned); keep it short. The arguments are copied before the call returns; the awaitable forms
// copy them at once. The store must outlive what was started: `Node`'s destructor waits for it.
//
// Writes in flight are bounded by `limits.max_in_flight`; one more is `overloaded`.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/awaitable.hpp>
#include <concord/conditional.hpp>
#include <concord/entry.hpp>
#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/options.hpp>
#include <concord/query.hpp>
#include <concord/revision.hpp>
#include <concord/transaction.hpp>
#include <concord/update_function.hpp>
#include <concord/value.hpp>

namespace concord {

namespace calls {
class Gate;
}

class CONCORD_API AsyncStore {
 public:
  virtual ~AsyncStore() = default;

  // --- with a completion -----------------------------------------------------------------------------------------------

  virtual void async_put(std::string_view key, const Value& value, const PutOptions& options,
                         Completion<Revision> done) = 0;
  virtual void async_commit(const Transaction& transaction, const WriteOptions& options,
                            Completion<TransactionResult> done) = 0;
  virtual void async_get_entries(const std::vector<std::string>& keys, const ReadOptions& options,
                                 Completion<std::vector<std::optional<Entry>>> done) = 0;
  virtual void async_keys(const Query& query, const ReadOptions& options, Completion<Rows<std::string>> done) = 0;
  virtual void async_where(const Query& query, const ReadOptions& options, Completion<Rows<Item>> done) = 0;
  virtual void async_count(const Query& query, const ReadOptions& options, Completion<std::uint64_t> done) = 0;
  virtual void async_delete_where(const Query& query, const WriteOptions& options, Completion<std::uint64_t> done) = 0;

  void async_create(std::string_view key, const Value& value, const PutOptions& options, Completion<Revision> done);
  void async_update(std::string_view key, const UpdateFunction& function, const PutOptions& options,
                    Completion<Updated> done);
  void async_del(std::string_view key, const WriteOptions& options, Completion<Revision> done);
  void async_touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options,
                   Completion<Revision> done);
  void async_get(std::string_view key, const ReadOptions& options, Completion<Value> done);
  void async_get_entry(std::string_view key, const ReadOptions& options, Completion<Entry> done);
  void async_put_if(std::string_view key, const Value& value, const PutIfOptions& options, Completion<Revision> done);
  void async_delete_if(std::string_view key, const DeleteIfOptions& options, Completion<Revision> done);
  void async_put_many(const std::vector<PutItem>& items, const WriteOptions& options, Completion<BulkResult> done);
  void async_delete_many(const std::vector<std::string>& keys, const WriteOptions& options,
                         Completion<BulkResult> done);
  void async_touch_many(const std::vector<TouchItem>& items, const WriteOptions& options, Completion<BulkResult> done);
  void async_get_many(const std::vector<std::string>& keys, const ReadOptions& options,
                      Completion<std::vector<std::optional<Value>>> done);

  // --- for co_await ----------------------------------------------------------------------------------------------------

  auto async_put(std::string_view key, Value value, PutOptions options = {}) {
    return detail::awaitable<Revision>(
        [this, key = std::string(key), value = std::move(value),
         options = std::move(options)](Completion<Revision> done) { async_put(key, value, options, std::move(done)); });
  }
  auto async_create(std::string_view key, Value value, PutOptions options = {}) {
    return detail::awaitable<Revision>([this, key = std::string(key), value = std::move(value),
                                        options = std::move(options)](Completion<Revision> done) {
      async_create(key, value, options, std::move(done));
    });
  }
  auto async_update(std::string_view key, UpdateFunction function, PutOptions options = {}) {
    return detail::awaitable<Updated>([this, key = std::string(key), function = std::move(function),
                                       options = std::move(options)](Completion<Updated> done) {
      async_update(key, function, options, std::move(done));
    });
  }
  auto async_del(std::string_view key, WriteOptions options = {}) {
    return detail::awaitable<Revision>([this, key = std::string(key), options = std::move(options)](
                                           Completion<Revision> done) { async_del(key, options, std::move(done)); });
  }
  auto async_touch(std::string_view key, std::chrono::seconds ttl, WriteOptions options = {}) {
    return detail::awaitable<Revision>(
        [this, key = std::string(key), ttl, options = std::move(options)](Completion<Revision> done) {
          async_touch(key, ttl, options, std::move(done));
        });
  }
  auto async_get(std::string_view key, ReadOptions options = {}) {
    return detail::awaitable<Value>([this, key = std::string(key), options = std::move(options)](
                                        Completion<Value> done) { async_get(key, options, std::move(done)); });
  }
  auto async_get_entry(std::string_view key, ReadOptions options = {}) {
    return detail::awaitable<Entry>([this, key = std::string(key), options = std::move(options)](
                                        Completion<Entry> done) { async_get_entry(key, options, std::move(done)); });
  }
  auto async_put_if(std::string_view key, Value value, PutIfOptions options) {
    return detail::awaitable<Revision>([this, key = std::string(key), value = std::move(value),
                                        options = std::move(options)](Completion<Revision> done) {
      async_put_if(key, value, options, std::move(done));
    });
  }
  auto async_delete_if(std::string_view key, DeleteIfOptions options) {
    return detail::awaitable<Revision>(
        [this, key = std::string(key), options = std::move(options)](Completion<Revision> done) {
          async_delete_if(key, options, std::move(done));
        });
  }
  auto async_commit(Transaction transaction, WriteOptions options = {}) {
    return detail::awaitable<TransactionResult>(
        [this, transaction = std::move(transaction), options = std::move(options)](Completion<TransactionResult> done) {
          async_commit(transaction, options, std::move(done));
        });
  }
  /// The keys of `items` must live until the call was awaited.
  auto async_put_many(std::vector<PutItem> items, WriteOptions options = {}) {
    return detail::awaitable<BulkResult>(
        [this, items = std::move(items), options = std::move(options)](Completion<BulkResult> done) {
          async_put_many(items, options, std::move(done));
        });
  }
  auto async_delete_many(std::vector<std::string> keys, WriteOptions options = {}) {
    return detail::awaitable<BulkResult>(
        [this, keys = std::move(keys), options = std::move(options)](Completion<BulkResult> done) {
          async_delete_many(keys, options, std::move(done));
        });
  }
  /// The keys of `items` must live until the call was awaited.
  auto async_touch_many(std::vector<TouchItem> items, WriteOptions options = {}) {
    return detail::awaitable<BulkResult>(
        [this, items = std::move(items), options = std::move(options)](Completion<BulkResult> done) {
          async_touch_many(items, options, std::move(done));
        });
  }
  auto async_get_many(std::vector<std::string> keys, ReadOptions options = {}) {
    return detail::awaitable<std::vector<std::optional<Value>>>(
        [this, keys = std::move(keys), options = std::move(options)](
            Completion<std::vector<std::optional<Value>>> done) { async_get_many(keys, options, std::move(done)); });
  }
  auto async_keys(Query query, ReadOptions options = {}) {
    return detail::awaitable<Rows<std::string>>(
        [this, query = std::move(query), options = std::move(options)](Completion<Rows<std::string>> done) {
          async_keys(query, options, std::move(done));
        });
  }
  auto async_where(Query query, ReadOptions options = {}) {
    return detail::awaitable<Rows<Item>>(
        [this, query = std::move(query), options = std::move(options)](Completion<Rows<Item>> done) {
          async_where(query, options, std::move(done));
        });
  }
  auto async_count(Query query, ReadOptions options = {}) {
    return detail::awaitable<std::uint64_t>(
        [this, query = std::move(query), options = std::move(options)](Completion<std::uint64_t> done) {
          async_count(query, options, std::move(done));
        });
  }
  auto async_delete_where(Query query, WriteOptions options = {}) {
    return detail::awaitable<std::uint64_t>(
        [this, query = std::move(query), options = std::move(options)](Completion<std::uint64_t> done) {
          async_delete_where(query, options, std::move(done));
        });
  }

 protected:
  AsyncStore() = default;
  AsyncStore(const AsyncStore&) = default;
  AsyncStore(AsyncStore&&) = default;
  AsyncStore& operator=(const AsyncStore&) = default;
  AsyncStore& operator=(AsyncStore&&) = default;

  /// Asked before a call takes its next step: that may be after this object has gone. Null: it never is.
  [[nodiscard]] virtual std::shared_ptr<calls::Gate> gate() const { return nullptr; }
};

}  // namespace concord
