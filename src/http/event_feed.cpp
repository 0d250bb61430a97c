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
  const std::uint64_t position = subscriber_->position().value();
  if (form_ == EventForm::server_sent) {
    to += ": revision ";
    append_number(to, position);
    to += "\n\n";
    return;
  }
  message_ = R"({"type":"position","revision":)";
  append_number(message_, position);
  message_ += '}';
  append_text_frame(to, message_);
}

void EventFeed::append_event(std::string& to, const Event& event) {
  if (form_ == EventForm::server_sent) return append_server_sent_event(to, event);
  message_.clear();
  append_event_json(message_, event);
  append_text_frame(to, message_);
}

void EventFeed::append_end(std::string& to, const Error& why) {
  const bool is_text = form_ == EventForm::server_sent;
  message_ = is_text ? "event: end\ndata: {" : R"({"type":"end",)";
  append_end_members(message_, why, subscriber_->oldest_revision());
  message_ += '}';
  if (is_text) {
    to += message_ += "\n\n";
    return;
  }
  append_text_frame(to, message_);
  const bool is_refused = why.code() == Errc::unauthorized || why.code() == Errc::forbidden;
  const bool goes_away = why.code() == Errc::cluster_not_ready;
  append_close_frame(to,
                     is_refused  ? CloseCode::not_allowed
                     : goes_away ? CloseCode::going_away
                                 : CloseCode::internal_error,
                     why.message());
}

/// Server-sent events have no way back: what comes there is thrown away.
bool EventFeed::take(std::string_view input, std::string& answer) {
  return form_ == EventForm::server_sent || input_.take(input, answer);
}

Feed::State EventFeed::append(std::string& to) {
  if (auto confirmed = confirm_(); !confirmed) subscriber_->finish(std::move(confirmed.error()));
  if (!std::exchange(has_begun_, true)) append_sign_of_life(to);
  const std::size_t most = std::min(most_events, subscriber_->max_demand());
  for (std::size_t count = 0; count < most && to.size() < most_bytes; count += events_.size()) {
    events_.clear();
    const auto more = subscriber_->take_some(events_, std::min(few_events, most - count), most_looked_at);
    if (!more) {
      append_end(to, more.error());
      return State::ended;
    }
    for (const Event& event : events_) append_event(to, event);
    if (!*more) return State::waiting;
    if (events_.empty()) return State::more;  // it has looked at enough
  }
  return State::more;
}

}  // namespace concord::http
