// For tests of recipes: a node in a temporary directory, and a store that loses answers.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <concord/concord.hpp>

namespace concord::recipes {

class WithNode : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() / ("concord_recipes_test." + std::to_string(::getpid()) + "." +
                                                           std::string(test->test_suite_name()) + "." + test->name());
    std::filesystem::remove_all(directory_);
    auto node = Node::open({.data_dir = directory_, .durability = Durability::memory});
    ASSERT_TRUE(node) << node.error().message();
    node_ = std::make_unique<Node>(std::move(*node));
  }
  void TearDown() override {
    node_.reset();
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] Node& node() { return *node_; }

  /// Runs `body(number)` on so many threads at once.
  template <class Body>
  static void on_threads(int count, const Body& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
    for (std::thread& thread : threads) thread.join();
  }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<Node> node_;
};

/// What becomes of a commit. All but `answered` end as `timeout` with `maybe_committed()`.
enum class Fate : std::uint8_t { answered, done_unanswered, never_done, done_late };

/// A store in front of another. `fate` is asked before each commit.
class LossyStore final : public Store {
 public:
  explicit LossyStore(Store& inner) : inner_(inner) {}

  std::function<Fate(const Transaction&)> fate = [](const Transaction&) { return Fate::answered; };

  /// Loses the answer of the next commit.
  void lose_next(Fate next) {
    fate = [this, next](const Transaction&) {
      fate = [](const Transaction&) { return Fate::answered; };
      return next;
    };
  }
  /// Commits now what was to be done late; tells how many of it went through.
  int deliver_late() {
    int succeeded = 0;
    for (const Transaction& transaction : std::exchange(late_, {})) {
      succeeded += inner_.commit(transaction).value().succeeded ? 1 : 0;
    }
    return succeeded;
  }

  Result<TransactionResult> commit(const Transaction& transaction, const WriteOptions& options) override {
    const auto lost = fail(Errc::timeout, "the answer was lost", true);
    switch (auto ask = fate; ask(transaction)) {
      case Fate::answered: return inner_.commit(transaction, options);
      case Fate::done_unanswered: (void)inner_.commit(transaction, options); return lost;
      case Fate::never_done: return lost;
      case Fate::done_late: late_.push_back(transaction); return lost;
    }
    return lost;
  }

