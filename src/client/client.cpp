// The remote client: the public interface over the HTTP API. Queries stand in
// client_queries.cpp, the cluster in client_cluster.cpp.
#include <concord/client.hpp>

#include <limits>
#include <utility>

#include "client/client_impl.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "command/from_public.hpp"
#include "command/validate.hpp"

namespace concord {

using client::Answer;
using client::Request;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds closing_limit{4800};

/// How large a value may be, the node knows.
constexpr std::size_t any_size = std::numeric_limits<std::size_t>::max();

Result<void> check_put(std::string_view key, const Value& value, const PutOptions& options) {
  if (auto valid = command::validate_key(key); !valid) return valid;
  if (auto valid = command::validate_value(value.stored(), any_size); !valid) return valid;
  if (const auto ttl_s = command::put_ttl(options.ttl, options.keep_ttl); !ttl_s) {
    return std::unexpected(ttl_s.error());
  }
  return {};
}

Request put_request(std::string_view key, const Value& value, const PutOptions& options, const ClientOptions& client) {
  Request request = client::write_request({.timeout = options.timeout, .token = options.token}, client);
  client::set_put(request, key, value, options);
  return request;
}

Result<void> check_transaction(const Transaction& transaction) {
  const auto command = command::to_command(transaction);
  if (!command) return std::unexpected(command.error());
  return command::validate_transaction(*command, {.max_value_bytes = any_size});
}

Request transaction_request(const Transaction& transaction, const WriteOptions& options, const ClientOptions& client) {
  Request request = client::write_request(options, client);
  client::set_transaction(request, transaction);
  return request;
}

Result<BulkResult> bulk_of(Result<TransactionResult>&& result) {
  if (!result) return std::unexpected(std::move(result.error()));
  BulkResult bulk{.revision = result->revision, .changed = result->changed};
  bulk.results.reserve(result->results.size());
  for (const OperationResult& one : result->results) bulk.results.push_back(one.status);
  return bulk;
}

/// `make(item) -> Operation`.
template <class Items, class Make>
Transaction all_of(const Items& items, const Make& make) {
  Transaction transaction;
  transaction.then.reserve(items.size());
  for (const auto& item : items) transaction.then.push_back(make(item));
  return transaction;
}

Result<void> check_keys(const std::vector<std::string_view>& keys) {
  if (keys.empty()) return fail(Errc::invalid_request, "no key is given");
  if (keys.size() > Store::max_batch) {
    return fail(Errc::batch_too_large,
                std::to_string(keys.size()) + " keys, the limit is " + std::to_string(Store::max_batch));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const auto valid = command::validate_key(keys[i]); !valid) {
      return command::at_place("keys", i, valid.error());
    }
  }
  return {};
}

Result<void> check_options(const ClientOptions& options) {
  if (options.connections_per_endpoint == 0) {
    return fail(Errc::invalid_request, "connections_per_endpoint is 0; it must be at least 1");
  }
  if (options.max_in_flight == 0) return fail(Errc::invalid_request, "max_in_flight is 0; it must be at least 1");
  if (options.rounds == 0) return fail(Errc::invalid_request, "rounds is 0; it must be at least 1");
  if (options.connect_timeout <= milliseconds(0)) {
    return fail(Errc::invalid_request, "connect_timeout must be more than 0");
  }
  return {};
}

}  // namespace

Client::Impl::~Impl() {
  gate->close();
  core.close(closing_limit);
}

Result<Client> Client::connect(const std::vector<std::string>& endpoints, ClientOptions options) {
  if (auto valid = check_options(options); !valid) return std::unexpected(std::move(valid.error()));
  if (endpoints.empty()) return fail(Errc::invalid_request, "an endpoint is needed, like http://127.0.0.1:4000");
  std::vector<client::Endpoint> parsed;
  for (const std::string& url : endpoints) {
    auto endpoint = client::parse_endpoint(url);
    if (!endpoint) return std::unexpected(std::move(endpoint.error()));
    parsed.push_back(std::move(*endpoint));
  }
  auto transport = client::Transport::start(std::move(parsed), options);
  if (!transport) return std::unexpected(std::move(transport.error()));
  return Client(std::make_unique<Impl>(std::move(*transport), options));
}

