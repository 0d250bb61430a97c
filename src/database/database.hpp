// The door between the rooms below and whatever offers them to users: the embedded `Node`, the HTTP server.
//
// Everything that is the same for all callers happens here once: validation against the limits, encoding, deadlines, the
// choice of how to read. Thread rule: any call from any thread. Completions run on a library thread or inside the call.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/auth.hpp>
#include <concord/error.hpp>
#include <concord/options.hpp>
#include <concord/query.hpp>
#include <concord/status.hpp>
#include <concord/store.hpp>

#include "acl/access.hpp"
#include "command/transaction.hpp"
#include "events/stream.hpp"

namespace concord::audit {
class Log;
}
namespace concord::observe {
class Observer;
}
namespace concord::backup {
class Service;
}

namespace concord::database {

/// One line of a readiness report.
struct ReadyCheck {
  std::string name;  ///< "leader", "caught-up", "writable"
  bool ok = false;
  std::string why;  ///< when not ok
};

/// A change of the members of the cluster. `name` says which member, `peer` where it is (add).
enum class MemberChange : std::uint8_t { add, promote, remove, transfer_leadership };

/// What a search gives: a page of keys or of entries, or the number of all matches.
enum class SearchFor : std::uint8_t { keys, entries, count };

/// A query under way, done in steps, so that a thread that serves many may do other things between them.
/// Thread rule: one thread at a time; it must not outlive its database.
class Search {
 public:
  virtual ~Search() = default;

  /// Looks on, well below 1 ms. True: it is done. Errors: timeout, storage_failed.
  [[nodiscard]] virtual Result<bool> step() = 0;

  // Once it is done:
  Page<Item> page;
  std::uint64_t count = 0;

 protected:
  Search() = default;
  Search(const Search&) = default;
  Search& operator=(const Search&) = default;
};

class Database {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(Options options);
  virtual ~Database() = default;

  /// Commits a transaction. `done` is called exactly once: with the outcome (also when the guards failed:
  /// `Outcome::guard_failure`), or an error. The views in `transaction` need to live only until `submit` returns.
  /// In the name of `access`: judged here, and again where it stands in the log. Errors: invalid_key, invalid_request,
  /// value_too_large, batch_too_large, unauthorized, forbidden, overloaded, cluster_not_ready, timeout, storage_full, storage_failed.
  void submit(const command::Transaction& transaction, const acl::Access& access, std::chrono::milliseconds timeout,
              Completion<command::Outcome> done) {
    submit(transaction, nullptr, access, timeout, std::move(done));
  }
  /// The same, at most once under the name `once` (null: it has none): `Outcome::repeat` tells what became of it. What the
  /// first time decided is remembered for 10 minutes, guards that failed too; an error is not. Only views, as above.
  virtual void submit(const command::Transaction& transaction, const command::Once* once, const acl::Access& access,
                      std::chrono::milliseconds timeout, Completion<command::Outcome> done) = 0;

  /// Whether reads of this consistency are answered at once. Else a call waits for it, or `when_readable` does.
  [[nodiscard]] virtual bool is_readable(ReadConsistency consistency) const noexcept = 0;
  /// Calls `done` once reads as `eventual` on this node are as fresh as `consistency` asks for; inside the call, or on a thread of
  /// the library, which it must not hold up: it hands on. Errors: cluster_not_ready, timeout.
  virtual void when_readable(ReadConsistency consistency, std::chrono::milliseconds timeout,
                             std::move_only_function<void(Result<void>)> done) = 0;

  /// Reads one key. Waits as long as `is_readable` is false.
  [[nodiscard]] virtual Result<Entry> read(std::string_view key, ReadConsistency consistency, const acl::Access& access,
                                           std::chrono::milliseconds timeout) = 0;

  /// Reads keys as of one revision. Errors: invalid_key, invalid_request (none), batch_too_large.
  [[nodiscard]] virtual Result<std::vector<std::optional<Entry>>> get_entries(const std::vector<std::string_view>& keys,
                                                                              const acl::Access& access,
                                                                              const ReadOptions& options) const = 0;

  /// Begins a search; its cut is taken now. What is given needs to live only until `search` returns. `page` counts for a page,
  /// `Query::limit` and `offset` for a count. Keys outside the scope of `access` are not there. Errors: invalid_request,
  /// cluster_not_ready, unauthorized, forbidden. The token in `options` is not looked at, here and above.
  [[nodiscard]] virtual Result<std::unique_ptr<Search>> search(const Query& query, SearchFor what,
                                                               const PageOptions& page, const acl::Access& access,
                                                               const ReadOptions& options) const = 0;

  // --- events ----------------------------------------------------------------------------------------------------------

  /// As `Store::subscribe`, on what this node has applied. Errors: invalid_request, compacted, cluster_not_ready; not_found when events
  /// are switched off.
  [[nodiscard]] virtual Result<std::shared_ptr<events::Subscriber>> subscribe(const SubscribeOptions& options,
                                                                              events::Viewer viewer) = 0;
  [[nodiscard]] virtual EventStats event_stats() const = 0;
  /// The newest revision that has come to subscribers of this node, or may.
  [[nodiscard]] virtual Revision newest_event() const = 0;
  /// `why` ends the subscriptions that belong to `owner` (`events::Viewer`); an empty one means all.
  virtual void finish_subscriptions(std::string_view owner, const Error& why) = 0;

