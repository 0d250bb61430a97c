// The calls on a store. `Node` (embedded) and `Client` (over HTTP) implement them.
//
// Keys are 1 to 1024 bytes, any bytes. Every write is a transaction: it happens as a whole, at one revision, or not at all.
// A call that returns an error with `maybe_committed() == false` changed nothing.
//
// Example:
//
//     store.put("flags/dark_mode", true);
//     store.put("session/17", Session{...}, {.ttl = 30min});
//     concord::Result<bool> on = store.get<bool>("flags/dark_mode");
//     store.update("hits", [](std::optional<int> hits) { return hits.value_or(0) + 1; });
//
// Errors that every call may return are not repeated beside it: invalid_key, invalid_request, cluster_not_ready, timeout,
// unauthorized, forbidden; writes also overloaded, storage_full, storage_failed, value_too_large, and of many keys
// batch_too_large. A batch with one bad operation is refused as a whole.
//
// Thread rule: every call may be made from any thread, at any time, also from inside a completion.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/async_store.hpp>
#include <concord/audit_log.hpp>
#include <concord/auth.hpp>
#include <concord/backup.hpp>
#include <concord/conditional.hpp>
#include <concord/entry.hpp>
#include <concord/error.hpp>
#include <concord/events.hpp>
#include <concord/export.hpp>
#include <concord/options.hpp>
#include <concord/query.hpp>
#include <concord/revision.hpp>
#include <concord/status.hpp>
#include <concord/transaction.hpp>
#include <concord/update_function.hpp>
#include <concord/value.hpp>

namespace concord {

class CONCORD_API Store : public AsyncStore {
 public:
  /// The most operations in one call; above: `batch_too_large`.
  static constexpr std::size_t max_batch = 500;

  // --- one key ---------------------------------------------------------------------------------------------------------

  /// Stores `value` under `key`, whether or not the key exists. Without a ttl an earlier ttl is removed.
  /// Errors: invalid_request for a ttl below 1 s or a value without a JSON form.
  virtual Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options = {}) = 0;

  /// Stores only when the key does not exist. Errors: condition_failed when it exists.
  Result<Revision> create(std::string_view key, const Value& value, const PutOptions& options = {});

  /// Reads, changes and writes back, guarded by the revision that was read; again until nobody came between. A ttl the key
  /// has goes on, unless the options set one. concord/update_function.hpp tells what `function` may be.
  /// Errors: not_found when the key is missing and `function` takes no missing one; what `function` returns.
  Result<Updated> update(std::string_view key, const UpdateFunction& function, const PutOptions& options = {});

  /// Removes a key. Errors: not_found.
  virtual Result<Revision> del(std::string_view key, const WriteOptions& options = {}) = 0;

