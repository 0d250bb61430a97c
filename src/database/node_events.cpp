// The event stream of the embedded node.
#include <concord/node.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include "calls/subscription.hpp"
#include "database/node_impl.hpp"

namespace concord {
namespace {

/// For the leader's word, when this node has to ask for it.
constexpr std::chrono::milliseconds subscribe_timeout{5000};

}  // namespace

Result<Subscription> Node::subscribe(const SubscribeOptions& options) {
  return impl_->audited("subscribe", Impl::reading({.token = options.token}),
                        [&] { return impl_->subscribe(options); });
}

Result<Subscription> Node::Impl::subscribe(const SubscribeOptions& options) const {
  const auto access = database->access_of(options.token, subscribe_timeout);
  if (!access) return std::unexpected(access.error());
  if (auto may = database::allowed(access->judge(Permission::read)); !may) {
    return std::unexpected(std::move(may.error()));
  }
  if (options.after_revision > database->newest_event()) {
    // What another member has told of may not have come here yet.
    auto caught_up = database->catch_up();
    if (!caught_up) return std::unexpected(std::move(caught_up.error()));
  }
  events::Viewer viewer;
  if (access->token() != nullptr) {
    viewer.owner = acl::id_text(access->id());
    if (const Tenant* const tenant = access->tenant()) {
      viewer.tenant = tenant->name;
      viewer.max_of_tenant = tenant->quotas.max_subscribers;
    }
    // As of then: what is taken back shows no more. It may be asked when the node has gone.
    viewer.may_show = [access = *access, database = database.get(), gate = gate](std::string_view key) {
      if (!gate->enter()) return false;
      const auto now = database->renewed(access);
      gate->leave();
      return now && now->judge_key(Permission::read, key) == command::Refusal::none;
    };
  }
  auto subscriber = database->subscribe(options, std::move(viewer));
  if (!subscriber) return std::unexpected(std::move(subscriber.error()));
  return Subscription(std::move(*subscriber));
}

Result<EventStats> Node::event_stats() { return impl_->database->event_stats(); }

}  // namespace concord
