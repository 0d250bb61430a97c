// How a node is watched: metrics, telemetry events, traces, slow calls. docs/observability.md tells of each in full.
//
// A node inside a program measures when it is asked to. `Node::metrics` gives the page for whoever serves it; with
// `MetricsOptions::port` the node does so itself, at http://host:port/metrics.
//
//     auto node = concord::Node::open({.metrics = {.enabled = true, .port = 9568},
//                                      .tracing = {.enabled = true, .exporter = concord::TraceExporter::otlp}});
//
// Of gets inside the process one in 64 is timed for the metrics, of puts, deletes and touches one in 8; all are counted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace concord {

struct MetricsOptions {
  bool enabled = false;                    ///< Measure. A server does unless told otherwise.
  std::optional<std::uint16_t> port = {};  ///< Serve the page there; 0: a free port. None: no port is opened.
  std::string host = "127.0.0.1";          ///< Where that port listens.
};

struct TelemetryOptions {
  bool enabled = true;                     ///< Whether handlers may be attached (concord/telemetry.hpp).
  std::chrono::seconds poll_interval{10};  ///< Between two `concord.cluster.status` events.
};

/// Where spans go.
enum class TraceExporter : std::uint8_t {
  none,    ///< Nowhere; ids are made and passed on.
  output,  ///< A line of JSON each, on standard output.
  otlp,    ///< To an OpenTelemetry collector: JSON over HTTP, at `endpoint`/v1/traces.
  zipkin,  ///< To Zipkin: JSON over HTTP, at `endpoint`.
};

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

struct TracingOptions {
  bool enabled = false;
  TraceExporter exporter = TraceExporter::none;
  std::string endpoint = {};  ///< Empty: http://127.0.0.1:4318, or http://127.0.0.1:9411/api/v2/spans of Zipkin.
  double sample_ratio = 1.0;  ///< Share of the traces begun here that is kept, 0 to 1. Others go as their parent went.
  bool keep_errors = false;   ///< Calls that fail are kept whatever was drawn; all are recorded for that.
  bool show_keys = false;     ///< Spans name the key (`concord.key`).
  std::string service_name = "concord";
  NamedTexts resource = {};                   ///< Further attributes of the service.
  NamedTexts headers = {};                    ///< Sent with each export, like an API key.
  std::size_t queue_size = 2048;              ///< Spans that wait; more are dropped, and counted.
  std::size_t batch_size = 512;               ///< Spans of one export.
  std::chrono::milliseconds interval{5000};   ///< The longest a span waits to be sent.
  std::chrono::milliseconds timeout{10'000};  ///< Of one export.
};

}  // namespace concord
