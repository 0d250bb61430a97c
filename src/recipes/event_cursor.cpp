#include <concord/recipes/event_cursor.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace concord {
namespace {

constexpr std::string_view revision_member = "revision";

Value value_of(std::optional<Revision> revision) {
  boost::json::value json = boost::json::object();
  json.as_object()[revision_member] = revision ? boost::json::value(revision->value()) : boost::json::value();
  return Value(std::move(json));
}

/// Nothing was acknowledged yet: it begins where it was created.
Result<Revision> place_of(const Entry& entry, const std::string& key) {
  const auto json = entry.value.as<boost::json::value>();
  const auto* const object = json ? json->if_object() : nullptr;
  const auto* const member = object == nullptr ? nullptr : object->if_contains(revision_member);
  if (member != nullptr && member->is_null()) return entry.create_revision;
  boost::system::error_code failed;
  const auto number = member == nullptr ? std::uint64_t{0} : member->to_number<std::uint64_t>(failed);
  if (member == nullptr || failed) return fail(Errc::invalid_request, "the key \"" + key + "\" holds no event cursor");
  return Revision(number);
}

}  // namespace

EventCursor::EventCursor(Store& store, std::string key, EventCursorOptions options, Revision acknowledged,
                         Subscription events)
    : store_(&store),
      key_(std::move(key)),
      options_(std::move(options)),
      acknowledged_(acknowledged),
      events_(std::move(events)) {}

Result<EventCursor> EventCursor::open(Store& store, std::string_view name, SubscribeOptions events,
                                      EventCursorOptions options) {
  std::string key = options.prefix + std::string(name);
  const auto created =
      store.create(key, value_of(events.after_revision), {.timeout = options.timeout, .token = options.token});
  if (!created && created.error().code() != Errc::condition_failed) return std::unexpected(created.error());
  const auto entry = store.get_entry(
      key, {.consistency = ReadConsistency::strong, .timeout = options.timeout, .token = options.token});
  if (!entry) return std::unexpected(entry.error());
  const auto place = place_of(*entry, key);
  if (!place) return std::unexpected(place.error());
  events.after_revision = *place;
  events.token = options.token;
  auto subscription = store.subscribe(events);
  if (!subscription) return std::unexpected(std::move(subscription.error()));
  return EventCursor(store, std::move(key), std::move(options), *place, std::move(*subscription));
}

Result<void> EventCursor::reset(Store& store, std::string_view name, Revision revision,
                                const EventCursorOptions& options) {
  const auto put = store.put(options.prefix + std::string(name), value_of(revision),
                             {.timeout = options.timeout, .token = options.token});
  if (!put) return std::unexpected(put.error());
  return {};
}

Result<std::optional<Event>> EventCursor::next(std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    auto event = events_.next(std::max(left, std::chrono::milliseconds(0)));
    if (!event || !*event) return event;
    const bool is_acknowledgement = (*event)->changes.size() == 1 && (*event)->key() == key_;
    if (!is_acknowledgement) return event;
  }
}

Result<void> EventCursor::acknowledge(Revision revision) {
  if (revision <= acknowledged_) return {};
  const auto put = store_->put_if(key_, value_of(revision),
                                  {.condition = Filter(R"({"$or":[{"revision":null},{"revision":{"$lt":)" +
                                                       std::to_string(revision.value()) + "}}]}"),
                                   .timeout = options_.timeout,
                                   .token = options_.token});
  // Another of the same name has come further.
  if (!put && put.error().code() != Errc::condition_failed) return std::unexpected(put.error());
  acknowledged_ = revision;
  return {};
}

}  // namespace concord
