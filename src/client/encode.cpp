#include "client/encode.hpp"

#include <algorithm>
#include <limits>

#include "base/base64.hpp"
#include "client/members.hpp"
#include "value/json_string.hpp"

namespace concord::client {
namespace {

constexpr std::string_view key_root = "/api/v1/kv/";
constexpr std::string_view members_root = "/api/v1/cluster/members";

void add_parameter(std::string& target, std::string_view name, std::string_view value) {
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += name;
  target += '=';
  target += value;
}

/// Keeps the parameters that are there.
void set_key_target(Request& request, std::string_view key, std::string_view behind = {}) {
  const std::string parameters = std::move(request.target);
  request.target = key_root;
  const bool is_text = value::is_utf8(key);
  is_text ? append_percent_encoded(request.target, key) : base::append_base64url(request.target, key);
  // "bulk/touch" is a route of its own; spelled otherwise it is the touch of a key.
  if (!behind.empty() && request.target.substr(key_root.size()) == "bulk")
    request.target.replace(key_root.size(), 1, "%62");
  request.target += behind;
  request.target += parameters;
  if (!is_text) add_parameter(request.target, "key_encoding", "base64url");
}

void set_target(Request& request, std::string_view path) { request.target.insert(0, path); }

void add_put_options(Members& members, const std::optional<std::chrono::seconds>& ttl,
                     const std::optional<bool>& compress, bool keep_ttl) {
  if (ttl) members.number("ttl", ttl->count());
  if (compress) members.boolean("compress", *compress);
  if (keep_ttl) members.boolean("keep_ttl", true);
}

void append_guard(std::string& to, const Guard& guard) {
  Members members(to);
  members.key(guard.key);
  if (guard.expected) members.value_of("expected", "expected_encoding", *guard.expected);
  if (guard.revision) members.number("revision", guard.revision->value());
  if (guard.exists) members.boolean("exists", *guard.exists);
  if (guard.condition) members.raw("condition", guard.condition->document());
}

void append_operation(std::string& to, const Operation& operation) {
  Members members(to);
  switch (operation.kind) {
    case Operation::Kind::put:
      members.text("op", "put");
      members.value_of("value", "encoding", operation.value);
      add_put_options(members, operation.ttl, operation.compress, operation.keep_ttl);
      break;
    case Operation::Kind::del: members.text("op", "delete"); break;
    case Operation::Kind::touch:
      members.text("op", "touch");
      members.number("ttl", operation.ttl.value_or(std::chrono::seconds(0)).count());
      break;
    case Operation::Kind::get: members.text("op", "get"); break;
  }
  members.key(operation.key);
}

void add_selectors(Members& members, const Query& query) {
  const auto add = [&](std::string_view name, const std::optional<std::string>& text) {
    if (text) members.text(name, *text);
  };
  add("prefix", query.prefix);
  add("suffix", query.suffix);
  add("contains", query.contains);
  add("pattern", query.pattern);
  add("start", query.start);
  add("end", query.end);
  if (query.range) {
    append_list(members.name("range"), std::vector{query.range->first, query.range->second}, value::append_json_string);
  }
  if (query.filter.filter()) members.raw("filter", query.filter.filter()->document());
}

std::string_view consistency_name(ReadConsistency consistency) {
  switch (consistency) {
    case ReadConsistency::eventual: return "eventual";
    case ReadConsistency::leader: return "leader";
    case ReadConsistency::strong: break;
  }
  return "strong";
}

/// Numbers of the API end at 2^63 - 1; no store has as many keys.
std::uint64_t bounded(std::uint64_t number) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return std::min(number, most);
}

}  // namespace

void append_percent_encoded(std::string& to, std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '~';  // no dot: "." and ".." mean something in a path
  };
  for (const char c : text) {
    if (is_plain(c)) {
      to += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    to += '%';
    to += digits[byte >> 4U];
    to += digits[byte & 15U];
  }
}

Request read_request(const ReadOptions& options, const ClientOptions& client) {
  Request request{.token = options.token.empty() ? client.token : std::string(options.token),
                  .timeout = options.timeout};
  if (const auto consistency = options.consistency ? options.consistency : client.default_consistency) {
    add_parameter(request.target, "consistency", consistency_name(*consistency));
    request.is_spread = *consistency == ReadConsistency::eventual;
  }
  return request;
}

