#include "observe/span_exporter.hpp"

#include <algorithm>
#include <exception>
#include <iostream>
#include <iterator>
#include <utility>

#include "observe/http_post.hpp"
#include "observe/span_json.hpp"

namespace concord::observe {
namespace {

std::string endpoint_of(const TracingOptions& options) {
  if (options.exporter == TraceExporter::zipkin) {
    return options.endpoint.empty() ? "http://127.0.0.1:9411/api/v2/spans" : options.endpoint;
  }
  constexpr std::string_view path = "/v1/traces";
  std::string url = options.endpoint.empty() ? "http://127.0.0.1:4318" : options.endpoint;
  while (url.ends_with('/')) url.pop_back();
  if (!url.ends_with(path)) url += path;
  return url;
}

}  // namespace

SpanExporter::SpanExporter(const TracingOptions& options, std::string_view node,
                           std::function<void(LogLevel, std::string_view)> log)
    : options_(options), node_(node), log_(std::move(log)) {
  if (is_needed()) thread_ = std::thread([this] { run(); });
}

SpanExporter::~SpanExporter() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  is_ending_ = true;
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SpanExporter::take(SpanData&& span) noexcept {
  if (!is_needed()) return;
  bool is_full = false;
  try {
    const base::MutexLock lock(mutex_);
    if (queue_.size() >= options_.queue_size) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    queue_.push_back(std::move(span));
    is_full = queue_.size() >= options_.batch_size;
  } catch (const std::exception&) {  // no memory for it
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (is_full) changed_.notify_one();
}

void SpanExporter::run() {
  for (;;) {
    const std::vector<SpanData> batch = next_batch();
    if (batch.empty()) return;
    try {
      send(batch);
    } catch (const std::exception&) {  // no memory for the batch
      failed_.fetch_add(batch.size(), std::memory_order_relaxed);
    }
  }
}

/// Empty: it is the end.
std::vector<SpanData> SpanExporter::next_batch() {
  base::MutexLock lock(mutex_);
  for (;;) {
    (void)changed_.wait_for(lock, options_.interval, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stopping_ || queue_.size() >= options_.batch_size;
    });
    if (!queue_.empty()) break;
    if (stopping_) return {};
  }
  const auto count = std::min<std::size_t>(queue_.size(), std::max<std::size_t>(options_.batch_size, 1));
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<SpanData> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return batch;
}

void SpanExporter::send(const std::vector<SpanData>& batch) {
  if (is_ending_ && is_away_) {  // it would only hold up the end
    failed_.fetch_add(batch.size(), std::memory_order_relaxed);
    return;
  }
  const auto done = export_batch(batch);
  (done ? exported_ : failed_).fetch_add(batch.size(), std::memory_order_relaxed);
  if (std::exchange(is_away_, !done) == !done || !log_) return;
  log_(done ? LogLevel::info : LogLevel::warn,
       done ? "tracing: spans are taken again"
            : "tracing: spans are lost, the collector does not take them: " + done.error().message());
}

Result<void> SpanExporter::export_batch(const std::vector<SpanData>& batch) const {
  switch (options_.exporter) {
    case TraceExporter::none: return {};
    case TraceExporter::output: {
      std::string lines;
      for (const SpanData& span : batch) append_span_line(lines, span);
      std::cout << lines << std::flush;
      return {};
    }
    case TraceExporter::otlp:
      return post(endpoint_of(options_),
                  otlp_json(batch, {.service = options_.service_name, .node = node_, .attributes = options_.resource}));
    case TraceExporter::zipkin: return post(endpoint_of(options_), zipkin_json(batch, options_.service_name));
  }
  return {};
}

Result<void> SpanExporter::post(const std::string& url, const std::string& body) const {
  const auto status = http_post(
      {.url = url, .headers = options_.headers, .body = body, .timeout = options_.timeout, .is_ending = &is_ending_});
  if (!status) return std::unexpected(status.error());
  if (*status < 200 || *status >= 300) return fail(Errc::internal, url + " answers " + std::to_string(*status));
  return {};
}

}  // namespace concord::observe
