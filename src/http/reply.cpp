#include "http/reply.hpp"

#include <charconv>

#include "base/base64.hpp"
#include "value/json_string.hpp"

namespace concord::http {
namespace {

constexpr std::size_t kept_body_bytes = 32U << 10U;

/// Messages may quote what a client sent; what is no UTF-8 there must not break the answer.
void append_message(std::string& to, std::string_view message) {
  if (value::is_utf8(message)) return value::append_json_string(to, message);
  std::string cleaned(message);
  for (char& c : cleaned) {
    if (static_cast<unsigned char>(c) >= 0x80U) c = '?';
  }
  value::append_json_string(to, cleaned);
}

}  // namespace

void append_number(std::string& to, std::uint64_t number) {
  char text[24];
  to.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

void append_value_member(std::string& to, const Value& value) {
  to += "\"value\":";
  if (value.is_bytes()) {
    to += '"';
    base::append_base64(to, value.bytes());
    to += "\",\"encoding\":\"base64\"";
  } else {
    to.append(value.json_text());
  }
}

void append_key_member(std::string& to, std::string_view key) {
  if (value::is_utf8(key)) {
    to += "\"key\":";
    value::append_json_string(to, key);
  } else {
    to += "\"key_b64\":\"";
    base::append_base64(to, key);
    to += '"';
  }
}

void append_key(std::string& to, std::string_view key) {
  if (value::is_utf8(key)) return value::append_json_string(to, key);
  append_key_member(to += '{', key);
  to += '}';
}

void append_ttl_member(std::string& to, const Entry& entry) {
  to += R"("ttl":)";
  if (entry.ttl) {
    append_number(to, static_cast<std::uint64_t>(entry.ttl->count()));
  } else {
    to += "null";
  }
}

void append_meta_members(std::string& to, const Entry& entry) {
  to += R"("revision":)";
  append_number(to, entry.revision.value());
  to += R"(,"create_revision":)";
  append_number(to, entry.create_revision.value());
  to += R"(,"version":)";
  append_number(to, entry.version);
}

void append_cursor(std::string& to, const std::optional<std::string>& cursor) {
  if (!cursor) {
    to += "null";
    return;
  }
  to += '"';
  to += *cursor;  // base64url
  to += '"';
}

void Reply::clear() noexcept {
  status = 200;
  content_type = json;
  static_body = {};
  problem_code = {};
  if (body.capacity() > kept_body_bytes) {
    std::string().swap(body);
  } else {
    body.clear();
  }
  headers.clear();
  vary.clear();
}

void Reply::vary_by(std::string_view field) {
  if (!vary.empty()) vary += ", ";
  vary.append(field);
}

void Reply::add_header(std::string_view name, std::string_view value) {
  headers.append(name);
  headers += ": ";
  headers.append(value);
  headers += "\r\n";
}

void Reply::add_etag(Revision revision) {
  headers += "ETag: \"";
  append_number(headers, revision.value());
  headers += "\"\r\n";
}

void Reply::set_done(bool changed, Revision revision) {
  body = R"({"status":"ok")";
  if (changed) {
    body += R"(,"revision":)";
    append_number(body, revision.value());
  }
  body += '}';
}

void Reply::begin_data() { body = R"({"status":"ok","data":)"; }

void Reply::begin_data(bool changed, Revision revision) {
  set_done(changed, revision);
  body.pop_back();
  body += R"(,"data":)";
}

void Reply::end_data() { body += '}'; }

void Reply::set_problem(const Problem& problem) {
  status = problem.status;
  problem_code = problem.code;
  content_type = json;
  static_body = {};
  body = R"({"status":"error","error":{"code":")";
  body.append(problem.code);
  body += R"(","message":)";
  append_message(body, problem.message);
  body += "}}";
  if (status == 429 || status == 503) add_header("Retry-After", std::to_string(problem.retry_after_s));
  if (status == 401) add_header("WWW-Authenticate", "Bearer");
}

void append_feed_head(std::string& to, const Reply& reply, const ResponseFrame& frame) {
  if (reply.status == 101) {
    to += "HTTP/1.1 101 Switching Protocols\r\nX-Request-Id: ";
    to.append(frame.request_id);
    to += "\r\n";
    to.append(reply.headers);
    to += "Connection: Upgrade\r\n\r\n";
    return;
  }
  to += "HTTP/1.1 200 OK\r\nDate: ";
  to.append(frame.date);
  to += "\r\nContent-Type: ";
  to.append(reply.content_type);
  to += "\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: ";
  to.append(frame.request_id);
  to += "\r\n";
  if (!frame.is_http_1_0) to += "Transfer-Encoding: chunked\r\n";
  if (!reply.vary.empty()) to.append("Vary: ").append(reply.vary).append("\r\n");
  to.append(reply.headers);
  to += "Connection: close\r\n\r\n";
}

void append_feed_part(std::string& to, std::string_view part, bool in_chunks) {
  if (!in_chunks) {
    to.append(part);
    return;
  }
  char size[16];
  const auto [end, error] = std::to_chars(size, size + sizeof size, part.size(), 16);
  to.append(size, end);
  to += "\r\n";
  to.append(part);
  to += "\r\n";
}

void append_feed_end(std::string& to, bool in_chunks) {
  if (in_chunks) to += "0\r\n\r\n";
}

std::string_view append_response(std::string& to, const Reply& reply, const ResponseFrame& frame) {
  const bool has_body = reply.status != 204 && reply.status != 304;
  to += "HTTP/1.1 ";
  append_number(to, reply.status);
  to += ' ';
  to.append(reason_of(reply.status));
  to += "\r\nDate: ";
  to.append(frame.date);
  if (has_body) {
    to += "\r\nContent-Type: ";
    to.append(reply.content_type);
    to += "\r\nContent-Length: ";
    append_number(to, reply.static_body.empty() ? reply.body.size() : reply.static_body.size());
  }
  to += "\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: ";
  to.append(frame.request_id);
  to += "\r\n";
  if (!reply.vary.empty()) to.append("Vary: ").append(reply.vary).append("\r\n");
  to.append(reply.headers);
  if (!frame.keep_alive) {
    to += "Connection: close\r\n";
  } else if (frame.is_http_1_0) {
    to += "Connection: keep-alive\r\n";
  }
  to += "\r\n";
  if (!has_body || frame.head_only) return {};
  if (reply.static_body.empty()) to.append(reply.body);
  return reply.static_body;
}

}  // namespace concord::http