Request write_request(const WriteOptions& options, const ClientOptions& client) {
  return {.is_write = true,
          .token = options.token.empty() ? client.token : std::string(options.token),
          .timeout = options.timeout};
}

void set_put(Request& request, std::string_view key, const Value& value, const PutOptions& options) {
  request.method = Method::put;
  set_key_target(request, key);
  if (value.is_bytes()) {
    request.is_bytes = true;
    request.body = value.bytes();
    if (options.ttl) add_parameter(request.target, "ttl", std::to_string(options.ttl->count()));
    if (options.compress) add_parameter(request.target, "compress", *options.compress ? "true" : "false");
    if (options.keep_ttl) add_parameter(request.target, "keep_ttl", "true");
    return;
  }
  Members members(request.body);
  members.raw("value", value.json_text());
  add_put_options(members, options.ttl, options.compress, options.keep_ttl);
}

void set_delete(Request& request, std::string_view key) {
  request.method = Method::del;
  set_key_target(request, key);
}

void set_touch(Request& request, std::string_view key, std::chrono::seconds ttl) {
  request.method = Method::post;
  set_key_target(request, key, "/touch");
  Members(request.body).number("ttl", ttl.count());
}

void set_get(Request& request, std::string_view key, bool with_everything) {
  set_key_target(request, key);
  if (!with_everything) return;
  add_parameter(request.target, "with_ttl", "true");
  add_parameter(request.target, "meta", "true");
}

void set_get_many(Request& request, const std::vector<std::string_view>& keys) {
  request.method = Method::post;
  set_target(request, "/api/v1/kv/bulk/get");
  add_parameter(request.target, "meta", "true");
  Members members(request.body);
  if (all_are_text(keys)) {
    append_list(members.name("keys"), keys, value::append_json_string);
    return;
  }
  append_list(members.name("keys_b64"), keys, [](std::string& to, std::string_view key) {
    to += '"';
    base::append_base64(to, key);
    to += '"';
  });
}

void set_transaction(Request& request, const Transaction& transaction) {
  request.method = Method::post;
  set_target(request, "/api/v1/txn");
  add_parameter(request.target, "meta", "true");
  Members members(request.body);
  append_list(members.name("guards"), transaction.guards, append_guard);
  append_list(members.name("then"), transaction.then, append_operation);
  append_list(members.name("else"), transaction.otherwise, append_operation);
}

void set_query(Request& request, const Query& query, std::string_view select, std::uint64_t limit, std::uint64_t offset,
               const std::optional<std::string>& cursor) {
  request.method = Method::post;
  set_target(request, "/api/v1/query");
  if (select == "pairs") add_parameter(request.target, "meta", "true");
  Members members(request.body);
  add_selectors(members, query);
  members.text("select", select);
  if (limit > 0) members.number("limit", bounded(limit));
  if (cursor) {
    members.text("cursor", *cursor);
  } else if (offset > 0) {
    members.number("offset", bounded(offset));
  }
}

void set_query_delete(Request& request, const Query& query) {
  request.method = Method::post;
  set_target(request, "/api/v1/query/delete");
  Members members(request.body);
  add_selectors(members, query);
  if (query.limit) members.number("limit", bounded(*query.limit));
}

void set_add_member(Request& request, std::string_view name, std::string_view peer) {
  request.method = Method::post;
  request.target = members_root;
  Members members(request.body);
  members.text("name", name);
  members.text("peer", peer);
}

void set_member(Request& request, Method method, std::string_view name, std::string_view behind) {
  request.method = method;
  request.target = members_root;
  request.target += '/';
  append_percent_encoded(request.target, name);
  request.target += behind;
}

void set_leader(Request& request, std::string_view name) {
  request.method = Method::post;
  request.target = "/api/v1/cluster/leader";
  Members members(request.body);
  if (!name.empty()) members.text("name", name);
}

bool all_are_text(const std::vector<std::string_view>& keys) { return std::ranges::all_of(keys, value::is_utf8); }

Result<void> check_selectors(const Query& query) {
  const auto is_text = [](const std::optional<std::string>& text) { return !text || value::is_utf8(*text); };
  if (is_text(query.prefix) && is_text(query.suffix) && is_text(query.contains) && is_text(query.pattern) &&
      is_text(query.start) && is_text(query.end) &&
      (!query.range || (value::is_utf8(query.range->first) && value::is_utf8(query.range->second)))) {
    return {};
  }
  return fail(Errc::invalid_request, "a query over HTTP takes only UTF-8");
}

}  // namespace concord::client
