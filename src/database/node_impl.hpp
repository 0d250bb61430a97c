// What a `Node` holds.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <concord/node.hpp>

#include "calls/gate.hpp"
#include "database/audited_call.hpp"
#include "database/local_database.hpp"
#include "observe/call.hpp"

namespace concord {

class Node::Impl {
 public:
  explicit Impl(std::unique_ptr<database::LocalDatabase> opened)
      : database(std::move(opened)),
        gate(std::make_shared<calls::Gate>()),
        compression(database->options().compression),
        telemetry(database->observer()->telemetry()),
        tracing(database->observer()->tracer()) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    database->stop_queries();
    gate->close();
  }

  using ApiOperation = observe::ApiOperation;
  using AuditFacts = database::AuditFacts;

  /// Else a call needs not even say what it is.
  [[nodiscard]] bool is_watched() const noexcept {
    return database->audit() != nullptr || database->observer()->is_watching();
  }

  /// `call() -> Result<T>`: what every call of the embedded node passes through.
  template <class Run>
  auto observed(ApiOperation operation, const observe::CallDetails& details, const AuditFacts& facts, const Run& run) {
    return observed(operation, observe::operation_name(operation), details, facts, run);
  }
  /// The audit log may know it by another name.
  template <class Run>
  auto observed(ApiOperation operation, std::string_view name, const observe::CallDetails& details,
                const AuditFacts& facts, const Run& run) -> decltype(run()) {
    if (!is_watched()) [[likely]]
      return run();
    std::optional<database::AuditedCall> audited;
    if (database->audit() != nullptr) {
      audited.emplace(*database, name, facts);
      if (auto room = audited->begin(); !room) return std::unexpected(std::move(room.error()));
    }
    std::optional<observe::Call> call;
    if (database->observer()->is_watching()) call.emplace(*database->observer(), operation, details);
    auto result = [&] {
      const observe::CurrentSpan current(call ? call->span() : nullptr);
      return run();
    }();
    if (audited) audited->end(result, call ? call->span() : nullptr);
    if (call) call->end(result ? std::nullopt : std::optional(result.error().code()));
    return result;
  }
  /// Of a call that only the audit log is told of.
  template <class Run>
  auto audited(std::string_view name, const AuditFacts& facts, const Run& run) -> decltype(run()) {
    if (database->audit() == nullptr) return run();
    database::AuditedCall audited(*database, name, facts);
    if (auto room = audited.begin(); !room) return std::unexpected(std::move(room.error()));
    auto result = run();
    audited.end(result, nullptr);
    return result;
  }
  /// The same for a call that answers later: `start(Completion<T>)` begins it.
  template <class T, class Start>
  void observed_later(ApiOperation operation, std::string_view name, const observe::CallDetails& details,
                      const AuditFacts& facts, Completion<T> done, const Start& start) {
    if (!is_watched()) [[likely]]
      return start(std::move(done));
    std::optional<database::AuditedCall> audited;
    if (database->audit() != nullptr) {
      audited.emplace(*database, name, facts);
      if (auto room = audited->begin(); !room) return done(std::unexpected(std::move(room.error())));
      audited->keep();
    }
    std::optional<observe::Call> call;
    if (database->observer()->is_watching()) call.emplace(*database->observer(), operation, details);
    // In the host's executor this may come to run when the database has gone.
    start([watching = database->shared_observer(), audited = std::move(audited), call = std::move(call),
           done = std::move(done)](Result<T> result) mutable {
      if (audited) audited->end(result, call ? call->span() : nullptr);
      if (call) call->end(result ? std::nullopt : std::optional(result.error().code()));
      done(std::move(result));
    });
  }
  template <class T, class Start>
  void observed_later(ApiOperation operation, const observe::CallDetails& details, const AuditFacts& facts,
                      Completion<T> done, const Start& start) {
    observed_later(operation, observe::operation_name(operation), details, facts, std::move(done), start);
  }
  [[nodiscard]] Result<Subscription> subscribe(const SubscribeOptions& options) const;
  [[nodiscard]] observe::CallDetails read_of(const ReadOptions& options, std::string_view key) const {
    return {.consistency = options.consistency.value_or(database->options().default_consistency), .key = key};
  }
  [[nodiscard]] observe::CallDetails long_read_of(const ReadOptions& options) const {
    return {.consistency = options.consistency.value_or(database->options().default_consistency), .is_long = true};
  }

  [[nodiscard]] static AuditFacts reading(const ReadOptions& options, std::string_view key = {}) {
    return {.is_read = true, .token = options.token, .timeout = options.timeout, .key = key};
  }
  [[nodiscard]] static AuditFacts writing(const WriteOptions& options, std::string_view key = {},
                                          std::string_view target = {}) {
    return {.token = options.token, .timeout = options.timeout, .key = key, .target = target};
  }

  std::unique_ptr<database::LocalDatabase> database;
  std::shared_ptr<calls::Gate> gate;
  Compression compression;
  Telemetry telemetry;
  Tracing tracing;
};

}  // namespace concord
