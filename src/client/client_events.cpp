// The event stream of the remote client.
#include <concord/client.hpp>

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "client/client_impl.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "client/event_source.hpp"
#include "command/pattern.hpp"
#include "value/json_string.hpp"

namespace concord {
namespace {

constexpr std::chrono::milliseconds begin_timeout{5000};

/// What a node would refuse is refused here, in its words.
Result<void> check(const SubscribeOptions& options) {
  if (options.max_demand == 0) return fail(Errc::invalid_request, "max_demand: at least 1");
  if (!value::is_utf8(options.prefix)) return fail(Errc::invalid_request, "the prefix is not UTF-8");
  if (!value::is_utf8(options.key_pattern)) return fail(Errc::invalid_request, "key_pattern is not UTF-8");
  if (options.key_pattern.empty()) return {};
  const auto pattern = command::Pattern::compile(options.key_pattern);
  if (!pattern) return fail(pattern.error().code(), "key_pattern: " + pattern.error().message());
  return {};
}

}  // namespace

Result<Subscription> Client::subscribe(const SubscribeOptions& options) {
  if (auto valid = check(options); !valid) return std::unexpected(std::move(valid.error()));
  client::Core& core = impl_->core;
  const std::string token = options.token.empty() ? core.options().token : std::string(options.token);
  auto source =
      std::make_shared<client::EventSource>(client::EventSource::Settings{.target = client::events_target(options),
                                                                          .token = token,
                                                                          .max_demand = options.max_demand,
                                                                          .after = options.after_revision,
                                                                          .run = core.runner()});
  const auto begun = std::make_shared<std::promise<Result<void>>>();
  auto answer = begun->get_future();
  core.follow(source, begin_timeout, [begun](Result<void> told) { begun->set_value(std::move(told)); });
  if (auto result = answer.get(); !result) return std::unexpected(std::move(result.error()));
  return Subscription(std::move(source));
}

Result<EventStats> Client::event_stats() {
  client::Request request = client::read_request({}, impl_->core.options());
  request.target = "/api/v1/events/stats";
  return client::event_stats_of(impl_->core.wait(std::move(request)));
}

}  // namespace concord
