// Telemetry: what the node does, told to the program it lives in.
//
//     node->telemetry().attach("slow-reads", "concord.api.get", [](const concord::TelemetryEvent& event) {
//       if (event.measurement("duration") > 1'000'000) my_log("slow", event.text("consistency"));
//     });
//     ...
//     node->telemetry().detach("slow-reads");
//
// Events, with their measurements (whole numbers; durations in ns) and metadata (text):
//
//     concord.api.<operation>     duration            result (ok, not_found, error), consistency (of a read), has_ttl (of a put)
//                                 for every API operation, inside the process and over HTTP: put, get, delete, touch, put_many,
//                                 get_many, delete_many, touch_many, txn, query, delete_where, ...
//     concord.operation.apply     duration            operation, index; key (of a put, delete or touch)
//     concord.state.change                            status (leader, follower, candidate, failed), node
//     concord.snapshot.created    size                node
//     concord.snapshot.installed  size                node
//     concord.cluster.status      storage_size, storage_memory, commit_index, applied_index, term, members
//                                                     node, status, leader
//                                 every `TelemetryOptions::poll_interval`
//
// A name that ends in ".*" means all events that begin so: "concord.api.*". Events of the API are told on the thread of the call,
// when it has ended, before its caller goes on; the others on a thread of the telemetry's own, from a queue of 10 000, and what
// comes while it is full is dropped and counted. So a handler is short. One that throws is detached, and the log says so; the call
// it was told of goes on as if nothing had happened.
//
// Thread rule: any thread, also from inside a handler. What an event shows lives until the handler returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/export.hpp>

namespace concord {

namespace observe {
class TelemetryHub;
}

struct TelemetryEvent {
  struct Measurement {
    std::string_view name;
    std::int64_t value = 0;
  };
  struct Text {
    std::string_view name;
    std::string_view value;
  };

  std::string_view name;  ///< "concord.api.get"
  std::span<const Measurement> measurements;
  std::span<const Text> metadata;

  /// None: the event has no such measurement.
  [[nodiscard]] std::optional<std::int64_t> measurement(std::string_view wanted) const noexcept {
    for (const Measurement& each : measurements) {
      if (each.name == wanted) return each.value;
    }
    return std::nullopt;
  }
  /// Of the metadata; empty: the event has none of that name.
  [[nodiscard]] std::string_view text(std::string_view wanted) const noexcept {
    for (const Text& each : metadata) {
      if (each.name == wanted) return each.value;
    }
    return {};
  }
};

using TelemetryHandler = std::function<void(const TelemetryEvent&)>;

class CONCORD_API Telemetry {
 public:
  /// Calls `handler` for each event of that name. Errors: already_exists (the id is in use); invalid_request (no such event, an empty
  /// id, telemetry is off).
  Result<void> attach(std::string_view id, std::string_view event, TelemetryHandler handler);
  /// The same for several events.
  Result<void> attach_many(std::string_view id, const std::vector<std::string>& events, TelemetryHandler handler);
  /// When it returns the handler does not run and will not run again; called from inside a handler it does not wait for others that
  /// run. Errors: not_found.
  Result<void> detach(std::string_view id);
  /// The ids that are attached, in order.
  [[nodiscard]] std::vector<std::string> handlers() const;

 private:
  friend class Node;
  CONCORD_LOCAL explicit Telemetry(observe::TelemetryHub& hub) noexcept : hub_(&hub) {}
  observe::TelemetryHub* hub_;
};

}  // namespace concord
