// A port that serves one page, GET /metrics, and nothing else: for Prometheus, beside the API and apart from its limits.
//
// HTTP/1.1, one request a connection, no more than some connections at a time; a client has 5 s for its request. One thread.
// Thread rule: `start` and the destructor once; the page is made on the server's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <concord/error.hpp>

namespace concord::observe {

class MetricsServer {
 public:
  /// Port 0: a free one. Errors: invalid_request, with the address and the reason.
  [[nodiscard]] static Result<std::unique_ptr<MetricsServer>> start(const std::string& host, std::uint16_t port,
                                                                    std::function<std::string()> page);
  ~MetricsServer();
  MetricsServer(MetricsServer&&) = delete;
  MetricsServer& operator=(MetricsServer&&) = delete;

  /// "http://127.0.0.1:9568/metrics"
  [[nodiscard]] const std::string& url() const noexcept;

 private:
  class Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concord::observe
