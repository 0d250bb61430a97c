// For tests: a store over a directory of its own, and every call in its three forms, so that one fact is asked of all of them.
//
// The tests of `TestedStore`s are part of two programs: database_test, where the store is a node (testing_node.cpp), and
// client_store_test, where it is a client of a server over one (tests/client). What holds of a node alone says so there:
// `is_remote`.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <coroutine>
#include <exception>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <concord/concord.hpp>

namespace concord::database {

/// "OK", or the name of the error.
template <class T>
std::string outcome(const Result<T>& result) {
  return result ? "OK" : std::string(error_name(result.error().code()));
}

template <class T>
std::string message(const Result<T>& result) {
  return result ? "" : result.error().message();
}

inline Value json(std::string_view text) {
  auto value = Value::parse_json(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Value();
}

/// A directory that is there as long as the test.
class StoreDirectory {
 public:
  StoreDirectory() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(test->test_suite_name()) + "." + test->name();
    std::ranges::replace(name, '/', '.');
    path_ = std::filesystem::temp_directory_path() / ("concord_test." + std::to_string(::getpid()) + "." + name);
    std::filesystem::remove_all(path_);
  }
  StoreDirectory(const StoreDirectory&) = delete;
  StoreDirectory& operator=(const StoreDirectory&) = delete;
  ~StoreDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] Options options() const {
    Options options;
    options.data_dir = path_;
    options.durability = Durability::memory;
    options.backup.dir = path_ / "backups";
    return options;
  }
  [[nodiscard]] Node open() const { return open(options()); }
  [[nodiscard]] static Node open(Options options) {
    auto node = Node::open(std::move(options));
    EXPECT_TRUE(node) << message(node);
    return std::move(node.value());
  }

 private:
  std::filesystem::path path_;
};

/// The store that is tested, over a directory.
class TestedStore {
 public:
  TestedStore() = default;
  TestedStore(const TestedStore&) = delete;
  TestedStore& operator=(const TestedStore&) = delete;
  virtual ~TestedStore() = default;
  [[nodiscard]] virtual Store& store() = 0;
};

[[nodiscard]] std::unique_ptr<TestedStore> open_tested(Options options);
/// Whether it is a client.
[[nodiscard]] bool is_remote();

/// Waits for the outcome of what `start` begins with a completion.
template <class T, class Start>
Result<T> completed(Start start) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  start(Completion<T>([promise](Result<T> outcome) { promise->set_value(std::move(outcome)); }));
  return future.get();
}

/// A coroutine nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

template <class T, class Make>
Detached await_into(Make make, std::shared_ptr<std::promise<Result<T>>> promise) {
  promise->set_value(co_await make());
}

/// Waits for the outcome of what `make` gives to `co_await`.
template <class T, class Make>
Result<T> awaited(Make make) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  auto future = promise->get_future();
  await_into<T>(std::move(make), std::move(promise));
  return future.get();
}

/// How a call is made.
enum class Form : std::uint8_t { plain, completion, awaited };

inline std::string form_name(const testing::TestParamInfo<Form>& form) {
  return form.param == Form::plain ? "Plain" : form.param == Form::completion ? "Completion" : "Awaited";
}

