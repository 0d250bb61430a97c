// What a handler answers, and its bytes on the wire.
//
// Bodies of success: {"status":"ok"[,"revision":n][,"data":...]}; of errors:
// {"status":"error","error":{"code":"...","message":"..."}}. A reply is used again for the next request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <concord/entry.hpp>
#include <concord/revision.hpp>
#include <concord/value.hpp>

#include "http/error_status.hpp"

namespace concord::http {

class Reply {
 public:
  unsigned status = 200;
  std::string_view content_type = json;  ///< of static storage
  std::string body;
  std::string_view static_body = {};   ///< sent instead of `body`, and not copied; lives as long as the server
  std::string_view problem_code = {};  ///< of an error; of static storage
  std::string headers;                 ///< further header lines, each with its line end
  std::string vary;                    ///< value of `Vary`; empty: none

  static constexpr std::string_view json = "application/json";
  static constexpr std::string_view bytes = "application/octet-stream";
  static constexpr std::string_view event_stream = "text/event-stream";
  static constexpr std::string_view plain_text = "text/plain; charset=utf-8";

  void clear() noexcept;

  /// The answer depends on this field of the request: the fields named so stand together in `Vary`.
  void vary_by(std::string_view field);

  /// `name` and `value` hold no line end. Precondition: neither comes unchecked from a client.
  void add_header(std::string_view name, std::string_view value);
  void add_etag(Revision revision);

  /// {"status":"ok"} and, for a write that changed something, its revision.
  void set_done(bool changed, Revision revision);

  /// {"status":"ok","data": ... the caller appends the data to `body`, then calls `end_data`.
  void begin_data();
  void begin_data(bool changed, Revision revision);
  void end_data();

  void set_problem(const Problem& problem);
};

/// Appends `"value":...`, and `,"encoding":"base64"` for bytes.
void append_value_member(std::string& to, const Value& value);
/// Appends `"key":"..."`, or `"key_b64":"..."` for a key that is not UTF-8.
void append_key_member(std::string& to, std::string_view key);
/// Appends `"..."`, or `{"key_b64":"..."}` for a key that is not UTF-8.
void append_key(std::string& to, std::string_view key);
/// Appends `"ttl":...`.
void append_ttl_member(std::string& to, const Entry& entry);
/// Appends `"revision":...,"create_revision":...,"version":...`.
void append_meta_members(std::string& to, const Entry& entry);
/// Appends the cursor, or null at the end.
void append_cursor(std::string& to, const std::optional<std::string>& cursor);
void append_number(std::string& to, std::uint64_t number);

/// What the connection adds to every response.
struct ResponseFrame {
  std::string_view request_id;
  std::string_view date;  ///< RFC 9110 5.6.7
  bool head_only = false;
  bool keep_alive = true;
  bool is_http_1_0 = false;  ///< such clients must be told that the connection stays open
};

/// The head of a response whose body goes on (feed.hpp): in chunks, or as it is, up to the connection's end, for a client that does not
/// know chunks, and after a change of protocol (status 101). The connection ends with it.
void append_feed_head(std::string& to, const Reply& reply, const ResponseFrame& frame);
/// A part of such a body. Precondition: not empty.
void append_feed_part(std::string& to, std::string_view part, bool in_chunks);
/// Its end.
void append_feed_end(std::string& to, bool in_chunks);

/// Returns what is to be sent after the appended bytes: the static body, else nothing.
[[nodiscard]] std::string_view append_response(std::string& to, const Reply& reply, const ResponseFrame& frame);

}  // namespace concord::http
