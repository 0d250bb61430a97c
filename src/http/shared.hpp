// What all connections of a server share. Constant but for the counters.
#pragma once

#include <atomic>
#include <cstddef>

#include "http/browser_guard.hpp"
#include "http/call.hpp"
#include "http/route.hpp"
#include "http/server.hpp"

namespace concord::http {

struct Shared {
  Site site;
  RouteTable table;
  Settings settings;
  BrowserGuard browser_guard;
  std::size_t worker_count = 1;
  std::atomic<std::size_t> connections = 0;  ///< open
  /// Transactions whose outcome has not come back. Once it is 0 after a stop, no library thread touches the server any more.
  std::atomic<std::size_t> in_flight = 0;
  std::atomic<bool> draining = false;

  /// One more is open, or one less; returns how many were before.
  std::size_t count_connection(bool is_open) noexcept {
    const std::size_t before = is_open ? connections.fetch_add(1) : connections.fetch_sub(1);
    observe::Metrics* const metrics = site.observer == nullptr ? nullptr : site.observer->metrics();
    if (metrics != nullptr)
      metrics->http.connections.store(is_open ? before + 1 : before - 1, std::memory_order_relaxed);
    return before;
  }

  void log(LogLevel level, std::string_view line) const {
    if (settings.log) settings.log(level, line);
  }
};

}  // namespace concord::http
