// Conditional writes of one key: create, put_if, delete_if, update; waiting and not.
#include <concord/store.hpp>

#include <memory>
#include <utility>

#include "calls/condition.hpp"
#include "calls/retry.hpp"

namespace concord {
namespace {

using calls::Decide;

template <class Options>
Operation put_operation(std::string_view key, const Value& value, const Options& options) {
  return {.kind = Operation::Kind::put,
          .key = std::string(key),
          .value = value,
          .ttl = options.ttl,
          .keep_ttl = options.keep_ttl,
          .compress = options.compress};
}

template <class Options>
WriteOptions write_options(const Options& options) {
  return {.timeout = options.timeout, .token = options.token};
}

Transaction create_transaction(std::string_view key, const Value& value, const PutOptions& options) {
  return {.guards = {{.key = std::string(key), .exists = false}}, .then = {put_operation(key, value, options)}};
}

template <class T>
Result<Revision> revision_of(Result<T>&& result) {
  if (!result) return std::unexpected(std::move(result.error()));
  return calls::revision_of(*result);
}
/// Of a write that was decided here: there was something to do, or an error.
Result<Revision> revision_of(Result<std::optional<TransactionResult>>&& result) {
  if (!result) return std::unexpected(std::move(result.error()));
  return calls::revision_of(**result);
}

template <class Options>
Decide decide_by(Predicate predicate, Operation operation, const Options&) {
  return [predicate = std::move(predicate), operation = std::move(operation)](const Entry* entry) {
    return calls::decide_by(predicate, operation, entry);
  };
}

template <class Options>
Result<Revision> write_if(Store& store, Operation operation, const Options& options) {
  if (auto valid = calls::check_condition(options); !valid) return std::unexpected(std::move(valid.error()));
  if (options.condition.is_function()) {
    const std::string key = operation.key;
    return revision_of(
        calls::retry(store, key, write_options(options), decide_by(options.condition, std::move(operation), options)));
  }
  Transaction transaction{.guards = {calls::guard_of(operation.key, options)}};
  transaction.then.push_back(std::move(operation));
  return revision_of(store.commit(transaction, write_options(options)));
}

template <class Options>
void async_write_if(AsyncStore& store, std::shared_ptr<calls::Gate> gate, Operation operation, const Options& options,
                    Completion<Revision> done) {
  if (auto valid = calls::check_condition(options); !valid) return done(std::unexpected(std::move(valid.error())));
  auto finish = [done = std::move(done)](auto result) mutable { done(revision_of(std::move(result))); };
  if (options.condition.is_function()) {
    const std::string key = operation.key;
    return calls::retry_async(store, std::move(gate), key, write_options(options),
                              decide_by(options.condition, std::move(operation), options), std::move(finish));
  }
  Transaction transaction{.guards = {calls::guard_of(operation.key, options)}};
  transaction.then.push_back(std::move(operation));
  store.async_commit(transaction, write_options(options), std::move(finish));
}

/// The state of an `update`: the last value that was made, to be told to the caller.
class Update {
 public:
  Update(std::string_view key, UpdateFunction function, const PutOptions& options)
      : key_(key), function_(std::move(function)), options_(options) {
    if (!options_.ttl) options_.keep_ttl = true;
  }

  Result<std::optional<Transaction>> decide(const Entry* entry) {
    if (entry == nullptr && !function_.takes_missing()) return fail(Errc::not_found, "the key does not exist");
    auto value = function_(entry == nullptr ? nullptr : &entry->value);
    if (!value) return std::unexpected(std::move(value.error()));
    if (!*value) {
      updated_ = entry == nullptr ? Updated{} : Updated{.revision = entry->revision, .value = entry->value};
      return std::optional<Transaction>();
    }
    updated_.value = std::move(**value);
    Guard unchanged{.key = key_};
    if (entry == nullptr) {
      unchanged.exists = false;
    } else {
      unchanged.revision = entry->revision;
    }
    Transaction transaction;
    transaction.guards.push_back(std::move(unchanged));
    transaction.then.push_back(put_operation(key_, updated_.value, options_));
    return transaction;
  }

  Result<Updated> finish(Result<std::optional<TransactionResult>>&& result) {
    if (!result) return std::unexpected(std::move(result.error()));
    if (*result) updated_.revision = (*result)->revision;
    return std::move(updated_);
  }

 private:
  std::string key_;
  UpdateFunction function_;
  PutOptions options_;
  Updated updated_;
};

}  // namespace

Result<Revision> Store::create(std::string_view key, const Value& value, const PutOptions& options) {
  auto done = revision_of(commit(create_transaction(key, value, options), write_options(options)));
  if (!done && done.error().code() == Errc::condition_failed) return fail(Errc::condition_failed, "the key exists");
  return done;
}

void AsyncStore::async_create(std::string_view key, const Value& value, const PutOptions& options,
                              Completion<Revision> done) {
  async_commit(create_transaction(key, value, options), write_options(options),
               [done = std::move(done)](Result<TransactionResult> result) mutable {
                 auto created = revision_of(std::move(result));
                 if (!created && created.error().code() == Errc::condition_failed) {
                   return done(fail(Errc::condition_failed, "the key exists"));
                 }
                 done(std::move(created));
               });
}

Result<Revision> Store::put_if(std::string_view key, const Value& value, const PutIfOptions& options) {
  return write_if(*this, put_operation(key, value, options), options);
}

void AsyncStore::async_put_if(std::string_view key, const Value& value, const PutIfOptions& options,
                              Completion<Revision> done) {
  async_write_if(*this, gate(), put_operation(key, value, options), options, std::move(done));
}

Result<Revision> Store::delete_if(std::string_view key, const DeleteIfOptions& options) {
  return write_if(*this, Operation::del(std::string(key)), options);
}

void AsyncStore::async_delete_if(std::string_view key, const DeleteIfOptions& options, Completion<Revision> done) {
  async_write_if(*this, gate(), Operation::del(std::string(key)), options, std::move(done));
}

Result<Updated> Store::update(std::string_view key, const UpdateFunction& function, const PutOptions& options) {
  Update update(key, function, options);
  return update.finish(
      calls::retry(*this, key, write_options(options), [&](const Entry* entry) { return update.decide(entry); }));
}

void AsyncStore::async_update(std::string_view key, const UpdateFunction& function, const PutOptions& options,
                              Completion<Updated> done) {
  auto update = std::make_shared<Update>(key, function, options);
  calls::retry_async(
      *this, gate(), key, write_options(options), [update](const Entry* entry) { return update->decide(entry); },
      [update, done = std::move(done)](Result<std::optional<TransactionResult>> result) mutable {
        done(update->finish(std::move(result)));
      });
}

}  // namespace concord
