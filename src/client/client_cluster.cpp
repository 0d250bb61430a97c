// The cluster group of the remote client.
#include <concord/client.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/timeout.hpp"
#include "client/client_impl.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "value/json_string.hpp"

namespace concord {

using client::Method;
using client::Request;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// How often the nodes are asked whether they are ready, and how long one answer may take.
constexpr milliseconds ask_interval{50};
constexpr milliseconds longest_ask{2000};
constexpr std::size_t max_name_bytes = 255;

Result<void> check_name(std::string_view name) {
  if (name.empty() || name.size() > max_name_bytes) {
    return fail(Errc::invalid_request, "the name of a member has 1 to 255 bytes");
  }
  if (!value::is_utf8(name)) return fail(Errc::invalid_request, "the name of a member is not UTF-8");
  return {};
}

}  // namespace

Result<Status> Client::status() {
  Request request = client::read_request({}, impl_->core.options());
  request.target = "/api/v1/status";
  return client::status_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::wait_ready(milliseconds timeout) {
  const auto end = steady_clock::now() + base::bounded(timeout);
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    Request request = client::read_request({}, impl_->core.options());
    request.target = "/readyz";
    request.is_spread = true;
    request.timeout = std::clamp(left, milliseconds(1), longest_ask);
    auto ready = client::done_of(impl_->core.wait(std::move(request)));
    if (ready || !ready.error().retryable()) return ready;
    if (steady_clock::now() + ask_interval >= end) {
      return fail(Errc::cluster_not_ready,
                  "not ready after " + std::to_string(timeout.count()) + " ms: " + ready.error().message());
    }
    std::this_thread::sleep_for(ask_interval);
  }
}

Result<void> Client::add_member(std::string_view name, std::string_view peer, const WriteOptions& options) {
  if (auto valid = check_name(name); !valid) return valid;
  if (!value::is_utf8(peer)) return fail(Errc::invalid_request, "the address of a member is not UTF-8");
  Request request = client::write_request(options, impl_->core.options());
  client::set_add_member(request, name, peer);
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::remove_member(std::string_view name, const WriteOptions& options) {
  if (auto valid = check_name(name); !valid) return valid;
  Request request = client::write_request(options, impl_->core.options());
  client::set_member(request, Method::del, name, {});
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::promote(std::string_view name, const WriteOptions& options) {
  if (auto valid = check_name(name); !valid) return valid;
  Request request = client::write_request(options, impl_->core.options());
  client::set_member(request, Method::post, name, "/promote");
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::transfer_leadership(std::string_view name, const WriteOptions& options) {
  if (!name.empty()) {
    if (auto valid = check_name(name); !valid) return valid;
  }
  Request request = client::write_request(options, impl_->core.options());
  client::set_leader(request, name);
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::trigger_snapshot(const WriteOptions& options) {
  Request request = client::write_request(options, impl_->core.options());
  request.method = Method::post;
  request.target = "/api/v1/cluster/snapshot";
  return client::done_of(impl_->core.wait(std::move(request)));
}

}  // namespace concord
