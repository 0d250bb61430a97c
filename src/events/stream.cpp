#include "events/stream.hpp"

#include <algorithm>
#include <utility>

namespace concord::events {

Stream::Stream(std::shared_ptr<store::History> history, HubSettings settings)
    : buffer_size_(settings.buffer_size), hub_(std::make_shared<Hub>(std::move(history), std::move(settings))) {
  hub_->start();
}

Stream::~Stream() { close(); }

Result<std::shared_ptr<Subscriber>> Stream::subscribe(const SubscribeOptions& options, Viewer viewer) {
  if (options.max_demand == 0) return fail(Errc::invalid_request, "max_demand: at least 1");
  auto filter = Filter::make(options, std::move(viewer.may_show));
  if (!filter) return std::unexpected(std::move(filter.error()));
  const Revision newest = hub_->history().newest();
  const Revision after = options.after_revision.value_or(newest);
  if (after > newest) {
    return fail(Errc::invalid_request, "after_revision: " + std::to_string(after.value()) +
                                           " is still to come, the newest revision is " +
                                           std::to_string(newest.value()));
  }
  if (after.next() < hub_->history().oldest()) return std::unexpected(hub_->compacted(after));
  auto subscriber =
      std::make_shared<Subscriber>(hub_, Subscriber::Settings{.filter = std::move(*filter),
                                                              .max_demand = std::min(options.max_demand, buffer_size_),
                                                              .after = after,
                                                              .owner = std::move(viewer.owner),
                                                              .tenant = std::move(viewer.tenant)});
  if (auto added = hub_->add(subscriber, viewer.max_of_tenant); !added) {
    return std::unexpected(std::move(added.error()));
  }
  return subscriber;
}

}  // namespace concord::events
