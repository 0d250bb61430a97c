// One POST over HTTP or HTTPS, with a deadline for all of it. For what leaves the node to a collector: a connection each, and no
// redirects.
//
// Thread rule: any thread; it blocks, at most `timeout`, or until a second after `is_ending`.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include <concord/error.hpp>
#include <concord/observability.hpp>

namespace concord::observe {

struct HttpPost {
  const std::string& url;  ///< http://host[:port][/path], https://...
  const NamedTexts& headers;
  const std::string& body;  ///< JSON
  std::chrono::milliseconds timeout{10'000};
  const std::atomic<bool>* is_ending = nullptr;  ///< once it is true, a second is left
};

/// The status of the answer. Errors: invalid_request (no such URL), cluster_not_ready (nobody is there), timeout.
[[nodiscard]] Result<unsigned> http_post(const HttpPost& post);

/// Whether it can be posted to.
[[nodiscard]] bool is_post_url(const std::string& url);

}  // namespace concord::observe
