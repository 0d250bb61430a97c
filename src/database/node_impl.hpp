// What a `Node` holds.
#pragma once

#include <memory>
#include <utility>

#include <concord/node.hpp>

#include "calls/gate.hpp"
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

  /// Else a call needs not even say what it is.
  [[nodiscard]] bool is_watched() const noexcept { return database->observer()->is_watching(); }

  /// `call() -> Result<T>`: what every call of the embedded node passes through.
  template <class Run>
  auto observed(ApiOperation operation, const observe::CallDetails& details, const Run& run) {
    observe::Observer& observer = *database->observer();
    if (!observer.is_watching()) [[likely]]
      return run();
    observe::Call call(observer, operation, details);
    auto result = [&] {
      const observe::CurrentSpan current(call.span());
      return run();
    }();
    call.end(result ? std::nullopt : std::optional(result.error().code()));
    return result;
  }
  /// The same for a call that answers later.
  template <class T>
  [[nodiscard]] Completion<T> observed(ApiOperation operation, const observe::CallDetails& details,
                                       Completion<T> done) {
    observe::Observer& observer = *database->observer();
    if (!observer.is_watching()) [[likely]]
      return done;
    // In the host's executor this may come to run when the database has gone.
    return [watching = database->shared_observer(), call = observe::Call(observer, operation, details),
            done = std::move(done)](Result<T> result) mutable {
      call.end(result ? std::nullopt : std::optional(result.error().code()));
      done(std::move(result));
    };
  }
  [[nodiscard]] observe::CallDetails read_of(const ReadOptions& options, std::string_view key) const {
    return {.consistency = options.consistency.value_or(database->options().default_consistency), .key = key};
  }
  [[nodiscard]] observe::CallDetails long_read_of(const ReadOptions& options) const {
    return {.consistency = options.consistency.value_or(database->options().default_consistency), .is_long = true};
  }

  std::unique_ptr<database::LocalDatabase> database;
  std::shared_ptr<calls::Gate> gate;
  Compression compression;
  Telemetry telemetry;
  Tracing tracing;
};

}  // namespace concord
