#include "http/route.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/base64.hpp"
#include "http/admission.hpp"
#include "http/idempotency.hpp"
#include "value/json_string.hpp"

namespace concord::http {
namespace {

constexpr std::string_view key_placeholder = "{key}";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void read_common_parameters(Call& call) {
  call.timeout = std::chrono::milliseconds(number_of(call.query, "timeout_ms", 5000));
  call.consistency = call.site.database.options().default_consistency;
  const std::string* const text = call.query.find("consistency");
  if (text == nullptr) return;
  call.consistency = *text == "strong"   ? ReadConsistency::strong
                     : *text == "leader" ? ReadConsistency::leader
                                         : ReadConsistency::eventual;
}

/// The key of a path segment, by the rules of CONTRACT 2: UTF-8, percent-encoded; or any bytes as base64url.
std::expected<std::string, Problem> decode_key(std::string_view segment, const Query& query) {
  auto text = percent_decode(segment);
  if (!text) return std::unexpected(invalid_request("the key has a broken percent-encoding"));
  if (query.find("key_encoding") != nullptr) {
    auto bytes = base::decode_base64url(*text);
    if (!bytes) return std::unexpected(invalid_request("the key is not base64url"));
    return std::move(*bytes);
  }
  if (!value::is_utf8(*text)) {
    return std::unexpected(
        Problem(400, error_name(Errc::invalid_key),
                "the key is not UTF-8; other keys are given as base64url with key_encoding=base64url"));
  }
  return std::move(*text);
}

/// A call without a body takes none, or an empty object: fields that it does not know are refused, not ignored. That of a GET means
/// nothing in HTTP (RFC 9110, 9.3.1). False after the reply was filled.
bool check_no_body(const Route& route, Call& call) {
  if (route.body != BodyKind::none || route.method == Method::get) return true;
  constexpr std::string_view spaces = " \t\r\n";
  std::string_view body = call.request.body;
  body.remove_prefix(std::min(body.find_first_not_of(spaces), body.size()));
  body = body.substr(0, body.find_last_not_of(spaces) + 1);
  const bool is_object = body.size() >= 2 && body.starts_with('{') && body.ends_with('}');
  if (body.empty() || (is_object && body.find_first_not_of(spaces, 1) == body.size() - 1)) return true;
  call.refuse(invalid_request("the call takes no body, or {}"));
  return false;
}

/// False after the reply was filled with 415.
bool check_content_encoding(Call& call) {
  if (call.request.body.empty() || !call.request.has(Header::content_encoding)) return true;
  const std::string_view coding = call.request.header(Header::content_encoding);
  if (coding.empty() || coding == "identity") return true;
  call.refuse(
      {415, "UNSUPPORTED_MEDIA_TYPE",
       "the body must be sent as it is, not with the Content-Encoding \"" + std::string(coding.substr(0, 100)) + '"'});
  call.reply.add_header("Accept-Encoding", "identity");
  return false;
}

/// False after the reply was filled with 415.
bool check_content_type(const Route& route, Call& call) {
  if (route.body == BodyKind::none || call.request.body.empty() || !call.request.has(Header::content_type)) return true;
  const std::string_view type = call.request.header(Header::content_type);
  if ((route.body != BodyKind::bytes && is_media_type(type, Reply::json)) ||
      (route.body != BodyKind::json && is_media_type(type, Reply::bytes))) {
    return true;
  }
  const std::string_view accepted = route.body == BodyKind::bytes  ? "application/octet-stream"
                                    : route.body == BodyKind::json ? "application/json"
                                                                   : "application/json, application/octet-stream";
  call.refuse({415, "UNSUPPORTED_MEDIA_TYPE", "the body must be of type " + std::string(accepted)});
  call.reply.add_header("Accept", accepted);
  return false;
}

bool differs_only_at(std::size_t segment, const Path& one, const Path& other) noexcept {
  if (one.size() != other.size()) return false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (i != segment && one[i] != other[i]) return false;
  }
  return true;
}

}  // namespace

