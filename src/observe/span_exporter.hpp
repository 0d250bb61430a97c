// Sends spans on: a bounded queue, and a thread that empties it in batches.
//
// A batch goes when it is full or its oldest span has waited `TracingOptions::interval`. What does not fit into the queue is dropped
// and counted; a batch that the collector does not take is lost and counted: nobody waits, and nothing is kept for later. The log
// says once that the collector is away, and once that it is there again.
//
// Thread rule: any thread. The destructor sends what waits, for at most a second.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <concord/options.hpp>

#include "base/mutex.hpp"
#include "observe/span.hpp"

namespace concord::observe {

class SpanExporter {
 public:
  SpanExporter(const TracingOptions& options, std::string_view node,
               std::function<void(LogLevel, std::string_view)> log);
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  void take(SpanData&& span) noexcept;

  [[nodiscard]] std::uint64_t exported() const noexcept { return exported_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] bool is_needed() const noexcept { return options_.enabled && options_.exporter != TraceExporter::none; }
  void run();
  [[nodiscard]] std::vector<SpanData> next_batch();
  void send(const std::vector<SpanData>& batch);
  [[nodiscard]] Result<void> export_batch(const std::vector<SpanData>& batch) const;
  [[nodiscard]] Result<void> post(const std::string& url, const std::string& body) const;

  const TracingOptions options_;
  const std::string node_;
  const std::function<void(LogLevel, std::string_view)> log_;
  std::atomic<std::uint64_t> exported_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> failed_{0};
  bool is_away_ = false;  // the thread's

  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<SpanData> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> is_ending_{false};
  std::thread thread_;
};

}  // namespace concord::observe
