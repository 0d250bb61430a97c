// GET /api/v1/events: changes as server-sent events; /api/v1/events/stats: how the stream is doing.
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include <boost/beast/core/string.hpp>

#include "http/event_feed.hpp"
#include "http/routes/routes.hpp"
#include "http/schemas.hpp"
#include "http/web_socket.hpp"

namespace concord::http::routes {
namespace {

constexpr std::array parameters = {
    Parameter{.name = "key_pattern",
              .schema = &schemas::regular_expression,
              .description = "A regular expression (RE2) that is searched in the key."},
    Parameter{.name = "prefix", .schema = &schemas::text, .description = "Keys begin so."},
    Parameter{
        .name = "event_types",
        .schema = &schemas::event_types,
        .description = "Events of these types, or that hold such a change; by commas. All but reads unless said."},
    Parameter{.name = "after_revision",
              .schema = &schemas::count,
              .description = "Begins behind this revision. `Last-Event-ID` counts instead, if it is sent."},
    Parameter{
        .name = "max_demand",
        .schema = &schemas::positive,
        .description = "So many events are made ready at most for a client that has not read them; 1000 unless said."},
    Parameter{.name = "keys_only", .schema = &schemas::boolean, .description = "Without values."},
    Parameter{.name = "previous", .schema = &schemas::boolean, .description = "With the values from before."}};

std::expected<std::vector<EventType>, Problem> types_of(std::string_view list) {
  std::vector<EventType> types;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string_view name = list.substr(at, end - at);
    const auto type = parse_event_type(name);
    if (!type) {
      return std::unexpected(
          invalid_request("event_types: \"" + std::string(name.substr(0, 100)) + "\" is no type of event"));
    }
    types.push_back(*type);
    at = end + 1;
  }
  return types;
}

std::expected<std::optional<Revision>, Problem> resume_point(const Call& call) {
  const std::string_view id = call.request.header(Header::last_event_id);
  if (id.empty()) {
    if (call.query.find("after_revision") == nullptr) return std::nullopt;
    return Revision(number_of(call.query, "after_revision", 0));
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) {
    return std::unexpected(
        invalid_request("Last-Event-ID is " + std::string(id.substr(0, 100)) + "; it must be a revision"));
  }
  return Revision(number);
}

std::expected<SubscribeOptions, Problem> read_options(const Call& call) {
  SubscribeOptions options;
  const auto text = [&](std::string_view name) {
    const std::string* const found = call.query.find(name);
    return found == nullptr ? std::string() : *found;
  };
  options.key_pattern = text("key_pattern");
  options.prefix = text("prefix");
  options.keys_only = call.query.is_set("keys_only");
  options.with_previous = call.query.is_set("previous");
  options.max_demand = number_of(call.query, "max_demand", options.max_demand);
  if (const std::string* const list = call.query.find("event_types")) {
    auto types = types_of(*list);
    if (!types) return std::unexpected(std::move(types.error()));
    options.event_types = std::move(*types);
  }
  auto after = resume_point(call);
  if (!after) return std::unexpected(std::move(after.error()));
  options.after_revision = *after;
  return options;
}

bool wants_web_socket(const Request& request) {
  return boost::beast::iequals(request.header(Header::upgrade), "websocket") && !request.is_http_1_0;
}

/// The one place that decides what a stream may show, and in whose name it is open.
events::Viewer viewer_of(const Call& call) {
  events::Viewer viewer;
  if (call.access.token() == nullptr) return viewer;
  viewer.owner = acl::id_text(call.access.id());
  if (const Tenant* const tenant = call.access.tenant()) {
    viewer.tenant = tenant->name;
    viewer.max_of_tenant = tenant->quotas.max_subscribers;
  }
  if (call.access.scope(Permission::read)->is_everything()) return viewer;
  // When that changes, the feed ends (`Database::confirm`).
  viewer.may_show = [access = call.access](std::string_view key) {
    return access.scope(Permission::read)->covers(key);
  };
  return viewer;
}

void refuse_subscription(Call& call, const Error& why) {
  call.refuse(why);
  if (why.code() != Errc::compacted) return;
  std::string& body = call.reply.body;
  body = R"({"status":"error","error":{)";
  append_end_members(body, why, call.site.database.event_stats().oldest_revision);
  body += "}}";
}

void begin_stream(Call& call, const SubscribeOptions& options) {
  auto subscriber = call.site.database.subscribe(options, viewer_of(call));
  if (!subscriber) return refuse_subscription(call, subscriber.error());
  const bool is_web_socket = wants_web_socket(call.request);
  if (is_web_socket) {
    call.reply.status = 101;
    call.reply.add_header("Upgrade", "websocket");
    call.reply.add_header("Sec-WebSocket-Accept", web_socket_accept(call.request.header(Header::sec_websocket_key)));
  } else {
    call.reply.content_type = Reply::event_stream;
    call.reply.add_header("Cache-Control", "no-store");
  }
  call.stream(std::make_unique<EventFeed>(
      std::move(*subscriber),
      [&database = call.site.database, access = call.access] { return database.confirm(access); },
      is_web_socket ? EventForm::web_socket : EventForm::server_sent));
}

/// Why the wish for a WebSocket can't be fulfilled (RFC 6455 4.2.1); nothing: it can.
std::optional<Problem> problem_of_web_socket(const Call& call) {
  const Request& request = call.request;
  if (request.header(Header::sec_websocket_version) != "13") {
    return invalid_request("Sec-WebSocket-Version must be 13");
  }
  if (web_socket_accept(request.header(Header::sec_websocket_key)).empty()) {
    return invalid_request("Sec-WebSocket-Key must be the base64 of 16 bytes");
  }
  return std::nullopt;
}

void get_events(Call& call) {
  if (wants_web_socket(call.request)) {
    if (const auto problem = problem_of_web_socket(call)) {
      call.refuse(*problem);
      call.reply.add_header("Sec-WebSocket-Version", "13");
      return;
    }
  }
  auto options = read_options(call);
  if (!options) return call.refuse(options.error());
  database::Database& database = call.site.database;
  if (!options->after_revision || *options->after_revision <= database.newest_event()) {
    return begin_stream(call, *options);
  }
  // Another member may have told of more than has come here.
  const std::chrono::milliseconds timeout = call.timeout;
  call.await(
      [&](Completion<command::Outcome> done) {
        database.when_readable(ReadConsistency::strong, timeout,
                               [done = std::move(done)](Result<void> caught_up) mutable {
                                 if (!caught_up) return done(std::unexpected(std::move(caught_up.error())));
                                 done(command::Outcome());
                               });
      },
      [options = std::move(*options)](Call& answered, const Result<command::Outcome>& outcome) {
        if (!outcome) return answered.refuse(outcome.error());
        begin_stream(answered, options);
      });
}

void append_count(std::string& to, std::string_view name, std::uint64_t count) {
  to += ",\"";
  to.append(name);
  to += "\":";
  append_number(to, count);
}

void get_event_stats(Call& call) {
  const EventStats stats = call.site.database.event_stats();
  std::string& body = call.reply.body;
  call.reply.begin_data();
  body += "{\"enabled\":";
  body += stats.enabled ? "true" : "false";
  append_count(body, "queue_size", stats.queue_size);
  append_count(body, "pending_demand", stats.pending_demand);
  append_count(body, "events_published", stats.events_published);
  append_count(body, "subscribers", stats.subscribers);
  append_count(body, "oldest_revision", stats.oldest_revision.value());
  body += '}';
  call.reply.end_data();
}

}  // namespace

void add_events(std::vector<Route>& routes) {
  constexpr std::string_view tag = "Events";
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/events",
                    .operation = "subscribe",
                    .handler = get_events,
                    .tag = tag,
                    .summary = "Follow what changes, as server-sent events",
                    .description = "One event for each revision that changed something that is asked for, in order, "
                                   "with the revision as `id`; a client that "
                                   "sends the last one as `Last-Event-ID` goes on behind it, on any member. The answer "
                                   "goes on until the client has enough; when "
                                   "the server has to end it, the last event is `end` and says why. With "
                                   "`Upgrade: websocket` the same comes as the text messages of a WebSocket.",
                    .needs = Needs::read,
                    .is_read = true,
                    .parameters = parameters,
                    .takes_last_event_id = true,
                    .may_miss = true,
                    .answer = {.kind = AnswerKind::foreign, .media_type = Reply::event_stream}});
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/events/stats",
                    .operation = "event_stats",
                    .handler = get_event_stats,
                    .tag = tag,
                    .summary = "How the event stream is doing",
                    .needs = Needs::read,
                    .is_read = true,
                    .waits_for_data = false,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::event_stats}});
}

}  // namespace concord::http::routes