bool is_media_type(std::string_view content_type, std::string_view type) noexcept {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ') || content_type.ends_with('\t')) content_type.remove_suffix(1);
  return std::ranges::equal(content_type, type, {}, lower);
}

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const Route& route : routes_) {
    Template parsed{.path = Path(route.path)};
    for (std::size_t i = 0; i < parsed.path.size(); ++i) {
      if (!parsed.path[i].starts_with('{')) continue;
      parsed.key_segment = static_cast<int>(i);
      parsed.is_key = parsed.path[i] == key_placeholder;
    }
    templates_.push_back(parsed);
    operations_.push_back(observe::operation_named(route.operation));
  }
  for (Template& named : templates_) {
    if (named.key_segment < 0 || named.is_key) continue;
    for (const Template& other : templates_) {
      if (other.key_segment < 0 &&
          differs_only_at(static_cast<std::size_t>(named.key_segment), named.path, other.path)) {
        named.reserved.push_back(other.path[static_cast<std::size_t>(named.key_segment)]);
      }
    }
  }
}

bool RouteTable::matches(std::size_t route, const Path& path) const noexcept {
  const Template& wanted = templates_[route];
  if (path.size() != wanted.path.size()) return false;
  for (std::size_t i = path.size(); i-- > 0;) {  // backwards: templates differ at their ends
    if (static_cast<int>(i) != wanted.key_segment && path[i] != wanted.path[i]) return false;
  }
  return wanted.reserved.empty() ||
         std::ranges::find(wanted.reserved, path[static_cast<std::size_t>(wanted.key_segment)]) ==
             wanted.reserved.end();
}

std::string RouteTable::allowed_methods(const Path& path) const {
  std::string methods;
  for (const Method method : {Method::get, Method::head, Method::put, Method::post, Method::del}) {
    const Method routed = method == Method::head ? Method::get : method;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
      if (routes_[i].method != routed || !matches(i, path)) continue;
      methods.append(method_name(method));
      methods += ", ";
      break;
    }
  }
  if (!methods.empty()) methods += "OPTIONS";
  return methods;
}

void RouteTable::answer_unmatched(Call& call, const Target& target, const Path& path) const {
  const bool is_options = call.request.method == Method::options;
  const std::string methods =
      is_options && target.path == "*" ? "GET, HEAD, PUT, POST, DELETE, OPTIONS" : allowed_methods(path);
  if (methods.empty()) {
    return call.refuse({404, error_name(Errc::not_found), "there is no such route"});
  }
  if (is_options) {
    call.reply.status = 204;
  } else {
    call.refuse({405, "METHOD_NOT_ALLOWED", "the path does not take this method; it takes " + methods});
  }
  call.reply.add_header("Allow", methods);
}

void RouteTable::dispatch(Call& call) const {
  const auto target = split_target(call.request.target);
  if (!target) return call.refuse(target.error());
  const Path path(target->path);
  const Method method = call.request.method == Method::head ? Method::get : call.request.method;
  std::size_t position = 0;
  while (position < routes_.size() && (routes_[position].method != method || !matches(position, path))) ++position;
  if (position == routes_.size()) return answer_unmatched(call, *target, path);

  call.matched = position;
  call.key.clear();
  const auto serve_later = [](const RouteTable& table, std::size_t at, Call& admitted) { table.serve(at, admitted); };
  if (admit(*this, position, call, serve_later)) serve(position, call);
}

