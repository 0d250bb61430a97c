#include "client/event_decode.hpp"

#include <chrono>
#include <utility>

#include "client/encode.hpp"
#include "client/json_walk.hpp"

namespace concord::client {
namespace {

using std::chrono::system_clock;

/// "2026-02-03T04:05:06.789Z"; the epoch for what is none.
system_clock::time_point time_of(std::string_view text) {
  constexpr std::string_view form = "2026-02-03T04:05:06.789Z";
  if (text.size() != form.size()) return {};
  const auto number = [&](std::size_t from, std::size_t size) {
    int value = 0;
    std::from_chars(text.data() + from, text.data() + from + size, value);
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok()) return {};
  return std::chrono::sys_days(day) + std::chrono::hours(number(11, 2)) + std::chrono::minutes(number(14, 2)) +
         std::chrono::seconds(number(17, 2)) + std::chrono::milliseconds(number(20, 3));
}

/// Of an event with one change, or of one of several.
struct ChangeReader {
  EventChange change;
  bool has_key = false;

  void read(std::string_view object) {
    std::string_view value;
    std::string_view previous;
    bool is_value_base64 = false;
    bool is_previous_base64 = false;
    each_member(object, [&](std::string_view name, std::string_view json) {
      if (name == "op" || name == "type") change.op = parse_event_type(text_of(json)).value_or(EventType::put);
      if (name == "key") change.key = text_of(json);
      if (name == "key_b64") change.key = base::decode_base64(text_of(json)).value_or(std::string());
      if (name == "value") value = json;
      if (name == "encoding") is_value_base64 = true;
      if (name == "previous") previous = json;
      if (name == "previous_encoding") is_previous_base64 = true;
      if (name == "ttl") change.ttl = std::chrono::seconds(number_of(json));
      if (name == "metadata") read_ttl(json);
      has_key = has_key || name == "key" || name == "key_b64";
    });
    if (!value.empty()) change.value = value_from(value, is_value_base64);
    if (!previous.empty()) change.previous = value_from(previous, is_previous_base64);
  }
  void read_ttl(std::string_view metadata) {
    each_member(metadata, [&](std::string_view name, std::string_view json) {
      if (name == "ttl") change.ttl = std::chrono::seconds(number_of(json));
    });
  }
};

}  // namespace

Result<Event> event_of(std::string_view data) {
  const auto text = value::compact_json(data, max_depth);
  if (!text) return fail(Errc::internal, "a node sent an event that is no JSON: " + text.error().message());
  Event event;
  std::optional<EventType> type;
  std::string_view several;
  each_member(*text, [&](std::string_view name, std::string_view json) {
    if (name == "type") type = parse_event_type(text_of(json));
    if (name == "timestamp") event.timestamp = time_of(text_of(json));
    if (name == "node") event.node = text_of(json);
    if (name == "revision") event.revision = Revision(number_of(json));
    if (name == "changes") several = json;
    if (name != "metadata") return;
    each_member(json, [&](std::string_view part, std::string_view count) {
      if (part == "count") event.change_count = number_of(count);
    });
  });
  if (!type) return fail(Errc::internal, "a node sent an event of a type that is not known here");
  event.type = *type;
  if (!several.empty()) {
    each_item(several, [&](std::string_view object) {
      ChangeReader reader;
      reader.read(object);
      event.changes.push_back(std::move(reader.change));
    });
    return event;
  }
  ChangeReader reader;
  reader.read(*text);
  event.change_count = reader.has_key ? 1 : 0;
  if (reader.has_key) event.changes.push_back(std::move(reader.change));
  return event;
}

StreamEnd stream_end_of(std::string_view data) {
  StreamEnd end{.why = Error(Errc::internal, "the stream ended")};
  const auto text = value::compact_json(data, max_depth);
  if (!text) return end;
  std::string code;
  std::string message;
  each_member(*text, [&](std::string_view name, std::string_view json) {
    if (name == "code") code = text_of(json);
    if (name == "message") message = text_of(json);
    if (name == "oldest_revision") end.oldest = Revision(number_of(json));
  });
  constexpr unsigned unknown_status = 500;
  end.why = Error(code_named(code, unknown_status), std::move(message));
  return end;
}

StreamEnd stream_end_of(unsigned status, std::string_view body) {
  std::string_view error;
  const auto text = value::compact_json(body, max_depth);
  if (text) {
    each_member(*text, [&](std::string_view name, std::string_view json) {
      if (name == "error") error = json;
    });
  }
  if (!error.empty()) return stream_end_of(error);
  return {.why = Error(Errc::internal, "the endpoint answered " + std::to_string(status) +
                                           " with what is no answer of Concord: is it a node's API?")};
}

std::string events_target(const SubscribeOptions& options) {
  std::string target = "/api/v1/events?max_demand=" + std::to_string(options.max_demand);
  const auto add = [&](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    target.append("&").append(name).append("=");
    append_percent_encoded(target, text);
  };
  add("key_pattern", options.key_pattern);
  add("prefix", options.prefix);
  std::string types;
  for (const EventType type : options.event_types) {
    if (!types.empty()) types += ',';
    types.append(event_type_name(type));
  }
  add("event_types", types);
  if (options.keys_only) target += "&keys_only=true";
  if (options.with_previous) target += "&previous=true";
  return target;
}

}  // namespace concord::client
