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

#include "audit/log.hpp"
#include "backup/service.hpp"
#include "command/selector.hpp"
#include "compress/packed.hpp"
#include "compress/packer.hpp"
#include "database/access_records.hpp"
#include "database/authentication.hpp"
#include "database/database.hpp"
#include "database/matches.hpp"
#include "events/stream.hpp"
#include "node/runtime.hpp"
#include "observe/metrics_page.hpp"
#include "observe/metrics_server.hpp"
#include "observe/observer.hpp"

namespace concord::database {

class LocalDatabase final : public Database {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LocalDatabase>> open_local(Options options);
  /// `stream`: null when there is none.
  LocalDatabase(std::shared_ptr<observe::Observer> observer, std::unique_ptr<events::Stream> stream,
                std::unique_ptr<node::Runtime> runtime, std::shared_ptr<const compress::Unpacker> unpacker)
      : observer_(std::move(observer)),
        metrics_page_(*observer_),
        authentication_(std::make_unique<Authentication>(*runtime)),
        stream_(std::move(stream)),
        runtime_(std::move(runtime)),
        packer_(runtime_->options().compression),
        unpacker_(std::move(unpacker)) {
    observer_->telemetry().set_status_source([this] { return std::optional(runtime_->status()); });
  }
  ~LocalDatabase() override { stop_watching(); }
  LocalDatabase(const LocalDatabase&) = delete;
  LocalDatabase& operator=(const LocalDatabase&) = delete;

  using Database::submit;
  void submit(const command::Transaction& transaction, const command::Once* once, const acl::Access& access,
              std::chrono::milliseconds timeout, Completion<command::Outcome> done) override;
  [[nodiscard]] Result<Entry> read(std::string_view key, ReadConsistency consistency, const acl::Access& access,
                                   std::chrono::milliseconds timeout) override;
  [[nodiscard]] bool is_readable(ReadConsistency consistency) const noexcept override {
    return runtime_->may_read_now(consistency);
  }
  void when_readable(ReadConsistency consistency, std::chrono::milliseconds timeout,
                     std::move_only_function<void(Result<void>)> done) override {
    runtime_->when_readable(consistency, timeout, std::move(done));
  }
  [[nodiscard]] acl::Access find_access(std::string_view secret) override { return authentication_->find(secret); }
  void when_access(std::string_view secret, std::chrono::milliseconds timeout, Completion<acl::Access> done) override {
    authentication_->when_found(secret, timeout, std::move(done));
  }
  [[nodiscard]] Result<acl::Access> renewed(const acl::Access& access) const override {
    return authentication_->renewed(access);
  }
  [[nodiscard]] Result<void> confirm(const acl::Access& access) const override {
    return authentication_->confirm(access);
  }
  void create_token(const NewToken& token, const acl::Access& access, std::chrono::milliseconds timeout,
                    Completion<CreatedToken> done) override {
    authentication_->create(token, access, timeout, std::move(done));
  }
  void revoke_token(std::string_view id, const acl::Access& access, std::chrono::milliseconds timeout,
                    std::move_only_function<void(Result<void>)> done) override {
    authentication_->revoke(id, access, timeout, std::move(done));
  }
  void revoke_secret(std::string_view secret, const acl::Access& access, std::chrono::milliseconds timeout,
                     std::move_only_function<void(Result<void>)> done) override {
    authentication_->revoke_secret(secret, access, timeout, std::move(done));
  }
  [[nodiscard]] Result<std::vector<TokenInfo>> list_tokens() const override { return authentication_->list(); }
  void set_access(AccessRecord record, const acl::Access& access, std::chrono::milliseconds timeout,
                  std::move_only_function<void(Result<void>)> done) override {
    AccessRecords(*runtime_).set(std::move(record), access, timeout, std::move(done));
  }
  void remove_access(AccessKind kind, std::string_view name, const acl::Access& access,
                     std::chrono::milliseconds timeout, std::move_only_function<void(Result<void>)> done) override {
    AccessRecords(*runtime_).remove(kind, name, access, timeout, std::move(done));
  }
  [[nodiscard]] Result<std::vector<AccessRecord>> list_access(AccessKind kind) const override {
    return AccessRecords(*runtime_).list(kind);
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
  [[nodiscard]] backup::Service* backups() noexcept override { return backups_.get(); }
  [[nodiscard]] const Options& options() const noexcept override { return runtime_->options(); }
  [[nodiscard]] observe::Observer* observer() noexcept override { return observer_.get(); }
  [[nodiscard]] audit::Log* audit() noexcept override { return audit_.get(); }
  /// A call that ends later may outlive the database.
  [[nodiscard]] const std::shared_ptr<audit::Log>& shared_audit() const noexcept { return audit_; }
  [[nodiscard]] bool would_compress(std::string_view value, std::optional<bool> wanted) const override {
    return packer_.wants(value, wanted);
  }
  [[nodiscard]] const std::shared_ptr<observe::Observer>& shared_observer() const noexcept { return observer_; }
  [[nodiscard]] std::string metrics() override;
  [[nodiscard]] Result<std::string> serve_metrics(const std::string& host, std::uint16_t port) override;
  [[nodiscard]] Result<std::shared_ptr<events::Subscriber>> subscribe(const SubscribeOptions& options,
                                                                      events::Viewer viewer) override;
  [[nodiscard]] EventStats event_stats() const override;
  [[nodiscard]] Revision newest_event() const override { return stream_ ? stream_->newest() : Revision(); }
  void finish_subscriptions(std::string_view owner, const Error& why) override;
  void close(std::chrono::milliseconds limit) override;

  // --- the embedded doors: the same without a change of thread, and in the name of the options' token --------------------

  /// Whose token it is. May wait for the leader, when it is not known here. Errors: unauthorized, cluster_not_ready, timeout.
  [[nodiscard]] Result<acl::Access> access_of(std::string_view token, std::chrono::milliseconds timeout) const {
    if (!authentication_->is_on()) [[likely]]
      return acl::Access::everything();
    return authentication_->wait_found(token, timeout);
  }
  /// The same for a read, once the state may be read: as of then.
  [[nodiscard]] Result<acl::Access> readable_access(const ReadOptions& options) const;
  [[nodiscard]] Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options);
  void async_put(std::string_view key, const Value& value, const PutOptions& options, Completion<Revision> done);
  /// Kinds remove and touch.
  [[nodiscard]] Result<command::Outcome> write(node::Write write, const WriteOptions& options);
  [[nodiscard]] Result<command::Outcome> commit(const command::Transaction& transaction, const WriteOptions& options);
  void async_commit(const command::Transaction& transaction, const WriteOptions& options,
                    Completion<command::Outcome> done);
  [[nodiscard]] Result<Entry> get_entry(std::string_view key, const ReadOptions& options);
  [[nodiscard]] Result<Value> get(std::string_view key, const ReadOptions& options) const;
  /// Waits until everything is applied here that was committed when it was called.
  [[nodiscard]] Result<void> catch_up() const { return check_readable({.consistency = ReadConsistency::strong}); }
  [[nodiscard]] Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string_view>& keys,
                                                                   const ReadOptions& options) const;
  [[nodiscard]] Result<std::vector<std::optional<Entry>>> get_entries(const std::vector<std::string_view>& keys,
                                                                      const ReadOptions& options) const;
  [[nodiscard]] Result<std::vector<std::optional<Entry>>> get_entries(const std::vector<std::string_view>& keys,
                                                                      const acl::Access& access,
                                                                      const ReadOptions& options) const override;

