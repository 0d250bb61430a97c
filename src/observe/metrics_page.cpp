#include "observe/metrics_page.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <concord/version.hpp>

#include "observe/exposition.hpp"
#include "observe/process_metrics.hpp"

namespace concord::observe {
namespace {

using std::chrono::steady_clock;

constexpr std::array request_bounds_s = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                         0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};
constexpr std::array disk_bounds_s = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                      0.025,   0.05,   0.1,     0.25,   0.5,   1.0,    2.5};
constexpr std::array size_bounds = {64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 16777216.0};

constexpr std::array outcomes = {Outcome::ok, Outcome::not_found, Outcome::error};
constexpr std::array consistencies = {ReadConsistency::eventual, ReadConsistency::leader, ReadConsistency::strong};

/// One line of an operation's metrics, with its labels.
struct ApiSeries {
  std::size_t position = 0;
  std::vector<Label> labels;
};

/// Those of the seed stand there from the start, the others once there is something to tell.
bool is_always_shown(ApiOperation operation, Outcome outcome) {
  return outcome == Outcome::ok &&
         (operation == ApiOperation::put || operation == ApiOperation::get || operation == ApiOperation::del);
}

std::vector<ApiSeries> series_of(const ApiMetrics& api, ApiOperation operation, ReadConsistency default_consistency) {
  std::vector<ApiSeries> found;
  const auto add = [&](Outcome outcome, std::optional<ReadConsistency> consistency, bool always) {
    const std::size_t position = ApiMetrics::series_of(operation, outcome, consistency);
    if (!always && api.count_of(position) == 0) return;
    ApiSeries series{.position = position, .labels = {{"result", outcome_name(outcome)}}};
    if (consistency) series.labels.push_back({"consistency", consistency_name(*consistency)});
    found.push_back(std::move(series));
  };
  const bool is_get = operation == ApiOperation::get;
  for (const Outcome outcome : outcomes) {
    const bool always = is_always_shown(operation, outcome);
    add(outcome, std::nullopt, always && !is_get);
    for (const ReadConsistency consistency : consistencies) {
      add(outcome, consistency, always && is_get && consistency == default_consistency);
    }
  }
  return found;
}

std::string upper(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

void append_operation(Exposition& to, ApiMetrics& api, ApiOperation operation, Recent::Time now) {
  const auto all_series = series_of(api, operation, ReadConsistency::leader);
  if (all_series.empty()) return;
  const std::string name = "concord_api_" + std::string(operation_name(operation));
  const std::string shown = upper(operation_name(operation));
  to.family(name + "_duration_milliseconds", "summary", "Duration of " + shown + " operations");
  for (const ApiSeries& series : all_series) {
    const Histogram* const durations = api.durations_of(series.position);
    const HistogramSnapshot all = durations == nullptr ? HistogramSnapshot() : durations->snapshot();
    to.summary_ms(series.labels, api.recent_of(series.position, all, now), all, api.count_of(series.position));
  }
  to.family(name + "_count_total", "counter", "Number of " + shown + " operations");
  for (const ApiSeries& series : all_series) to.count(series.labels, api.count_of(series.position));
}

void append_errors(Exposition& to, const ApiMetrics& api) {
  to.family("concord_api_errors_total", "counter", "Operations that failed, by the code of the error");
  for (std::size_t i = 0; i < operation_count; ++i) {
    const auto operation = static_cast<ApiOperation>(i);
    for (std::size_t code = 1; code < ApiMetrics::error_code_count; ++code) {
      const std::uint64_t count = api.errors_of(operation, code);
      if (count == 0) continue;
      const std::array labels = {Label{"operation", operation_name(operation)},
                                 Label{"code", error_name(static_cast<Errc>(code))}};
      to.count(labels, count);
    }
  }
}

void append_cluster(Exposition& to, const Status& status, bool is_ready) {
  const ClusterStatus& cluster = status.cluster;
  const auto number = [](auto value) { return static_cast<double>(value); };
  const auto healthy = std::ranges::count_if(cluster.members, &MemberStatus::healthy);
  to.gauge("concord_cluster_size", "Number of entries in the store", number(status.storage.size));
  to.gauge("concord_cluster_memory", "Memory held by the store, in bytes", number(status.storage.memory_bytes));
  to.gauge("concord_cluster_member_count", "Number of members of the cluster", number(cluster.members.size()));
  to.gauge("concord_cluster_healthy_member_count", "Members that this node hears of", number(healthy));
  to.gauge("concord_cluster_commit_index", "Commit index of the log", number(cluster.commit_index));
  to.gauge("concord_cluster_applied_index", "Index up to which the log is applied", number(cluster.applied_index));
  to.gauge("concord_cluster_term", "Term of the log", number(cluster.term));
  to.gauge("concord_cluster_is_leader", "Whether this node leads: 1, else 0",
           cluster.state == NodeState::leader ? 1 : 0);
  to.gauge("concord_cluster_has_leader", "Whether this node knows a leader: 1, else 0", cluster.leader ? 1 : 0);
  to.gauge("concord_node_ready", "Whether this node can serve: 1, else 0", is_ready ? 1 : 0);
  to.gauge("concord_node_failed", "Whether this node has failed for good: 1, else 0",
           cluster.state == NodeState::failed ? 1 : 0);
}

void append_storage(Exposition& to, const StorageStatus& storage) {
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  to.gauge("concord_store_revision", "Revision of the store", number(storage.revision.value()));
  to.gauge("concord_store_memory_bytes", "Memory held by the store", number(storage.memory_bytes));
  to.gauge("concord_storage_writable", "Whether writes are taken: 1, or 0 when the disk is full or has failed",
           storage.writable ? 1 : 0);
  to.gauge("concord_log_size_bytes", "Size of the log on disk", number(storage.log_bytes));
  to.gauge("concord_data_dir_free_bytes", "Free space where the data directory is",
           number(storage.data_dir_free_bytes));
  to.gauge("concord_snapshot_index", "Last log index in the newest snapshot", number(storage.snapshot_index));
}

void append_snapshots(Exposition& to, const NodeMetrics& node) {
  const auto value = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
  to.gauge("concord_snapshot_created_size", "Size of the last snapshot taken, in bytes",
           static_cast<double>(value(node.snapshot_created_bytes)));
  to.gauge("concord_snapshot_installed_size", "Size of the last snapshot received, in bytes",
           static_cast<double>(value(node.snapshot_installed_bytes)));
  to.counter("concord_snapshot_created_count_total", "Snapshots taken", value(node.snapshots_created));
  to.counter("concord_snapshot_installed_count_total", "Snapshots received", value(node.snapshots_installed));
  to.counter("concord_snapshot_failures_total", "Snapshots that could not be taken", value(node.snapshot_failures));
}

void append_node(Exposition& to, const NodeMetrics& node) {
  to.family("concord_log_fsync_duration_seconds", "histogram", "Syncs of the log that writes wait for");
  to.histogram_seconds(Labels(), node.fsync.snapshot(), disk_bounds_s);
  to.family("concord_commit_duration_seconds", "histogram", "From a proposal of this node to its being applied here");
  to.histogram_seconds(Labels(), node.commit.snapshot(), disk_bounds_s);
  to.counter("concord_role_changes_total", "How often this node became the leader or ceased to be it",
             node.role_changes.load(std::memory_order_relaxed));
}

void append_http(Exposition& to, const HttpMetrics& http) {
  if (!http.has_routes()) return;
  to.family("concord_http_request_duration_seconds", "histogram", "From a whole HTTP request to its whole answer");
  http.each([&](const HttpRoute& route, const HttpMetrics::Series& series) {
    const std::string status = std::to_string(series.status);
    const std::array labels = {Label{"method", route.method}, Label{"route", route.path}, Label{"code", status}};
    to.histogram_seconds(labels, series.durations.snapshot(), request_bounds_s);
  });
  to.family("concord_http_request_size_bytes", "histogram", "Bodies of HTTP requests");
  to.histogram(Labels(), http.request_sizes.snapshot(), size_bounds);
  to.family("concord_http_response_size_bytes", "histogram", "Bodies of HTTP answers");
  to.histogram(Labels(), http.response_sizes.snapshot(), size_bounds);
  to.gauge("concord_http_connections", "HTTP connections that are open",
           static_cast<double>(http.connections.load(std::memory_order_relaxed)));
}

}  // namespace