Client::Client(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

// ---------------------------------------------------------------------------------------------------------------------
// One key.

Result<Revision> Client::put(std::string_view key, const Value& value, const PutOptions& options) {
  if (auto valid = check_put(key, value, options); !valid) return std::unexpected(std::move(valid.error()));
  return client::revision_of(impl_->core.wait(put_request(key, value, options, impl_->core.options())));
}

void Client::async_put(std::string_view key, const Value& value, const PutOptions& options, Completion<Revision> done) {
  if (auto valid = check_put(key, value, options); !valid) return done(std::unexpected(std::move(valid.error())));
  impl_->core.start(put_request(key, value, options, impl_->core.options()), client::revision_of, std::move(done));
}

Result<Revision> Client::del(std::string_view key, const WriteOptions& options) {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  Request request = client::write_request(options, impl_->core.options());
  client::set_delete(request, key);
  return client::revision_of(impl_->core.wait(std::move(request)));
}

Result<Revision> Client::touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options) {
  if (const auto ttl_s = command::touch_ttl(ttl); !ttl_s) return std::unexpected(ttl_s.error());
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  Request request = client::write_request(options, impl_->core.options());
  client::set_touch(request, key, ttl);
  return client::revision_of(impl_->core.wait(std::move(request)));
}

Result<Value> Client::get(std::string_view key, const ReadOptions& options) {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  Request request = client::read_request(options, impl_->core.options());
  client::set_get(request, key, false);
  return client::value_of(impl_->core.wait(std::move(request)));
}

Result<Entry> Client::get_entry(std::string_view key, const ReadOptions& options) {
  if (auto valid = command::validate_key(key); !valid) return std::unexpected(std::move(valid.error()));
  Request request = client::read_request(options, impl_->core.options());
  client::set_get(request, key, true);
  return client::entry_of(impl_->core.wait(std::move(request)));
}

// ---------------------------------------------------------------------------------------------------------------------
// Many keys.

Result<TransactionResult> Client::commit(const Transaction& transaction, const WriteOptions& options) {
  if (auto valid = check_transaction(transaction); !valid) return std::unexpected(std::move(valid.error()));
  return client::transaction_of(impl_->core.wait(transaction_request(transaction, options, impl_->core.options())));
}

void Client::async_commit(const Transaction& transaction, const WriteOptions& options,
                          Completion<TransactionResult> done) {
  if (auto valid = check_transaction(transaction); !valid) return done(std::unexpected(std::move(valid.error())));
  impl_->core.start(transaction_request(transaction, options, impl_->core.options()), client::transaction_of,
                    std::move(done));
}

Result<BulkResult> Client::put_many(const std::vector<PutItem>& items, const WriteOptions& options) {
  const auto put = [](const PutItem& item) {
    Operation operation = Operation::put(std::string(item.key), item.value, item.ttl);
    operation.compress = item.compress;
    return operation;
  };
  return bulk_of(commit(all_of(items, put), options));
}

Result<BulkResult> Client::delete_many(const std::vector<std::string_view>& keys, const WriteOptions& options) {
  return bulk_of(commit(all_of(keys, [](std::string_view key) { return Operation::del(std::string(key)); }), options));
}

Result<BulkResult> Client::touch_many(const std::vector<TouchItem>& items, const WriteOptions& options) {
  const auto touch = [](const TouchItem& item) { return Operation::touch(std::string(item.key), item.ttl); };
  return bulk_of(commit(all_of(items, touch), options));
}

Result<std::vector<std::optional<Value>>> Client::get_many(const std::vector<std::string_view>& keys,
                                                           const ReadOptions& options) {
  auto entries = get_entries(keys, options);
  if (!entries) return std::unexpected(std::move(entries.error()));
  std::vector<std::optional<Value>> values;
  values.reserve(entries->size());
  for (auto& entry : *entries) {
    values.push_back(entry ? std::optional(std::move(entry->value)) : std::nullopt);
  }
  return values;
}

Result<std::vector<std::optional<Entry>>> Client::get_entries(const std::vector<std::string_view>& keys,
                                                              const ReadOptions& options) {
  if (auto valid = check_keys(keys); !valid) return std::unexpected(std::move(valid.error()));
  Request request = client::read_request(options, impl_->core.options());
  client::set_get_many(request, keys);
  return client::entries_of(impl_->core.wait(std::move(request)), {keys.begin(), keys.end()});
}

void Client::async_get_entries(const std::vector<std::string>& keys, const ReadOptions& options,
                               Completion<std::vector<std::optional<Entry>>> done) {
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  if (auto valid = check_keys(views); !valid) return done(std::unexpected(std::move(valid.error())));
  Request request = client::read_request(options, impl_->core.options());
  client::set_get_many(request, views);
  const auto decode = [keys](Result<Answer>&& answer) { return client::entries_of(std::move(answer), keys); };
  impl_->core.start(std::move(request), decode, std::move(done));
}

// ---------------------------------------------------------------------------------------------------------------------

std::shared_ptr<calls::Gate> Client::gate() const { return impl_->gate; }

}  // namespace concord