/// Precondition: the route matches the call, and the call was admitted.
void RouteTable::serve(std::size_t position, Call& call) const {
  const auto target = split_target(call.request.target);
  if (!target) return call.refuse(target.error());
  const Path path(target->path);
  const Route& route = routes_[position];
  call.route = position;
  const int key_segment = templates_[position].key_segment;
  if (auto done = call.query.parse(target->query); !done) return call.refuse(done.error());
  const ParameterSet taken{
      .own = route.parameters, .consistency = route.is_read, .key_encoding = templates_[position].is_key};
  if (auto done = check_parameters(taken, call.query); !done) return call.refuse(done.error());
  read_common_parameters(call);
  call.key.clear();
  if (key_segment >= 0) {
    auto key = decode_key(path[static_cast<std::size_t>(key_segment)], call.query);
    if (!key) return call.refuse(key.error());
    call.key = std::move(*key);
  }
  if (needs_audit_room(route, call)) return take_room(position, call);
  run(position, call);
}

/// What is to be recorded is not served before there is room for its record.
void RouteTable::take_room(std::size_t position, Call& call) const {
  audit::Log& log = *call.site.audit;
  call.room = log.take_room();
  if (call.room) [[likely]]
    return run(position, call);
  const auto found = std::make_shared<audit::Room>();
  const std::chrono::milliseconds timeout = call.timeout;
  call.await(
      [&](Completion<command::Outcome> done) {
        log.when_room(timeout, [found, done = std::move(done)](Result<audit::Room> room) mutable {
          if (!room) return done(std::unexpected(std::move(room.error())));
          *found = std::move(*room);
          done(command::Outcome());
        });
      },
      [this, position, found](Call& waited, const Result<command::Outcome>& outcome) {
        if (!outcome) return waited.refuse(outcome.error());
        waited.room = std::move(*found);
        if (is_still_admitted(routes_[position], waited)) run(position, waited);
      });
}

/// Precondition: query and key are read, and there is room in the audit log, if the call is recorded.
void RouteTable::run(std::size_t position, Call& call) const {
  const Route& route = routes_[position];
  begin_operation(position, call);
  const observe::CurrentSpan current(call.operation ? call.operation->span() : nullptr);
  call.once.reset();
  if (route.is_write) {
    const auto target = split_target(call.request.target);
    if (!target) return call.refuse(target.error());
    auto once = once_of(call.request, *target, call.query);
    if (!once) return call.refuse(once.error());
    call.once = *once;
    if (call.once && call.access.token() != nullptr) {
      call.once_scope = acl::id_text(call.access.id());
      call.once->scope = call.once_scope;
    }
  }
  if (!check_no_body(route, call) || !check_content_encoding(call) || !check_content_type(route, call)) return;
  if (route.is_read && route.waits_for_data) return run_read(route, call);
  route.handler(call);
}

/// What is refused before, like an unknown parameter, is a bad request and no operation.
void RouteTable::begin_operation(std::size_t route, Call& call) const {
  observe::Observer* const observer = call.site.observer;
  if (observer == nullptr || !observer->is_watching() || !operations_[route]) return;
  observe::CallDetails details{.is_long = true, .parent = call.span.get()};
  if (routes_[route].is_read) details.consistency = call.consistency;
  if (templates_[route].is_key) details.key = call.key;
  call.operation.emplace(*observer, *operations_[route], details);
}

/// The handler runs when this node's data are fresh enough; it then reads them as they are.
void RouteTable::run_read(const Route& route, Call& call) {
  const ReadConsistency wanted = std::exchange(call.consistency, ReadConsistency::eventual);
  if (call.site.database.is_readable(wanted)) return route.handler(call);
  const std::chrono::milliseconds timeout = call.timeout;
  database::Database& database = call.site.database;
  call.await(
      [&](Completion<command::Outcome> done) {
        database.when_readable(wanted, timeout, [done = std::move(done)](Result<void> readable) mutable {
          if (!readable) return done(std::unexpected(std::move(readable.error())));
          done(command::Outcome());
        });
      },
      [&route](Call& answered, const Result<command::Outcome>& outcome) {
        if (!outcome) return answered.refuse(outcome.error());
        if (is_still_admitted(route, answered)) route.handler(answered);
      });
}

}  // namespace concord::http
