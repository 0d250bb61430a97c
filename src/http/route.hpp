// The route table: what a method and a path mean. Dispatch, 404, 405 with Allow, OPTIONS, the check of query parameters, content
// types and bodies, and the OpenAPI document all follow from it; a resource only adds its rows (routes/*.cpp). So no route exists
// that is not documented and not checked.
//
//   template   "/api/v1/kv/{key}/ttl": fixed segments and one in braces, which matches any one segment, also an empty one: a `{key}`
//              may be encoded in two ways, any other name is what it is
//
// Of two templates that match, the one earlier in the table wins; fixed segments stand before `{key}`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/call.hpp"
#include "http/parameters.hpp"
#include "http/schema.hpp"
#include "observe/operation.hpp"

namespace concord::http {

enum class BodyKind : std::uint8_t {
  none,  ///< whatever is sent is not looked at
  json,
  json_or_bytes,  ///< application/octet-stream too
  bytes,          ///< application/octet-stream alone
};

/// The body of a successful answer.
enum class AnswerKind : std::uint8_t {
  done,     ///< {"status":"ok"[,"revision"]}
  data,     ///< {"status":"ok"[,"revision"],"data":...}
  page,     ///< {"status":"ok","data":[...],"next_cursor":...,"count":...}
  bare,     ///< an object of its own, without envelope
  foreign,  ///< no JSON of ours: a page, a file
};

/// Of the token of whoever calls, while authentication is on (admission.hpp).
enum class Needs : std::uint8_t {
  nobody_may,  ///< what a route needs that says nothing
  nothing,     ///< not even a token
  read,
  write,
  read_or_write,  ///< what it does is judged by what it says (transactions)
  admin,
};

struct Answer {
  AnswerKind kind = AnswerKind::done;
  const Schema* schema = nullptr;  ///< of the data, or of all of it (bare)
  std::string_view media_type = "application/json";
  unsigned status = 200;
  bool also_bytes = false;  ///< application/octet-stream when the client prefers it
  bool also_text = false;   ///< text/plain when asked for
  bool has_etag = false;
  bool has_revision = false;  ///< though it is no write of keys
};

struct Route {
  Method method = Method::get;  ///< a GET route answers HEAD too
  std::string_view path;
  std::string_view operation;  ///< name of the API operation, for telemetry and audit; the document's operationId
  void (*handler)(Call&) = nullptr;
  std::string_view tag = {};  ///< the group it is shown in
  std::string_view summary = {};
  std::string_view description = {};
  Needs needs = Needs::nobody_may;
  BodyKind body = BodyKind::none;
  const Schema* body_schema = nullptr;
  bool body_required = true;
  bool is_read = false;                        ///< takes `?consistency`
  bool waits_for_data = true;                  ///< of a read: it is answered once the data are as fresh as asked for
  bool is_write = false;                       ///< takes `Idempotency-Key`
  std::span<const Parameter> parameters = {};  ///< beside `timeout_ms`, `consistency` and `key_encoding`
  bool takes_if_match = false;
  bool takes_if_none_match = false;
  bool takes_last_event_id = false;
  bool may_miss = false;      ///< 404 of a missing key
  bool may_conflict = false;  ///< 409
  bool may_wait = false;      ///< for the cluster, though it is neither read nor write: 429, 504
  bool takes_backup = false;  ///< 422 of a bad one, 507
  Answer answer = {};
};

class RouteTable {
 public:
  explicit RouteTable(std::vector<Route> routes);

  /// Reads target, query and headers into `call` and runs the handler, or fills the reply with what is wrong.
  void dispatch(Call& call) const;

  [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

 private:
  struct Template {
    Path path;
    int key_segment = -1;  ///< -1: none
    bool is_key = false;   ///< and no other name
    /// Routes of their own where a name may stand, and so never names (CONTRACT 10). A key may be any text.
    std::vector<std::string_view> reserved = {};
  };

  void serve(std::size_t position, Call& call) const;
  void take_room(std::size_t position, Call& call) const;
  void run(std::size_t position, Call& call) const;
  void begin_operation(std::size_t route, Call& call) const;
  static void run_read(const Route& route, Call& call);
  [[nodiscard]] bool matches(std::size_t route, const Path& path) const noexcept;
  /// "GET, HEAD, PUT, OPTIONS" for a path; empty when no route matches it.
  [[nodiscard]] std::string allowed_methods(const Path& path) const;
  void answer_unmatched(Call& call, const Target& target, const Path& path) const;

  std::vector<Route> routes_;
  std::vector<Template> templates_;                               ///< of the route at the same position
  std::vector<std::optional<observe::ApiOperation>> operations_;  ///< likewise
};

/// All routes of the API.
[[nodiscard]] std::vector<Route> api_routes();

/// `Content-Type` without its parameters equals `type`.
[[nodiscard]] bool is_media_type(std::string_view content_type, std::string_view type) noexcept;

}  // namespace concord::http
