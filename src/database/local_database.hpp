// A database whose replica runs in this process: validation, encoding and reading over room node.
//
// Thread rule: any call from any thread; `open` and the destructor once.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "database/database.hpp"
#include "node/runtime.hpp"

namespace concord::database {

class LocalDatabase final : public Database {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LocalDatabase>> open_local(Options options);
  explicit LocalDatabase(std::unique_ptr<node::Runtime> runtime) : runtime_(std::move(runtime)) {}

  void submit(const command::Transaction& transaction, std::chrono::milliseconds timeout,
              Completion<command::Outcome> done) override;
  [[nodiscard]] Result<Entry> read(std::string_view key, ReadConsistency consistency,
                                   std::chrono::milliseconds timeout) override;
  [[nodiscard]] Result<Status> status() override { return runtime_->status(); }
  [[nodiscard]] std::vector<ReadyCheck> ready() override;
  [[nodiscard]] std::optional<Error> failure() override { return runtime_->failure(); }
  [[nodiscard]] const Options& options() const noexcept override { return runtime_->options(); }
  void close(std::chrono::milliseconds limit) override { runtime_->close(limit); }

  // --- the embedded doors: the same without a change of thread ---------------------------------------------------------

  [[nodiscard]] Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options);
  void async_put(std::string_view key, const Value& value, const PutOptions& options, Completion<Revision> done);
  [[nodiscard]] Result<command::Outcome> remove(std::string_view key, std::chrono::milliseconds timeout);
  [[nodiscard]] Result<command::Outcome> commit(const command::Transaction& transaction,
                                                std::chrono::milliseconds timeout);
  [[nodiscard]] Result<Value> get(std::string_view key, const ReadOptions& options) const;
  [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string_view>& keys,
                                                                   const ReadOptions& options) const;

 private:
  [[nodiscard]] Result<node::Write> checked_put(std::string_view key, const Value& value,
                                                const PutOptions& options) const;

  std::unique_ptr<node::Runtime> runtime_;
};

}  // namespace concord::database