  /// Sets the remaining time of a key and keeps its value. Errors: not_found.
  virtual Result<Revision> touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options = {}) = 0;

  /// The value of a key. Errors: not_found.
  virtual Result<Value> get(std::string_view key, const ReadOptions& options = {}) = 0;

  /// The value of a key as a C++ type. Errors: not_found, invalid_request for a value of another type.
  template <class T>
  CONCORD_LOCAL Result<T> get(std::string_view key, const ReadOptions& options = {}) {
    auto value = get(key, options);
    if (!value) return std::unexpected(std::move(value.error()));
    return value->template as<T>();
  }

  /// The value with its revisions and remaining time. Errors: not_found.
  virtual Result<Entry> get_entry(std::string_view key, const ReadOptions& options = {}) = 0;

  /// The value and its remaining time. Errors: those of `get`.
  Result<WithTtl<Value>> get_with_ttl(std::string_view key, const ReadOptions& options = {});
  template <class T>
  CONCORD_LOCAL Result<WithTtl<T>> get_with_ttl(std::string_view key, const ReadOptions& options = {}) {
    auto found = get_with_ttl(key, options);
    if (!found) return std::unexpected(std::move(found.error()));
    auto value = found->value.template as<T>();
    if (!value) return std::unexpected(std::move(value.error()));
    return WithTtl<T>{std::move(*value), found->ttl};
  }

  /// The remaining time of a key, rounded up; none: it does not expire. Errors: not_found.
  Result<std::optional<std::chrono::seconds>> ttl(std::string_view key, const ReadOptions& options = {});

  // --- conditions ------------------------------------------------------------------------------------------------------

  /// Stores `value` when the condition holds (concord/conditional.hpp).
  /// Errors: condition_failed; not_found when the key is missing or has expired; missing_condition, conflicting_conditions.
  Result<Revision> put_if(std::string_view key, const Value& value, const PutIfOptions& options);

  /// Removes a key when the condition holds. Errors: those of `put_if`.
  Result<Revision> delete_if(std::string_view key, const DeleteIfOptions& options);

  /// Commits a transaction (concord/transaction.hpp). That guards did not hold is not an error: see `succeeded`.
  virtual Result<TransactionResult> commit(const Transaction& transaction, const WriteOptions& options = {}) = 0;

  // --- many keys: atomic, up to 500 ------------------------------------------------------------------------------------

  /// Stores items at one revision, in order; of a key given twice the last wins.
  virtual Result<BulkResult> put_many(const std::vector<PutItem>& items, const WriteOptions& options = {}) = 0;

  /// Removes keys at one revision; a missing one is the result `not_found` at its place.
  virtual Result<BulkResult> delete_many(const std::vector<std::string_view>& keys,
                                         const WriteOptions& options = {}) = 0;

  /// Sets remaining times at one revision; a missing key is the result `not_found` at its place.
  virtual Result<BulkResult> touch_many(const std::vector<TouchItem>& items, const WriteOptions& options = {}) = 0;

  /// One consistent cut over the keys, in order; none for a key that does not exist.
  virtual Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string_view>& keys,
                                                             const ReadOptions& options = {}) = 0;

  /// The same with everything known about each key.
  virtual Result<std::vector<std::optional<Entry>>> get_entries(const std::vector<std::string_view>& keys,
                                                                const ReadOptions& options = {}) = 0;

  // --- queries (concord/query.hpp): one consistent cut a call ----------------------------------------------------------

  /// The matching keys, in order.
  Result<Rows<std::string>> keys(const Query& query = {}, const ReadOptions& options = {});

  /// The matching keys with their entries, in order.
  Result<Rows<Item>> where(const Query& query = {}, const ReadOptions& options = {});

  /// Calls `visit` with each match, in order, until it returns false. Nothing is held up while it runs, and no more than a few
  /// hundred matches are in memory at a time.
  Result<void> scan(const Query& query, const std::function<bool(const Item&)>& visit, const ReadOptions& options = {});

  /// A part of the answer, each part a consistent cut of its own; for listings that outlive a call.
  /// Errors: invalid_request for a cursor of another query.
  Result<Page<std::string>> keys_page(const Query& query, const PageOptions& page, const ReadOptions& options = {});
  Result<Page<Item>> where_page(const Query& query, const PageOptions& page, const ReadOptions& options = {});

  /// The number of matches.
  virtual Result<std::uint64_t> count(const Query& query = {}, const ReadOptions& options = {}) = 0;

  /// Removes what matches, in key order, at most `limit`; tells how many. At least one selector is needed, and no offset.
  /// Without a C++ predicate it is one transaction, decided when it is applied; one that would remove more than 100 000 keys, or
  /// would look at more than 1 000 000, is `batch_too_large` and removes nothing: narrow it by prefix or range, or set `limit`.
  /// With a C++ predicate, which is run over everything first, it is one transaction for each 500 keys, and each removes keys that
  /// match in their present revision. An error after the first has `maybe_committed()` and says how many were removed.
  virtual Result<std::uint64_t> delete_where(const Query& query, const WriteOptions& options = {}) = 0;

  /// Everything. For small stores and tools; else `scan`.
  Result<std::map<std::string, Value, std::less<>>> get_all(const ReadOptions& options = {});
  Result<std::map<std::string, WithTtl<Value>, std::less<>>> get_all_with_ttl(const ReadOptions& options = {});

  // --- events (concord/events.hpp) -------------------------------------------------------------------------------------

  /// The changes that are asked for, from now on or behind a revision, as a node applies them; a follower may be a little behind. With
  /// an `after_revision` beyond what it has applied it waits, at most 5 s, until it has that.
  /// Errors: invalid_request (a pattern, a revision that is still to come); compacted, when what comes behind `after_revision` is no
  /// longer kept; not_found when events are switched off.
  virtual Result<Subscription> subscribe(const SubscribeOptions& options = {}) = 0;

  /// How the event stream of the node is doing; `EventStats::enabled` tells whether there is one.
  virtual Result<EventStats> event_stats() = 0;

  // --- the cluster -----------------------------------------------------------------------------------------------------
  //
  // Any member takes these calls and passes changes on to the leader. They are wishes: one that is so already succeeds, and
  // one that ended as `timeout` may be made again. A node without a cookie is alone: changes are condition_failed there. Changes
  // wait for the cluster, so don't make them inside a completion that runs on the node's own thread.

  /// What this node knows about itself and its cluster. Answers without a quorum.
  virtual Result<Status> status() = 0;

  /// The members as this node knows them; a node alone is the only one. `Status::cluster` tells who leads.
  Result<std::vector<MemberStatus>> members();

  /// Waits until the node can serve: it leads or follows a leader, has caught up, and takes writes. A remote client waits for any
  /// of its endpoints. Errors: cluster_not_ready, with what is missing; the failure of a node that will never be ready.
  virtual Result<void> wait_ready(std::chrono::milliseconds timeout = std::chrono::seconds(30)) = 0;

  /// Adds a member before its node is started with `ClusterOptions::join`: a learner, which gets the data and has no vote until it
  /// is promoted. `peer` is the host:port others will reach it at. Returns when the cluster knows it. Errors: already_exists.
  virtual Result<void> add_member(std::string_view name, std::string_view peer, const WriteOptions& options = {}) = 0;

  /// Removes a member for good; its node learns of it and stops serving (`concord start` ends). A leader hands over first.
  /// Errors: not_found; condition_failed when the others would have no quorum.
  virtual Result<void> remove_member(std::string_view name, const WriteOptions& options = {}) = 0;

  /// Gives a learner a vote, once it has caught up. With `ClusterOptions::auto_promote` it happens by itself. Errors: not_found.
  virtual Result<void> promote(std::string_view name, const WriteOptions& options = {}) = 0;

  /// Makes the named voter the leader; without a name the one that has most of the log. Returns when it leads.
  /// Errors: not_found; condition_failed when there is no such voter that answers.
  virtual Result<void> transfer_leadership(std::string_view name = {}, const WriteOptions& options = {}) = 0;

  /// Takes a snapshot of this node's data soon; `StorageStatus::snapshot_index` tells when it is there.
  virtual Result<void> trigger_snapshot(const WriteOptions& options = {}) = 0;

  // --- tokens (concord/auth.hpp: `Auth` has them under shorter names) --------------------------------------------------

  virtual Result<CreatedToken> create_token(const NewToken& token, const WriteOptions& options = {}) = 0;
  virtual Result<std::vector<TokenInfo>> list_tokens(const ReadOptions& options = {}) = 0;
  virtual Result<void> revoke_token(std::string_view id, const WriteOptions& options = {}) = 0;
  virtual Result<void> revoke_secret(std::string_view secret, const WriteOptions& options = {}) = 0;
  virtual Result<void> set_access(const AccessRecord& record, const WriteOptions& options = {}) = 0;
  virtual Result<void> remove_access(AccessKind kind, std::string_view name, const WriteOptions& options = {}) = 0;
  /// All of this kind, by name.
  virtual Result<std::vector<AccessRecord>> list_access(AccessKind kind, const ReadOptions& options = {}) = 0;

  // --- the audit log of the node that is asked (concord/audit_log.hpp: `AuditLog` has it under shorter names) ------------

  virtual Result<std::vector<AuditEntry>> query_audit(const AuditQuery& query, const ReadOptions& options = {});
  /// Calls `visit` with each line, without its line end, oldest first, until it returns false.
  virtual Result<void> export_audit(const AuditQuery& query, const std::function<bool(std::string_view)>& visit,
                                    const ReadOptions& options = {});
  virtual Result<void> log_audit(const NewAuditEntry& entry, const WriteOptions& options = {});
  virtual Result<void> rotate_audit(const WriteOptions& options = {});
  virtual Result<std::uint64_t> cleanup_audit(const WriteOptions& options = {});
  virtual Result<AuditStats> audit_stats(const ReadOptions& options = {});
  virtual Result<AuditVerification> verify_audit(const ReadOptions& options = {});

  // --- backups (concord/backup.hpp: `Backup` has them under shorter names) ---------------------------------------------

  virtual Result<BackupInfo> create_backup(const CreateBackupOptions& options = {}) = 0;
  virtual Result<BackupList> list_backups(const BackupReadOptions& options = {}) = 0;
  virtual Result<BackupVerdict> verify_backup(std::string_view backup, const BackupReadOptions& options = {}) = 0;
  virtual Result<RestoredBackup> restore_backup(std::string_view backup, const RestoreBackupOptions& options = {}) = 0;
  virtual Result<std::uint64_t> cleanup_backups(const CleanupBackupsOptions& options = {}) = 0;

 protected:
  Store() = default;
  Store(const Store&) = default;
  Store(Store&&) = default;
  Store& operator=(const Store&) = default;
  Store& operator=(Store&&) = default;

  /// Gets the matches piece by piece and says whether it wants more. It may take the items.
  using VisitItems = std::function<Result<bool>(std::vector<Item>&)>;

  /// Matches in order, as of one cut, with their entries or without.
  virtual Result<void> visit_matches(const Query& query, bool with_entries, const ReadOptions& options,
                                     const VisitItems& visit) = 0;
  virtual Result<Page<Item>> page(const Query& query, bool with_entries, const PageOptions& page,
                                  const ReadOptions& options) = 0;
};

}  // namespace concord
