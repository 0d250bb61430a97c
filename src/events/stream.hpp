// The event stream of a node: what it keeps, and those who follow it.
//
// Thread rule: any thread.
#pragma once

#include <memory>
#include <string>

#include <concord/error.hpp>
#include <concord/events.hpp>

#include "events/filter.hpp"
#include "events/hub.hpp"
#include "events/subscriber.hpp"
#include "store/history.hpp"

namespace concord::events {

/// In whose name somebody subscribes, and what he may see.
struct Viewer {
  std::string owner = {};           ///< `finish_those_of` ends his subscriptions; empty: nobody's
  std::string tenant = {};          ///< whose he is; empty: of none
  std::uint64_t max_of_tenant = 0;  ///< so many subscriptions its users have on this node together; 0: no limit
  MayShow may_show = {};
};

class Stream {
 public:
  Stream(std::shared_ptr<store::History> history, HubSettings settings);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Errors: invalid_request (an option; a revision that is still to come); compacted; overloaded (his tenant has as many as it may);
  /// cluster_not_ready.
  [[nodiscard]] Result<std::shared_ptr<Subscriber>> subscribe(const SubscribeOptions& options, Viewer viewer = {});

  [[nodiscard]] EventStats stats() const { return hub_->stats(); }
  [[nodiscard]] Revision newest() const noexcept { return hub_->history().newest(); }
  [[nodiscard]] Revision oldest() const { return hub_->history().oldest(); }

  [[nodiscard]] bool wants_reads() const noexcept { return hub_->wants_reads(); }
  void publish_reads(const std::vector<std::string_view>& keys, const std::vector<std::optional<Value>>& values) {
    hub_->publish_reads(keys, values);
  }

  /// `why` ends the subscriptions of an owner. Precondition: he has a name.
  void finish_those_of(std::string_view owner, const Error& why) { hub_->finish_those_of(owner, why); }
  /// Ends all subscriptions.
  void close() { hub_->stop(); }

 private:
  const std::size_t buffer_size_;
  std::shared_ptr<Hub> hub_;
};

}  // namespace concord::events
