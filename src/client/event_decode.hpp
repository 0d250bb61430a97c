// Events as the API writes them (http/event_text.hpp), as events.
//
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <concord/events.hpp>

namespace concord::client {

/// Errors: internal, for what is no event.
[[nodiscard]] Result<Event> event_of(std::string_view data);

/// Why a stream ended, or was refused.
struct StreamEnd {
  Error why;
  Revision oldest = {};  ///< with compacted
};
/// Of the data of an event `end`.
[[nodiscard]] StreamEnd stream_end_of(std::string_view data);
/// Of an answer that is no stream.
[[nodiscard]] StreamEnd stream_end_of(unsigned status, std::string_view body);

/// Path and query of a subscription, without where it begins.
[[nodiscard]] std::string events_target(const SubscribeOptions& options);

}  // namespace concord::client
