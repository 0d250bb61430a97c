#include "observe/http_metrics.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace concord::observe {

HttpMetrics::~HttpMetrics() {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    for (auto& place : series_[i]) delete place.load(std::memory_order_relaxed);
  }
}

void HttpMetrics::set_routes(std::vector<HttpRoute> routes) {
  routes_ = std::move(routes);
  routes_.push_back({.method = "other", .path = "none"});
  series_ = std::make_unique<Places[]>(routes_.size());
}

void HttpMetrics::record(std::size_t route, unsigned status, std::uint64_t duration_ns, std::uint64_t request_bytes,
                         std::uint64_t response_bytes) noexcept {
  if (routes_.empty()) return;
  if (Series* const series = find(series_[std::min(route, routes_.size() - 1)], status)) {
    series->durations.record(duration_ns);
  }
  request_sizes.record(request_bytes);
  response_sizes.record(response_bytes);
}

/// The places of a route are taken in the order in which its statuses come up, and never given back.
HttpMetrics::Series* HttpMetrics::find(Places& places, unsigned status) noexcept {
  for (auto& place : places) {
    Series* series = place.load(std::memory_order_acquire);
    if (series == nullptr) {
      std::unique_ptr<Series> made(new (std::nothrow) Series());
      if (!made) return nullptr;
      made->status = status;
      if (place.compare_exchange_strong(series, made.get(), std::memory_order_acq_rel)) return made.release();
    }
    if (series->status == status) return series;
  }
  return places.back().load(std::memory_order_acquire);
}

}  // namespace concord::observe
