// A database whose replica runs in this process: validation, packing, encoding and reading over room node.
//
// Values are packed here, before they are written to the log, and unpacked here, after they were read; nobody above sees it.
//
// Thread rule: any call from any thread; `open` and the destructor once.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/query.hpp>

#include "command/selector.hpp"
#include "compress/packed.hpp"
#include "compress/packer.hpp"
#include "database/database.hpp"
#include "database/matches.hpp"
#include "node/runtime.hpp"

namespace concord::database {

class LocalDatabase final : public Database {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LocalDatabase>> open_local(Options options);
  explicit LocalDatabase(std::unique_ptr<node::Runtime> runtime)
      : runtime_(std::move(runtime)), packer_(runtime_->options().compression) {}

  using Database::submit;
  void submit(const command::Transaction& transaction, const command::Once* once, std::chrono::milliseconds timeout,
              Completion<command::Outcome> done) override;
  [[nodiscard]] Result<Entry> read(std::string_view key, ReadConsistency consistency,
                                   std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool is_readable(ReadConsistency consistency) const noexcept override {
    return runtime_->may_read_now(consistency);
  }
  void when_readable(ReadConsistency consistency, std::chrono::milliseconds timeout,
                     std::move_only_function<void(Result<void>)> done) override {
    runtime_->when_readable(consistency, timeout, std::move(done));
  }
  void change_members(MemberChange change, std::string name, std::string peer, std::chrono::milliseconds timeout,
                      std::move_only_function<void(Result<void>)> done) override;
  void trigger_snapshot() override { runtime_->request_snapshot(); }
  void hand_over(std::chrono::milliseconds limit) override { runtime_->hand_over(limit); }
  void announce_api(const std::string& url) override { runtime_->announce_api(url); }
  [[nodiscard]] std::string peer_address() const override { return runtime_->peer_address(); }
  [[nodiscard]] bool is_removed() const noexcept override { return runtime_->is_removed(); }
  [[nodiscard]] Result<Status> status() override { return runtime_->status(); }
  [[nodiscard]] std::vector<ReadyCheck> ready() override;
  [[nodiscard]] std::optional<Error> failure() override { return runtime_->failure(); }
  [[nodiscard]] const Options& options() const noexcept override { return runtime_->options(); }
  void close(std::chrono::milliseconds limit) override { runtime_->close(limit); }

  // --- the embedded doors: the same without a change of thread ---------------------------------------------------------

  [[nodiscard]] Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options);
  void async_put(std::string_view key, const Value& value, const PutOptions& options, Completion<Revision> done);
  /// Kinds remove and touch.
  [[nodiscard]] Result<command::Outcome> write(const node::Write& write, std::chrono::milliseconds timeout);
  [[nodiscard]] Result<command::Outcome> commit(const command::Transaction& transaction,
                                                std::chrono::milliseconds timeout);
  [[nodiscard]] Result<Value> get(std::string_view key, const ReadOptions& options) const;
  [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string_view>& keys,
                                                                   const ReadOptions& options) const;
  [[nodiscard]] Result<std::vector<std::optional<Entry>>> get_entries(const std::vector<std::string_view>& keys,
                                                                      const ReadOptions& options) const override;

  // --- queries (queries.cpp); concord/store.hpp says what each means ---------------------------------------------------

  using VisitItems = std::function<Result<bool>(std::vector<Item>&)>;
  [[nodiscard]] Result<void> visit_matches(const Query& query, bool with_entries, const ReadOptions& options,
                                           const VisitItems& visit) const;
  [[nodiscard]] Result<std::unique_ptr<Search>> search(const Query& query, SearchFor what, const PageOptions& page,
                                                       const ReadOptions& options) const override;
  [[nodiscard]] Result<Page<Item>> page(const Query& query, bool with_entries, const PageOptions& page,
                                        const ReadOptions& options) const;
  [[nodiscard]] Result<std::uint64_t> count(const Query& query, const ReadOptions& options) const;
  /// Precondition: no C++ predicate (room calls has that).
  [[nodiscard]] Result<std::uint64_t> delete_where(const Query& query, const WriteOptions& options);
  /// Those that run end soon, with cluster_not_ready.
  void stop_queries() noexcept { queries_stopped_.store(true, std::memory_order_relaxed); }

 private:
  /// Where packed values live until they are encoded.
  struct Packed {
    command::Transaction transaction;
    std::deque<std::string> values;
  };

  [[nodiscard]] Result<node::Write> checked_put(std::string_view key, const Value& value, const PutOptions& options,
                                                std::string& packed) const;
  [[nodiscard]] const command::Transaction& pack(const command::Transaction& transaction, Packed& packed) const;
  [[nodiscard]] Result<void> unpack(Value& value) const;
  [[nodiscard]] Result<void> check_readable(const ReadOptions& options) const;
  [[nodiscard]] Result<void> check_keys(const std::vector<std::string_view>& keys) const;
  [[nodiscard]] QueryEnd end_of(std::chrono::milliseconds timeout) const;

  std::unique_ptr<node::Runtime> runtime_;
  compress::Packer packer_;
  /// Shared with what may still be to unpack when this has gone.
  std::shared_ptr<const compress::Unpacker> unpacker_ = std::make_shared<const compress::Unpacker>();
  std::atomic<bool> queries_stopped_{false};
};

}  // namespace concord::database
