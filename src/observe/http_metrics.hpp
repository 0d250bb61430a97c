// How long HTTP requests took, by route and status, and how large they were.
//
// The routes are given once, before the first request; what matches none counts under its own name. So there are no more series
// than routes and statuses, whatever clients send. Thread rule: `record` from any thread; `set_routes` before all else.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "observe/histogram.hpp"

namespace concord::observe {

struct HttpRoute {
  std::string method;
  std::string path;  ///< the template: "/api/v1/kv/{key}"
};

class HttpMetrics {
 public:
  static constexpr std::size_t no_route = ~std::size_t{0};

  struct Series {
    unsigned status = 0;
    Histogram durations;
  };
  static constexpr std::size_t most_statuses = 24;  ///< of one route; more count as the last

  void set_routes(std::vector<HttpRoute> routes);
  [[nodiscard]] bool has_routes() const noexcept { return !routes_.empty(); }

  /// `route`: its position, or `no_route`.
  void record(std::size_t route, unsigned status, std::uint64_t duration_ns, std::uint64_t request_bytes,
              std::uint64_t response_bytes) noexcept;

  /// `visit(route, series)`: those that have been seen.
  template <class Visit>
  void each(const Visit& visit) const {
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      for (const auto& place : series_[i]) {
        if (const Series* series = place.load(std::memory_order_acquire)) visit(routes_[i], *series);
      }
    }
  }

  Histogram request_sizes;
  Histogram response_sizes;
  std::atomic<std::uint64_t> connections{0};  ///< open

  HttpMetrics() = default;
  ~HttpMetrics();
  HttpMetrics(const HttpMetrics&) = delete;
  HttpMetrics& operator=(const HttpMetrics&) = delete;

 private:
  using Places = std::array<std::atomic<Series*>, most_statuses>;

  [[nodiscard]] Series* find(Places& places, unsigned status) noexcept;

  std::vector<HttpRoute> routes_;     // the last one: no route
  std::unique_ptr<Places[]> series_;  // of the route at the same position
};

}  // namespace concord::observe
