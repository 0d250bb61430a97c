// For tests: a database in memory with the meaning of the real one for single keys and transactions, without expiry.
//
// Completions run inline, on another thread, or when the test says so.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "command/filter.hpp"
#include "command/validate.hpp"
#include "database/database.hpp"

namespace concord::http {

class TestingDatabase final : public database::Database {
 public:
  enum class Completes : std::uint8_t { inside_the_call, on_a_thread, when_released };

  explicit TestingDatabase(Completes completes = Completes::inside_the_call) : completes_(completes) {
    if (completes == Completes::on_a_thread) thread_ = std::thread([this] { run(); });
  }
  ~TestingDatabase() override { close(std::chrono::milliseconds(0)); }

  using Database::submit;
  /// `once` is not looked at: the real database is tested with it.
  void submit(const command::Transaction& transaction, const command::Once*, const acl::Access&,
              std::chrono::milliseconds, Completion<command::Outcome> done) override {
    auto outcome = apply(transaction);
    if (completes_ == Completes::inside_the_call) return done(std::move(outcome));
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(done), std::move(outcome)});
    changed_.notify_all();
  }

  bool is_readable(ReadConsistency) const noexcept override { return true; }
  void when_readable(ReadConsistency, std::chrono::milliseconds,
                     std::move_only_function<void(Result<void>)> done) override {
    done({});
  }
  acl::Access find_access(std::string_view) override { return acl::Access::everything(); }
  void when_access(std::string_view, std::chrono::milliseconds, Completion<acl::Access> done) override {
    done(acl::Access::everything());
  }
  Result<acl::Access> renewed(const acl::Access& access) const override { return access; }
  Result<void> confirm(const acl::Access&) const override { return {}; }
  void create_token(const NewToken&, const acl::Access&, std::chrono::milliseconds,
                    Completion<CreatedToken> done) override {
    done(fail(Errc::internal, "the real database is tested with tokens (auth_api_test.cpp)"));
  }
  void revoke_token(std::string_view, const acl::Access&, std::chrono::milliseconds,
                    std::move_only_function<void(Result<void>)> done) override {
    done(fail(Errc::not_found, "there is no such token"));
  }
  void revoke_secret(std::string_view, const acl::Access&, std::chrono::milliseconds,
                     std::move_only_function<void(Result<void>)> done) override {
    done(fail(Errc::not_found, "there is no such token"));
  }
  Result<std::vector<TokenInfo>> list_tokens() const override { return std::vector<TokenInfo>(); }
  void set_access(concord::AccessRecord, const acl::Access&, std::chrono::milliseconds,
                  std::move_only_function<void(Result<void>)> done) override {
    done(fail(Errc::internal, "the real database is tested with these (access_api_test.cpp)"));
  }
  void remove_access(AccessKind, std::string_view, const acl::Access&, std::chrono::milliseconds,
                     std::move_only_function<void(Result<void>)> done) override {
    done(fail(Errc::not_found, "there is none"));
  }
  Result<std::vector<concord::AccessRecord>> list_access(AccessKind) const override {
    return std::vector<concord::AccessRecord>();
  }
  void change_members(database::MemberChange, std::string, std::string, std::chrono::milliseconds,
                      std::move_only_function<void(Result<void>)> done) override {
    done(fail(Errc::condition_failed, "this node is alone"));
  }
  void trigger_snapshot() override {}
  void hand_over(std::chrono::milliseconds) override {}
  Result<std::string> serve_metrics(const std::string&, std::uint16_t) override {
    return fail(Errc::invalid_request, "nothing is measured");
  }
  void announce_api(const std::string&) override {}
  std::string peer_address() const override { return {}; }
  bool is_removed() const noexcept override { return false; }

  Result<Entry> read(std::string_view key, ReadConsistency, const acl::Access&, std::chrono::milliseconds) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return std::unexpected(*failing_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return fail(Errc::not_found, "the key does not exist");
    return found->second;
  }

  Result<std::vector<std::optional<Entry>>> get_entries(const std::vector<std::string_view>&, const acl::Access&,
                                                        const ReadOptions&) const override {
    return fail(Errc::internal, "the real database is tested with these calls (query_api_test.cpp)");
  }
  Result<std::unique_ptr<database::Search>> search(const concord::Query&, database::SearchFor, const PageOptions&,
                                                   const acl::Access&, const ReadOptions&) const override {
    return fail(Errc::internal, "the real database is tested with these calls (query_api_test.cpp)");
  }

  Result<std::shared_ptr<events::Subscriber>> subscribe(const SubscribeOptions&, events::Viewer) override {
    return fail(Errc::not_found, "it has no events");
  }
  EventStats event_stats() const override { return {}; }
  Revision newest_event() const override { return {}; }
  void finish_subscriptions(std::string_view, const Error&) override {}

  Result<Status> status() override {
    Status status;
    status.node = "node1@127.0.0.1";
    status.version = "0.1.0";
    status.cluster.leader = status.node;
    status.cluster.members.push_back({.name = status.node, .id = 7, .peer = {}, .api = {}});
    return status;
  }

  std::vector<database::ReadyCheck> ready() override {
    const std::lock_guard lock(mutex_);
    return {{"leader", true, ""}, {"writable", !failing_, failing_ ? failing_->message() : ""}};
  }
  std::optional<Error> failure() override { return std::nullopt; }
  const Options& options() const noexcept override { return options_; }

  void close(std::chrono::milliseconds) override {
    release();
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  /// Every call fails with `error` from now on; none: they work again.
  void fail_with(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    failing_ = std::move(error);
  }

  /// Answers what waits (`when_released`).
  void release() {
    std::deque<Waiting> waiting;
    {
      const std::lock_guard lock(mutex_);
      std::swap(waiting, waiting_);
    }
    for (Waiting& each : waiting) each.done(std::move(each.outcome));
  }

  void wait_for_waiting(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() >= count; });
  }

 private:
  struct Waiting {
    Completion<command::Outcome> done;
    Result<command::Outcome> outcome;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  void run() {
    for (;;) {
      Waiting next;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        next = std::move(waiting_.front());
        waiting_.pop_front();
      }
      next.done(std::move(next.outcome));
    }
  }

  Result<command::Outcome> apply(const command::Transaction& transaction) {
    const std::lock_guard lock(mutex_);
    if (failing_) return std::unexpected(*failing_);
    if (auto valid = command::validate_transaction(transaction, options_.limits); !valid) {
      return std::unexpected(valid.error());
    }
    command::Outcome outcome;
    for (std::size_t i = 0; i < transaction.guards.size(); ++i) {
      outcome.guard_failure = check(transaction.guards[i]);
      outcome.failed_guard = static_cast<std::uint32_t>(i);
      if (outcome.guard_failure != command::GuardFailure::none) break;
    }
    const bool holds = outcome.guard_failure == command::GuardFailure::none;
    for (const auto& operation : holds ? transaction.then : transaction.otherwise) {
      outcome.results.push_back(apply(operation, outcome.changed));
    }
    if (outcome.changed) ++revision_;
    outcome.revision = Revision(revision_);
    if (transaction.guards.empty() && transaction.then.size() == 1 &&
        transaction.then.front().kind == command::OperationKind::put) {
      outcome.results.clear();
    }
    return outcome;
  }

  command::GuardFailure check(const command::Guard& guard) {
    using command::GuardFailure;
    using command::GuardKind;
    const auto found = entries_.find(guard.key);
    const bool exists = found != entries_.end();
    bool holds = exists;
    switch (guard.kind) {
      case GuardKind::absent: return exists ? GuardFailure::condition_failed : GuardFailure::none;
      case GuardKind::exists: break;
      case GuardKind::revision: holds = exists && found->second.revision == guard.revision; break;
      case GuardKind::value_equals: holds = exists && found->second.value == Value::from_stored(guard.value); break;
      case GuardKind::filter: {
        const auto filter = command::Filter::parse(guard.filter);
        holds = exists && filter && filter->matches({.value = found->second.value.stored()});
        break;
      }
    }
    if (holds) return GuardFailure::none;
    return exists ? GuardFailure::condition_failed : GuardFailure::key_missing;
  }

  command::OperationResult apply(const command::Operation& operation, bool& changed) {
    using command::OperationKind;
    const Revision next(revision_ + 1);
    const auto found = entries_.find(operation.key);
    if (operation.kind == OperationKind::put) {
      Entry& entry = found == entries_.end() ? entries_[std::string(operation.key)] : found->second;
      if (entry.version++ == 0) entry.create_revision = next;
      entry.value = Value::from_stored(operation.value);
      entry.revision = next;
      if (operation.ttl_s != command::keep_ttl) {
        entry.ttl = operation.ttl_s > 0 ? std::optional(std::chrono::seconds(operation.ttl_s)) : std::nullopt;
      }
      changed = true;
      return {.revision = next, .value = {}};
    }
    if (found == entries_.end()) return {.status = command::OperationStatus::not_found, .revision = {}, .value = {}};
    if (operation.kind == OperationKind::get) return {.revision = found->second.revision, .value = found->second.value};
    changed = true;
    if (operation.kind == OperationKind::remove) {
      entries_.erase(found);
      return {.revision = {}, .value = {}};
    }
    found->second.ttl = std::chrono::seconds(operation.ttl_s);
    found->second.revision = next;
    ++found->second.version;
    return {.revision = next, .value = {}};
  }

  const Completes completes_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Entries entries_;
  std::uint64_t revision_ = 0;
  std::optional<Error> failing_;
  std::deque<Waiting> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace concord::http
