// A store on other machines: the calls of `Store` over the HTTP API of its nodes.
//
//     auto client = concord::Client::connect({"http://10.0.0.1:4000", "http://10.0.0.2:4000"}, {.token = secret});
//     if (!client) { std::cerr << client.error().message(); return 1; }
//     client->put("greeting", "Hello");
//
// Any node takes any call, so one endpoint is enough; with several the calls go on when one fails. Connections are kept and
// shared by all threads. `eventual` reads go round the endpoints, everything else goes to one of them until that fails.
//
// What is tried again, within the call's timeout: a read, on any failure to reach a node or to get its answer; a write, when it
// certainly was not executed (nobody took the connection, it was not sent as a whole, the node said 429 or 503), or when
// `ClientOptions::repeat_unknown_writes` lets the node recognise it. A write whose answer was lost for good ends with `timeout`
// and `maybe_committed()`.
//
// What differs from a `Node`, because it is another process that answers:
//
//   - Rows beyond a page (1000 rows, or 8 MiB of values) are of a later moment than those before; `count`, `get_entries` and
//     each page are one cut. C++ predicates run here, over all that the rest of the query matches.
//   - Prefix, suffix and so on of a `Query` must be UTF-8; keys may be any bytes everywhere.
//   - A timeout is counted to the hour, by both sides: a node that has accepted a write may still say what became of it.
//
// A subscription stays open while nodes come and go: when a stream breaks, the next endpoint goes on behind the last event that came,
// without loss or repeat. It ends with `compacted` when no endpoint has any more what comes behind that.
//
// Closing: the destructor ends subscriptions and waits for the calls in flight and their completions, at most 5 s; what is not answered then ends as at
// its deadline. With an executor it waits until completions were handed over, not until they ran. A client prints nothing, keeps
// no global state, and has two threads of its own: one for its connections, one for completions (so a completion may make calls
// that wait).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <concord/export.hpp>
#include <concord/store.hpp>

namespace concord {

struct ClientOptions {
  std::string token = {};  ///< Of calls that bring none.
  /// Of reads that say none. None: the node's `read.default_consistency`.
  std::optional<ReadConsistency> default_consistency = {};
  std::chrono::milliseconds connect_timeout{2000};  ///< For one connection, TLS included.
  std::chrono::milliseconds idle_timeout{60'000};   ///< A connection unused for longer is not used again.
  std::size_t connections_per_endpoint = 16;        ///< Calls beyond wait for one; at least 1.
  std::size_t max_in_flight = 65'536;               ///< Calls begun and not ended; above: `overloaded`.
  std::size_t rounds = 5;  ///< How often each endpoint is tried for one call, with a short pause between; at least 1.
  /// Writes carry an `Idempotency-Key`, and one whose answer was lost is sent again: the nodes do it once. It costs them the memory
  /// of each answer for 10 minutes, some 300 bytes, so it is for writes that are few and matter.
  bool repeat_unknown_writes = false;
  std::string cacert = {};          ///< https: a file of certificates to trust (PEM). Empty: those of the system.
  bool verify_certificates = true;  ///< https: false trusts anybody; for tests.
  std::string cert = {};            ///< https: this client's certificate (PEM), for nodes with `api.tls_client_ca` ...
  std::string key = {};             ///< ... and its private key (PEM); both or none.
  /// Runs the completions of asynchronous calls. It must run each task once, and may run it on any thread, later.
  /// None: a thread of the client's.
  std::function<void(std::move_only_function<void()>)> executor = {};
};

class CONCORD_API Client final : public Store {
 public:
  /// Endpoints are URLs: `http://host:port`, `https://host:port`; without a scheme http, without a port 4000. No connection is
  /// made before the first call, so nobody needs to be there yet. Errors: invalid_request (no endpoint, a bad one, a bad option).
  [[nodiscard]] static Result<Client> connect(const std::vector<std::string>& endpoints, ClientOptions options = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() override;

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

 private:
  Result<void> visit_matches(const Query& query, bool with_entries, const ReadOptions& options,
                             const VisitItems& visit) override;
  Result<Page<Item>> page(const Query& query, bool with_entries, const PageOptions& page,
                          const ReadOptions& options) override;
  [[nodiscard]] std::shared_ptr<calls::Gate> gate() const override;

  class Impl;
  explicit Client(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concord
