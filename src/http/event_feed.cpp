#include "http/event_feed.hpp"

#include <algorithm>
#include <utility>

#include "http/event_text.hpp"
#include "http/reply.hpp"
#include "value/json_string.hpp"

namespace concord::http {
namespace {

/// Of one turn: as many events, or as much text of them, as others wait for without noticing.
constexpr std::size_t most_events = 64;
constexpr std::size_t most_bytes = 64U << 10U;
constexpr std::size_t most_looked_at = 4096;
/// Taken at once: values may be large.
constexpr std::size_t few_events = 8;

}  // namespace

void append_end_members(std::string& to, const Error& why, Revision oldest) {
  to += "\"code\":\"";
  to.append(error_name(why.code()));
  to += "\",\"message\":";
  value::append_json_string(to, why.message());
  if (why.code() != Errc::compacted) return;
  to += ",\"oldest_revision\":";
  append_number(to, oldest.value());
}

/// Of what was given out, and what does not match.
void EventFeed::append_sign_of_life(std::string& to) {
  to += ": revision ";
  append_number(to, subscriber_->position().value());
  to += "\n\n";
}

Feed::State EventFeed::append(std::string& to) {
  if (auto confirmed = confirm_(); !confirmed) subscriber_->finish(std::move(confirmed.error()));
  if (!std::exchange(has_begun_, true)) append_sign_of_life(to);
  const std::size_t most = std::min(most_events, subscriber_->max_demand());
  for (std::size_t count = 0; count < most && to.size() < most_bytes; count += events_.size()) {
    events_.clear();
    const auto more = subscriber_->take_some(events_, std::min(few_events, most - count), most_looked_at);
    if (!more) {
      to += "event: end\ndata: {";
      append_end_members(to, more.error(), subscriber_->oldest_revision());
      to += "}\n\n";
      return State::ended;
    }
    for (const Event& event : events_) append_server_sent_event(to, event);
    if (!*more) return State::waiting;
    if (events_.empty()) return State::more;  // it has looked at enough
  }
  return State::more;
}

}  // namespace concord::http