  // --- queries (queries.cpp); concord/store.hpp says what each means ---------------------------------------------------

  using VisitItems = std::function<Result<bool>(std::vector<Item>&)>;
  [[nodiscard]] Result<void> visit_matches(const Query& query, bool with_entries, const ReadOptions& options,
                                           const VisitItems& visit) const;
  [[nodiscard]] Result<std::unique_ptr<Search>> search(const Query& query, SearchFor what, const PageOptions& page,
                                                       const acl::Access& access,
                                                       const ReadOptions& options) const override;
  [[nodiscard]] Result<Page<Item>> page(const Query& query, bool with_entries, const PageOptions& page,
                                        const ReadOptions& options) const;
  [[nodiscard]] Result<std::uint64_t> count(const Query& query, const ReadOptions& options) const;
  /// Precondition: no C++ predicate (room calls has that).
  [[nodiscard]] Result<std::uint64_t> delete_where(const Query& query, const WriteOptions& options);
  /// Those that run end soon, with cluster_not_ready.
  void stop_queries() noexcept { queries_stopped_.store(true, std::memory_order_relaxed); }

 private:
  /// Nobody asks this for anything from here on.
  void stop_watching() {
    metrics_server_.reset();
    observer_->telemetry().stop_polling();
  }

  /// Where packed values live until they are encoded.
  struct Packed {
    command::Transaction transaction;
    std::deque<std::string> values;
  };

  /// Once the state may be read: what the token may do as of then, which is to read at least.
  [[nodiscard]] Result<acl::Access> readable_by(const acl::Access& access, const ReadOptions& options) const;
  [[nodiscard]] Result<node::Write> checked_put(std::string_view key, const Value& value, const PutOptions& options,
                                                std::string& packed) const;
  [[nodiscard]] const command::Transaction& pack(const command::Transaction& transaction, Packed& packed) const;
  [[nodiscard]] Result<void> unpack(Value& value) const;
  [[nodiscard]] Result<void> check_readable(const ReadOptions& options) const;
  [[nodiscard]] Result<void> check_keys(const std::vector<std::string_view>& keys) const;
  [[nodiscard]] QueryEnd end_of(std::chrono::milliseconds timeout) const;

  void tell_of_reads(const std::vector<std::string_view>& keys, const std::vector<std::optional<Value>>& values) const;

  [[nodiscard]] Result<void> open_audit_log();
  [[nodiscard]] std::string audit_metrics() const;

  std::shared_ptr<audit::Log>
      audit_;  // null: there is none; outlives the node, and calls that the host still has to be told of
  std::shared_ptr<observe::Observer> observer_;  // outlives the node, and calls that the host still has to be told of
  observe::MetricsPage metrics_page_;
  /// Ends behind the runtime, whose completions use it.
  std::unique_ptr<Authentication> authentication_;
  std::unique_ptr<events::Stream> stream_;  // outlives who writes into its history
  std::unique_ptr<node::Runtime> runtime_;
  std::unique_ptr<backup::Service> backups_;
  compress::Packer packer_;
  /// Shared with what may still be to unpack when this has gone.
  std::shared_ptr<const compress::Unpacker> unpacker_;
  std::atomic<bool> queries_stopped_{false};
  std::unique_ptr<observe::MetricsServer> metrics_server_;
};

}  // namespace concord::database
