// The calls on a store. `Node` (embedded) implements them; so will every other way to reach a store.
//
// Keys are 1 to 1024 bytes, any bytes. Every write is a transaction: it happens as a whole, at one revision, or not at all.
// A call that returns an error with `maybe_committed() == false` changed nothing.
//
// Example:
//
//     store.put("flags/dark_mode", true);
//     store.put("session/17", Session{...}, {.ttl = 30min});
//     concord::Result<bool> on = store.get<bool>("flags/dark_mode");
//
//     store.async_put("counter", 1, {}, [](concord::Result<concord::Revision> done) { ... });
//     concord::Result<concord::Revision> done = co_await store.async_put("counter", 2);
//
// Thread rule: every call may be made from any thread, at any time, also from inside a completion.
// Completions run on a thread of the library, or inside the call itself; keep them short.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/options.hpp>
#include <concord/revision.hpp>
#include <concord/status.hpp>
#include <concord/value.hpp>

namespace concord {

/// A value with what the store knows about it.
struct Entry {
  Value value;
  Revision revision;                        ///< Of its last change.
  Revision create_revision;                 ///< Of the change that created it.
  std::uint64_t version = 0;                ///< Changes since it was created; 1 for a new key.
  std::optional<std::chrono::seconds> ttl;  ///< Remaining time, rounded up; none: does not expire.
};

/// One put of `put_many`. `key` is a view: it must stay alive during the call.
struct PutItem {
  std::string_view key;
  Value value;
  std::optional<std::chrono::seconds> ttl = {};
};

/// Called exactly once with the outcome of an asynchronous call.
template <class T>
using Completion = std::move_only_function<void(Result<T>)>;

/// What `async_...` without a completion returns: start it by `co_await`. The coroutine goes on where completions run.
template <class T, class Start>
class [[nodiscard]] Awaitable {
 public:
  explicit Awaitable(Start start) : start_(std::move(start)) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    start_([this, waiting](Result<T> outcome) {
      outcome_.emplace(std::move(outcome));
      waiting.resume();
    });
  }
  [[nodiscard]] Result<T> await_resume() { return std::move(*outcome_); }

 private:
  Start start_;
  std::optional<Result<T>> outcome_;
};

class CONCORD_API Store {
 public:
  /// The most operations in one call; above: `batch_too_large`.
  static constexpr std::size_t max_batch = 500;

  virtual ~Store() = default;

  /// Stores `value` under `key`, whether or not the key exists. Without a ttl an earlier ttl is removed.
  /// Errors: invalid_key, invalid_request (ttl < 1 s, value without a JSON form), value_too_large, overloaded,
  /// cluster_not_ready, timeout, storage_full, storage_failed.
  virtual Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options = {}) = 0;

  /// Stores only when the key does not exist. Errors: those of `put`, and condition_failed when it exists.
  virtual Result<Revision> create(std::string_view key, const Value& value, const PutOptions& options = {}) = 0;

  /// Removes a key. Errors: those of `put`, and not_found.
  virtual Result<Revision> del(std::string_view key, const WriteOptions& options = {}) = 0;

  /// Sets the remaining time of a key and keeps its value. Errors: those of `put`, and not_found.
  virtual Result<Revision> touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options = {}) = 0;

  /// The value of a key. Errors: not_found, invalid_key, and (consistency `leader`, `strong`) cluster_not_ready, timeout.
  virtual Result<Value> get(std::string_view key, const ReadOptions& options = {}) = 0;

  /// The value of a key as a C++ type. Errors: those of `get`, and invalid_request for a value of another type.
  template <class T>
  Result<T> get(std::string_view key, const ReadOptions& options = {}) {
    auto value = get(key, options);
    if (!value) return std::unexpected(std::move(value.error()));
    return value->template as<T>();
  }

  /// The value with its revisions and remaining time. Errors: those of `get`.
  virtual Result<Entry> get_entry(std::string_view key, const ReadOptions& options = {}) = 0;

  /// Stores up to 500 items at one revision, in order; of a key given twice the last wins.
  /// Errors: those of `put` (any bad item refuses all), batch_too_large, invalid_request for an empty batch.
  virtual Result<Revision> put_many(const std::vector<PutItem>& items, const WriteOptions& options = {}) = 0;

  /// One consistent cut over up to 500 keys, in order; none for a key that does not exist.
  virtual Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string_view>& keys,
                                                             const ReadOptions& options = {}) = 0;

  /// Like `put`, without waiting: `done` is called with the outcome. The arguments are copied before the call returns.
  virtual void async_put(std::string_view key, const Value& value, const PutOptions& options,
                         Completion<Revision> done) = 0;

  /// `co_await store.async_put(key, value)`. `key` and `value` are copied; `this` must outlive the coroutine.
  auto async_put(std::string_view key, Value value, PutOptions options = {}) {
    auto start = [this, key = std::string(key), value = std::move(value), options](Completion<Revision> done) {
      async_put(key, value, options, std::move(done));
    };
    return Awaitable<Revision, decltype(start)>(std::move(start));
  }

  /// What this node knows about itself and its cluster. Answers without a quorum.
  virtual Result<Status> status() = 0;

 protected:
  Store() = default;
  Store(const Store&) = default;
  Store(Store&&) = default;
  Store& operator=(const Store&) = default;
  Store& operator=(Store&&) = default;
};

}  // namespace concord