std::string MetricsPage::render(const Status& status, bool is_ready) {
  Metrics* const metrics = observer_.metrics();
  if (metrics == nullptr) return {};
  const base::MutexLock lock(mutex_);
  observer_.calibrate();
  const auto now = steady_clock::now();
  Exposition page;
  page.family("concord_build_info", "gauge", "The version that runs; always 1");
  page.sample({{"version", status.version}, {"node", status.node}, {"cluster", status.cluster.name}}, 1);
  page.gauge("concord_uptime_seconds", "Since the node was opened", static_cast<double>(status.uptime.count()));
  append_cluster(page, status, is_ready);
  append_storage(page, status.storage);
  append_snapshots(page, metrics->node);
  for (std::size_t i = 0; i < operation_count; ++i) {
    append_operation(page, metrics->api, static_cast<ApiOperation>(i), now);
  }
  append_errors(page, metrics->api);
  const HistogramSnapshot applies = metrics->node.apply.snapshot();
  if (!recent_applies_) recent_applies_ = std::make_unique<Recent>(now);
  page.family("concord_operation_apply_duration_milliseconds", "summary", "Duration of a command in the state machine");
  page.summary_ms(Labels(), recent_applies_->of(applies, now), applies,
                  metrics->node.applied_commands.load(std::memory_order_relaxed));
  page.counter("concord_operation_apply_count_total", "Commands applied to the state machine",
               metrics->node.applied_commands.load(std::memory_order_relaxed));
  append_node(page, metrics->node);
  page.counter("concord_telemetry_dropped_total", "Telemetry events that found the queue full",
               observer_.telemetry().dropped());
  page.counter("concord_telemetry_handler_failures_total", "Telemetry handlers that threw and were detached",
               observer_.telemetry().failures());
  if (const Tracer& tracer = observer_.tracer(); tracer.is_on()) {
    page.counter("concord_tracing_spans_exported_total", "Spans that the collector took", tracer.exporter().exported());
    page.counter("concord_tracing_spans_dropped_total", "Spans that found the queue full", tracer.exporter().dropped());
    page.counter("concord_tracing_spans_failed_total", "Spans that the collector did not take",
                 tracer.exporter().failed());
  }
  append_http(page, metrics->http);
  append_process_metrics(page);
  return page.take();
}

}  // namespace concord::observe
