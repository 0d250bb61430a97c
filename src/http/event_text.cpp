#include "http/event_text.hpp"

#include <string_view>
#include <utility>

#include "base/base64.hpp"
#include "http/reply.hpp"
#include "http/time_text.hpp"
#include "value/json_string.hpp"

namespace concord::http {
namespace {

void append_previous(std::string& to, const Value& value) {
  to += ",\"previous\":";
  if (value.is_bytes()) {
    to += '"';
    base::append_base64(to, value.bytes());
    to += "\",\"previous_encoding\":\"base64\"";
  } else {
    to.append(value.json_text());
  }
}

void append_key_and_values(std::string& to, const EventChange& change) {
  append_key_member(to, change.key);
  if (change.value) {
    to += ',';
    append_value_member(to, *change.value);
  }
  if (change.previous) append_previous(to, *change.previous);
}

void append_ttl(std::string& to, const EventChange& change) {
  to += "\"ttl\":";
  append_number(to, static_cast<std::uint64_t>(change.ttl->count()));
}

void append_change(std::string& to, const EventChange& change) {
  to += "{\"op\":\"";
  to.append(event_type_name(change.op));
  to += "\",";
  append_key_and_values(to, change);
  if (change.ttl) {
    to += ',';
    append_ttl(to, change);
  }
  to += '}';
}

void append_several(std::string& to, const Event& event) {
  to += ",\"keys\":[";
  bool first = true;
  for (const EventChange& change : event.changes) {
    if (!std::exchange(first, false)) to += ',';
    append_key(to, change.key);
  }
  to += "],\"changes\":[";
  first = true;
  for (const EventChange& change : event.changes) {
    if (!std::exchange(first, false)) to += ',';
    append_change(to, change);
  }
  to += ']';
}

}  // namespace

void append_event_json(std::string& to, const Event& event) {
  const bool is_of_several = event.change_count > 1;
  const bool shows_one = event.changes.size() == 1;
  to += "{\"type\":\"";
  to.append(event_type_name(event.type));
  to += "\",\"timestamp\":\"";
  to.append(rfc3339(event.timestamp));
  to += "\",\"node\":";
  value::append_json_string(to, event.node);
  if (event.revision != Revision(0)) {
    to += ",\"revision\":";
    append_number(to, event.revision.value());
  }
  to += ",\"metadata\":{";
  if (is_of_several) {
    to += "\"count\":";
    append_number(to, event.changes.size());
  } else if (shows_one && event.changes.front().ttl) {
    append_ttl(to, event.changes.front());
  }
  to += '}';
  if (shows_one) {
    to += ',';
    append_key_and_values(to, event.changes.front());
  }
  if (is_of_several) append_several(to, event);
  to += '}';
}

void append_server_sent_event(std::string& to, const Event& event) {
  if (event.revision != Revision(0)) {
    to += "id: ";
    append_number(to, event.revision.value());
    to += '\n';
  }
  to += "event: ";
  to.append(event_type_name(event.type));
  to += "\ndata: ";
  append_event_json(to, event);
  to += "\n\n";
}

}  // namespace concord::http