/// The calls of a store, each in the form that was chosen.
class Calls {
 public:
  Calls(Store& store, Form form) : store_(store), form_(form) {}

  Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options = {}) const {
    return make<Revision>([&] { return store_.put(key, value, options); },
                          [&](auto done) { store_.async_put(key, value, options, std::move(done)); },
                          [&] { return store_.async_put(key, value, options); });
  }
  Result<Revision> create(std::string_view key, const Value& value, const PutOptions& options = {}) const {
    return make<Revision>([&] { return store_.create(key, value, options); },
                          [&](auto done) { store_.async_create(key, value, options, std::move(done)); },
                          [&] { return store_.async_create(key, value, options); });
  }
  Result<Updated> update(std::string_view key, const UpdateFunction& function, const PutOptions& options = {}) const {
    return make<Updated>([&] { return store_.update(key, function, options); },
                         [&](auto done) { store_.async_update(key, function, options, std::move(done)); },
                         [&] { return store_.async_update(key, function, options); });
  }
  Result<Revision> del(std::string_view key, const WriteOptions& options = {}) const {
    return make<Revision>([&] { return store_.del(key, options); },
                          [&](auto done) { store_.async_del(key, options, std::move(done)); },
                          [&] { return store_.async_del(key, options); });
  }
  Result<Revision> touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options = {}) const {
    return make<Revision>([&] { return store_.touch(key, ttl, options); },
                          [&](auto done) { store_.async_touch(key, ttl, options, std::move(done)); },
                          [&] { return store_.async_touch(key, ttl, options); });
  }
  Result<Value> get(std::string_view key, const ReadOptions& options = {}) const {
    return make<Value>([&] { return store_.get(key, options); },
                       [&](auto done) { store_.async_get(key, options, std::move(done)); },
                       [&] { return store_.async_get(key, options); });
  }
  Result<Entry> get_entry(std::string_view key, const ReadOptions& options = {}) const {
    return make<Entry>([&] { return store_.get_entry(key, options); },
                       [&](auto done) { store_.async_get_entry(key, options, std::move(done)); },
                       [&] { return store_.async_get_entry(key, options); });
  }
  Result<Revision> put_if(std::string_view key, const Value& value, const PutIfOptions& options) const {
    return make<Revision>([&] { return store_.put_if(key, value, options); },
                          [&](auto done) { store_.async_put_if(key, value, options, std::move(done)); },
                          [&] { return store_.async_put_if(key, value, options); });
  }
  Result<Revision> delete_if(std::string_view key, const DeleteIfOptions& options) const {
    return make<Revision>([&] { return store_.delete_if(key, options); },
                          [&](auto done) { store_.async_delete_if(key, options, std::move(done)); },
                          [&] { return store_.async_delete_if(key, options); });
  }
  Result<TransactionResult> commit(const Transaction& transaction, const WriteOptions& options = {}) const {
    return make<TransactionResult>([&] { return store_.commit(transaction, options); },
                                   [&](auto done) { store_.async_commit(transaction, options, std::move(done)); },
                                   [&] { return store_.async_commit(transaction, options); });
  }
  Result<BulkResult> put_many(const std::vector<PutItem>& items, const WriteOptions& options = {}) const {
    return make<BulkResult>([&] { return store_.put_many(items, options); },
                            [&](auto done) { store_.async_put_many(items, options, std::move(done)); },
                            [&] { return store_.async_put_many(items, options); });
  }
  Result<BulkResult> delete_many(const std::vector<std::string>& keys, const WriteOptions& options = {}) const {
    return make<BulkResult>([&] { return store_.delete_many(views(keys), options); },
                            [&](auto done) { store_.async_delete_many(keys, options, std::move(done)); },
                            [&] { return store_.async_delete_many(keys, options); });
  }
  Result<BulkResult> touch_many(const std::vector<TouchItem>& items, const WriteOptions& options = {}) const {
    return make<BulkResult>([&] { return store_.touch_many(items, options); },
                            [&](auto done) { store_.async_touch_many(items, options, std::move(done)); },
                            [&] { return store_.async_touch_many(items, options); });
  }
  Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string>& keys,
                                                     const ReadOptions& options = {}) const {
    return make<std::vector<std::optional<Value>>>(
        [&] { return store_.get_many(views(keys), options); },
        [&](auto done) { store_.async_get_many(keys, options, std::move(done)); },
        [&] { return store_.async_get_many(keys, options); });
  }
  Result<Rows<std::string>> keys(const Query& query, const ReadOptions& options = {}) const {
    return make<Rows<std::string>>([&] { return store_.keys(query, options); },
                                   [&](auto done) { store_.async_keys(query, options, std::move(done)); },
                                   [&] { return store_.async_keys(query, options); });
  }
  Result<Rows<Item>> where(const Query& query, const ReadOptions& options = {}) const {
    return make<Rows<Item>>([&] { return store_.where(query, options); },
                            [&](auto done) { store_.async_where(query, options, std::move(done)); },
                            [&] { return store_.async_where(query, options); });
  }
  Result<std::uint64_t> count(const Query& query, const ReadOptions& options = {}) const {
    return make<std::uint64_t>([&] { return store_.count(query, options); },
                               [&](auto done) { store_.async_count(query, options, std::move(done)); },
                               [&] { return store_.async_count(query, options); });
  }
  Result<std::uint64_t> delete_where(const Query& query, const WriteOptions& options = {}) const {
    return make<std::uint64_t>([&] { return store_.delete_where(query, options); },
                               [&](auto done) { store_.async_delete_where(query, options, std::move(done)); },
                               [&] { return store_.async_delete_where(query, options); });
  }

 private:
  template <class T, class Plain, class Start, class Make>
  Result<T> make(Plain plain, Start start, Make make) const {
    if (form_ == Form::plain) return plain();
    if (form_ == Form::completion) return completed<T>(std::move(start));
    return awaited<T>(std::move(make));
  }
  static std::vector<std::string_view> views(const std::vector<std::string>& keys) {
    return {keys.begin(), keys.end()};
  }

  Store& store_;
  Form form_;
};

/// A test that is run once with each form of the calls.
class FormTest : public testing::TestWithParam<Form> {
 protected:
  StoreDirectory directory_;
  std::unique_ptr<TestedStore> tested_ = open_tested(directory_.options());
  Store& node_ = tested_->store();
  Calls calls_{node_, GetParam()};
};

}  // namespace concord::database