  Result<BackupInfo> create_backup(const CreateBackupOptions& options) override {
    return inner_.create_backup(options);
  }
  Result<BackupList> list_backups(const BackupReadOptions& options) override { return inner_.list_backups(options); }
  Result<BackupVerdict> verify_backup(std::string_view backup, const BackupReadOptions& options) override {
    return inner_.verify_backup(backup, options);
  }
  Result<RestoredBackup> restore_backup(std::string_view backup, const RestoreBackupOptions& options) override {
    return inner_.restore_backup(backup, options);
  }
  Result<std::uint64_t> cleanup_backups(const CleanupBackupsOptions& options) override {
    return inner_.cleanup_backups(options);
  }
  Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options) override {
    return inner_.put(key, value, options);
  }
  Result<Revision> del(std::string_view key, const WriteOptions& options) override { return inner_.del(key, options); }
  Result<Revision> touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options) override {
    return inner_.touch(key, ttl, options);
  }
  Result<Value> get(std::string_view key, const ReadOptions& options) override { return inner_.get(key, options); }
  Result<Entry> get_entry(std::string_view key, const ReadOptions& options) override {
    return inner_.get_entry(key, options);
  }
  Result<BulkResult> put_many(const std::vector<PutItem>& items, const WriteOptions& options) override {
    return inner_.put_many(items, options);
  }
  Result<BulkResult> delete_many(const std::vector<std::string_view>& keys, const WriteOptions& options) override {
    return inner_.delete_many(keys, options);
  }
  Result<BulkResult> touch_many(const std::vector<TouchItem>& items, const WriteOptions& options) override {
    return inner_.touch_many(items, options);
  }
  Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string_view>& keys,
                                                     const ReadOptions& options) override {
    return inner_.get_many(keys, options);
  }
  Result<std::vector<std::optional<Entry>>> get_entries(const std::vector<std::string_view>& keys,
                                                        const ReadOptions& options) override {
    return inner_.get_entries(keys, options);
  }
  Result<std::uint64_t> count(const Query& query, const ReadOptions& options) override {
    return inner_.count(query, options);
  }
  Result<std::uint64_t> delete_where(const Query& query, const WriteOptions& options) override {
    return inner_.delete_where(query, options);
  }
  Result<Status> status() override { return inner_.status(); }
  Result<void> wait_ready(std::chrono::milliseconds timeout) override { return inner_.wait_ready(timeout); }
  Result<void> add_member(std::string_view name, std::string_view peer, const WriteOptions& options) override {
    return inner_.add_member(name, peer, options);
  }
  Result<void> remove_member(std::string_view name, const WriteOptions& options) override {
    return inner_.remove_member(name, options);
  }
  Result<void> promote(std::string_view name, const WriteOptions& options) override {
    return inner_.promote(name, options);
  }
  Result<void> transfer_leadership(std::string_view name, const WriteOptions& options) override {
    return inner_.transfer_leadership(name, options);
  }
  Result<void> trigger_snapshot(const WriteOptions& options) override { return inner_.trigger_snapshot(options); }
  Result<Subscription> subscribe(const SubscribeOptions& options) override { return inner_.subscribe(options); }
  Result<EventStats> event_stats() override { return inner_.event_stats(); }
  Result<CreatedToken> create_token(const NewToken& token, const WriteOptions& options) override {
    return inner_.create_token(token, options);
  }
  Result<std::vector<TokenInfo>> list_tokens(const ReadOptions& options) override {
    return inner_.list_tokens(options);
  }
  Result<void> revoke_token(std::string_view id, const WriteOptions& options) override {
    return inner_.revoke_token(id, options);
  }
  Result<void> revoke_secret(std::string_view secret, const WriteOptions& options) override {
    return inner_.revoke_secret(secret, options);
  }
  Result<void> set_access(const AccessRecord& record, const WriteOptions& options) override {
    return inner_.set_access(record, options);
  }
  Result<void> remove_access(AccessKind kind, std::string_view name, const WriteOptions& options) override {
    return inner_.remove_access(kind, name, options);
  }
  Result<std::vector<AccessRecord>> list_access(AccessKind kind, const ReadOptions& options) override {
    return inner_.list_access(kind, options);
  }

  void async_put(std::string_view key, const Value& value, const PutOptions& options,
                 Completion<Revision> done) override {
    inner_.async_put(key, value, options, std::move(done));
  }
  void async_commit(const Transaction& transaction, const WriteOptions& options,
                    Completion<TransactionResult> done) override {
    inner_.async_commit(transaction, options, std::move(done));
  }
  void async_get_entries(const std::vector<std::string>& keys, const ReadOptions& options,
                         Completion<std::vector<std::optional<Entry>>> done) override {
    inner_.async_get_entries(keys, options, std::move(done));
  }
  void async_keys(const Query& query, const ReadOptions& options, Completion<Rows<std::string>> done) override {
    inner_.async_keys(query, options, std::move(done));
  }
  void async_where(const Query& query, const ReadOptions& options, Completion<Rows<Item>> done) override {
    inner_.async_where(query, options, std::move(done));
  }
  void async_count(const Query& query, const ReadOptions& options, Completion<std::uint64_t> done) override {
    inner_.async_count(query, options, std::move(done));
  }
  void async_delete_where(const Query& query, const WriteOptions& options, Completion<std::uint64_t> done) override {
    inner_.async_delete_where(query, options, std::move(done));
  }

 private:
  Result<void> visit_matches(const Query& query, bool /*with_entries*/, const ReadOptions& options,
                             const VisitItems& visit) override {
    auto items = inner_.where(query, options);
    if (!items) return std::unexpected(std::move(items.error()));
    for (Item& item : *items) {
      std::vector<Item> one;
      one.push_back(std::move(item));
      const auto more = visit(one);
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
    }
    return {};
  }
  Result<Page<Item>> page(const Query& query, bool /*with_entries*/, const PageOptions& page,
                          const ReadOptions& options) override {
    return inner_.where_page(query, page, options);
  }

  Store& inner_;
  std::vector<Transaction> late_;
};

}  // namespace concord::recipes