  [[nodiscard]] virtual Result<Status> status() = 0;

  /// Every check of readiness, failed or not. The node is ready when all are ok.
  [[nodiscard]] virtual std::vector<ReadyCheck> ready() = 0;

  // --- who calls (database/authentication.hpp) -------------------------------------------------------------------------

  /// Nobody's: this node does not know the token, or it has expired. Everybody's: authentication is off.
  [[nodiscard]] virtual acl::Access find_access(std::string_view secret) = 0;
  /// The same once this node knows all that the leader does. `done` as in `when_readable`. Errors: unauthorized,
  /// cluster_not_ready, timeout.
  virtual void when_access(std::string_view secret, std::chrono::milliseconds timeout,
                           Completion<acl::Access> done) = 0;
  /// The same as of now. Errors: unauthorized.
  [[nodiscard]] virtual Result<acl::Access> renewed(const acl::Access& access) const = 0;
  /// It is still valid, and lets do what it let do then. Errors: unauthorized, forbidden.
  [[nodiscard]] virtual Result<void> confirm(const acl::Access& access) const = 0;

  /// Errors: invalid_request, condition_failed, overloaded, unauthorized, forbidden, and those of a write.
  virtual void create_token(const NewToken& token, const acl::Access& access, std::chrono::milliseconds timeout,
                            Completion<CreatedToken> done) = 0;
  /// Errors: not_found, unauthorized, forbidden, and those of a write.
  virtual void revoke_token(std::string_view id, const acl::Access& access, std::chrono::milliseconds timeout,
                            std::move_only_function<void(Result<void>)> done) = 0;
  virtual void revoke_secret(std::string_view secret, const acl::Access& access, std::chrono::milliseconds timeout,
                             std::move_only_function<void(Result<void>)> done) = 0;
  /// Errors: cluster_not_ready.
  [[nodiscard]] virtual Result<std::vector<TokenInfo>> list_tokens() const = 0;

  // Roles, users and tenants (database/access_records.hpp).

  /// Errors: invalid_request, condition_failed, overloaded, unauthorized, forbidden, and those of a write.
  virtual void set_access(AccessRecord record, const acl::Access& access, std::chrono::milliseconds timeout,
                          std::move_only_function<void(Result<void>)> done) = 0;
  /// Errors: not_found, condition_failed, unauthorized, forbidden, and those of a write.
  virtual void remove_access(AccessKind kind, std::string_view name, const acl::Access& access,
                             std::chrono::milliseconds timeout, std::move_only_function<void(Result<void>)> done) = 0;
  /// Errors: cluster_not_ready.
  [[nodiscard]] virtual Result<std::vector<AccessRecord>> list_access(AccessKind kind) const = 0;

  // --- cluster ---------------------------------------------------------------------------------------------------------

  /// Through the leader, from any member. `transfer_leadership` without a name: to whoever is furthest. Errors: invalid_request,
  /// not_found, already_exists, condition_failed (the node is alone, the cluster would lose its quorum, ...), cluster_not_ready, timeout.
  virtual void change_members(MemberChange change, std::string name, std::string peer,
                              std::chrono::milliseconds timeout, std::move_only_function<void(Result<void>)> done) = 0;
  /// Takes a snapshot of this node's state soon.
  virtual void trigger_snapshot() = 0;
  /// Gives leadership to another voter, if there is one; before a stop.
  virtual void hand_over(std::chrono::milliseconds limit) = 0;
  /// Where this node's HTTP API is; the other members are told.
  virtual void announce_api(const std::string& url) = 0;
  /// host:port of the peer port; empty without one.
  [[nodiscard]] virtual std::string peer_address() const = 0;
  /// The cluster removed this node: it must stop.
  [[nodiscard]] virtual bool is_removed() const noexcept = 0;

  // --- backups ---------------------------------------------------------------------------------------------------------

  /// Null: this database has none.
  [[nodiscard]] virtual backup::Service* backups() noexcept { return nullptr; }

  // --- who watches -----------------------------------------------------------------------------------------------------

  /// Whom calls that come from outside tell of themselves; null: nobody.
  [[nodiscard]] virtual observe::Observer* observer() noexcept { return nullptr; }
  /// Whom they tell of what they have done; null: nobody.
  [[nodiscard]] virtual audit::Log* audit() noexcept { return nullptr; }
  /// Whether a put of this value, in stored form, is compressed, if that makes it smaller.
  [[nodiscard]] virtual bool would_compress(std::string_view /*value*/, std::optional<bool> /*wanted*/) const {
    return false;
  }
  /// The page of metrics; empty when nothing is measured.
  [[nodiscard]] virtual std::string metrics() { return {}; }
  /// Serves that page on a port of its own until the database closes; its URL. Errors: invalid_request.
  [[nodiscard]] virtual Result<std::string> serve_metrics(const std::string& host, std::uint16_t port) = 0;

  /// Set once the node has failed for good (disk error, defect): the server ends itself when it sees it.
  [[nodiscard]] virtual std::optional<Error> failure() = 0;

  [[nodiscard]] virtual const Options& options() const noexcept = 0;

  /// Refuses new writes, finishes those in flight, at most `limit`. Further calls do nothing.
  virtual void close(std::chrono::milliseconds limit) = 0;
};

}  // namespace concord::database
