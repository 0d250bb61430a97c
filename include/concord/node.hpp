// A node inside this process.
//
//     auto node = concord::Node::open({.data_dir = "/var/lib/myapp/concord"});
//     if (!node) { std::cerr << node.error().message(); return 1; }
//     node->put("greeting", "Hello");
//
// A guest in its host: a node opens no port but, as a member of a cluster, its peer port; it prints nothing, installs no signal
// handler and never ends the process. Many nodes may live in one process, each with its own data directory.
//
// A member of a cluster (`Options::cluster`, with a cookie) takes every call; one that follows passes on what only the leader may
// do. It goes on by itself to find the others: `wait_ready` waits until it has.
//
//     auto node = concord::Node::open({.name = "n1", .data_dir = dir, .cluster = {.cookie = secret, .peer_port = 9101}});
//     if (auto ready = node->wait_ready(); !ready) { std::cerr << ready.error().message(); return 1; }
//
// Closing: the destructor finishes the writes in flight, runs their completions, writes what mode `memory` still holds, and
// blocks at most 5 s. Calls made after that are undefined; calls still running in other threads must have returned. With an
// executor it waits until completions were handed over, not until they ran. A node is not moved while asynchronous calls run.
#pragma once

#include <memory>
#include <string>

#include <concord/export.hpp>
#include <concord/store.hpp>
#include <concord/telemetry.hpp>
#include <concord/tracing.hpp>

namespace concord {

class CONCORD_API Node final : public Store {
 public:
  /// Opens the data directory, recovers what it holds and starts. Returns when a node that is alone can serve; a member of a
  /// cluster may still have to find the others (`wait_ready`).
  /// Errors: invalid_request (an option, or a directory that is not Concord's; nothing in it is touched),
  /// storage_failed (damage, named by file and offset; or an I/O error), cluster_not_ready (another process has it open).
  [[nodiscard]] static Result<Node> open(Options options);

  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() override;

  using Store::async_commit;
  using Store::async_count;
  using Store::async_delete_where;
  using Store::async_keys;
  using Store::async_put;
  using Store::async_where;
  using Store::get;

  Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options = {}) override;
  Result<Revision> del(std::string_view key, const WriteOptions& options = {}) override;
  Result<Revision> touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options = {}) override;
  Result<Value> get(std::string_view key, const ReadOptions& options = {}) override;
  Result<Entry> get_entry(std::string_view key, const ReadOptions& options = {}) override;
  Result<TransactionResult> commit(const Transaction& transaction, const WriteOptions& options = {}) override;
  Result<BulkResult> put_many(const std::vector<PutItem>& items, const WriteOptions& options = {}) override;
  Result<BulkResult> delete_many(const std::vector<std::string_view>& keys, const WriteOptions& options = {}) override;
  Result<BulkResult> touch_many(const std::vector<TouchItem>& items, const WriteOptions& options = {}) override;
  Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string_view>& keys,
                                                     const ReadOptions& options = {}) override;
  Result<std::vector<std::optional<Entry>>> get_entries(const std::vector<std::string_view>& keys,
                                                        const ReadOptions& options = {}) override;
  Result<std::uint64_t> count(const Query& query = {}, const ReadOptions& options = {}) override;
  Result<std::uint64_t> delete_where(const Query& query, const WriteOptions& options = {}) override;
  Result<Subscription> subscribe(const SubscribeOptions& options = {}) override;
  Result<EventStats> event_stats() override;
  Result<Status> status() override;
  Result<void> wait_ready(std::chrono::milliseconds timeout = std::chrono::seconds(30)) override;
  Result<void> add_member(std::string_view name, std::string_view peer, const WriteOptions& options = {}) override;
  Result<void> remove_member(std::string_view name, const WriteOptions& options = {}) override;
  Result<void> promote(std::string_view name, const WriteOptions& options = {}) override;
  Result<void> transfer_leadership(std::string_view name = {}, const WriteOptions& options = {}) override;
  Result<void> trigger_snapshot(const WriteOptions& options = {}) override;
  Result<CreatedToken> create_token(const NewToken& token, const WriteOptions& options = {}) override;
  Result<std::vector<TokenInfo>> list_tokens(const ReadOptions& options = {}) override;
  Result<void> revoke_token(std::string_view id, const WriteOptions& options = {}) override;
  Result<void> revoke_secret(std::string_view secret, const WriteOptions& options = {}) override;
  Result<void> set_access(const AccessRecord& record, const WriteOptions& options = {}) override;
  Result<void> remove_access(AccessKind kind, std::string_view name, const WriteOptions& options = {}) override;
  Result<std::vector<AccessRecord>> list_access(AccessKind kind, const ReadOptions& options = {}) override;
  Result<std::vector<AuditEntry>> query_audit(const AuditQuery& query, const ReadOptions& options = {}) override;
  Result<void> export_audit(const AuditQuery& query, const std::function<bool(std::string_view)>& visit,
                            const ReadOptions& options = {}) override;
  Result<void> log_audit(const NewAuditEntry& entry, const WriteOptions& options = {}) override;
  Result<void> rotate_audit(const WriteOptions& options = {}) override;
  Result<std::uint64_t> cleanup_audit(const WriteOptions& options = {}) override;
  Result<AuditStats> audit_stats(const ReadOptions& options = {}) override;
  Result<AuditVerification> verify_audit(const ReadOptions& options = {}) override;
  Result<BackupInfo> create_backup(const CreateBackupOptions& options = {}) override;
  Result<BackupList> list_backups(const BackupReadOptions& options = {}) override;
  Result<BackupVerdict> verify_backup(std::string_view backup, const BackupReadOptions& options = {}) override;
  Result<RestoredBackup> restore_backup(std::string_view backup, const RestoreBackupOptions& options = {}) override;
  Result<std::uint64_t> cleanup_backups(const CleanupBackupsOptions& options = {}) override;

  void async_put(std::string_view key, const Value& value, const PutOptions& options,
                 Completion<Revision> done) override;
  void async_commit(const Transaction& transaction, const WriteOptions& options,
                    Completion<TransactionResult> done) override;
  void async_get_entries(const std::vector<std::string>& keys, const ReadOptions& options,
                         Completion<std::vector<std::optional<Entry>>> done) override;
  void async_keys(const Query& query, const ReadOptions& options, Completion<Rows<std::string>> done) override;
  void async_where(const Query& query, const ReadOptions& options, Completion<Rows<Item>> done) override;
  void async_count(const Query& query, const ReadOptions& options, Completion<std::uint64_t> done) override;
  void async_delete_where(const Query& query, const WriteOptions& options, Completion<std::uint64_t> done) override;

  /// The page of metrics for Prometheus (concord/observability.hpp); empty unless `Options::metrics` is on.
  [[nodiscard]] std::string metrics() const;

  /// Lives as long as the node; as the next.
  [[nodiscard]] Telemetry& telemetry() noexcept;
  [[nodiscard]] Tracing& tracing() noexcept;

  /// Compresses with this node's settings.
  [[nodiscard]] const Compression& compression() const noexcept;

 private:
  Result<void> visit_matches(const Query& query, bool with_entries, const ReadOptions& options,
                             const VisitItems& visit) override;
  Result<Page<Item>> page(const Query& query, bool with_entries, const PageOptions& page,
                          const ReadOptions& options) override;
  [[nodiscard]] std::shared_ptr<calls::Gate> gate() const override;

  class Impl;
  explicit Node(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concord
