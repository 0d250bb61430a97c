#include "observe/api_metrics.hpp"

#include <new>

namespace concord::observe {

ApiMetrics::ApiMetrics() = default;

ApiMetrics::~ApiMetrics() {
  for (auto& histogram : durations_) delete histogram.load(std::memory_order_relaxed);
}

std::uint64_t ApiMetrics::count_of(std::size_t series) const noexcept {
  std::uint64_t count = 0;
  for (const Stripe& stripe : stripes_) count += stripe.counts[series].load(std::memory_order_relaxed);
  return count;
}

std::uint64_t ApiMetrics::errors_of(ApiOperation operation, std::size_t code) const noexcept {
  return errors_[static_cast<std::size_t>(operation)][code].load(std::memory_order_relaxed);
}

HistogramSnapshot ApiMetrics::recent_of(std::size_t series, const HistogramSnapshot& all, Recent::Time now) {
  if (!recent_[series]) recent_[series] = std::make_unique<Recent>(started_at_);
  return recent_[series]->of(all, now);
}

void ApiMetrics::count_error(ApiOperation operation, Errc code) noexcept {
  const auto position = static_cast<std::size_t>(code);
  if (position < error_code_count) {
    errors_[static_cast<std::size_t>(operation)][position].fetch_add(1, std::memory_order_relaxed);
  }
}

/// A histogram is made when it is first needed: most of the series never are. Whoever comes second with one gives it back.
void ApiMetrics::time(std::size_t series, std::uint64_t duration_ns) noexcept {
  Histogram* histogram = durations_[series].load(std::memory_order_acquire);
  if (histogram == nullptr) {
    std::unique_ptr<Histogram> made(new (std::nothrow) Histogram());
    if (!made) return;
    if (durations_[series].compare_exchange_strong(histogram, made.get(), std::memory_order_acq_rel)) {
      histogram = made.release();
    }
  }
  histogram->record(duration_ns);
}

}  // namespace concord::observe
