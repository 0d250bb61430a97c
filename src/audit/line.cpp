#include "audit/line.hpp"

#include <charconv>
#include <chrono>

#include "acl/token.hpp"
#include "base/base64.hpp"
#include "value/cursor.hpp"
#include "value/json_string.hpp"

namespace concord::audit {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view timestamp_name = R"({"timestamp":")";
constexpr std::string_view hash_name = R"(,"hash":")";
constexpr std::string_view signature_name = R"(,"signature":")";
constexpr std::string_view mark_name = R"(,"audit":")";
/// Behind the timestamp, its quote too.
constexpr std::size_t behind_timestamp = timestamp_name.size() + timestamp_size + 1;
/// ,"hash":"<64 digits>"}
constexpr std::size_t hash_member_size = hash_name.size() + hex_size + 2;

void append_number(std::string& to, std::uint64_t number) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  to.append(digits, end);
}

void append_hex(std::string& to, std::uint64_t number) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) to += digits[(number >> static_cast<unsigned>(shift)) & 15U];
}

/// What is no text is shown as base64.
void append_text(std::string& to, std::string_view text) {
  if (value::is_utf8(text)) return value::append_json_string(to, text);
  to += "\"base64:";
  base::append_base64(to, text);
  to += '"';
}

void append_member(std::string& to, std::string_view name, std::string_view text) {
  to += ",\"";
  to.append(name);
  to += "\":";
  append_text(to, text);
}

void append_user(std::string& to, const Record& record) {
  to += R"(,"user":")";
  if (!record.user.is_zero()) {
    to += "token:";
    append_hex(to, record.user.value());
  } else {
    to += record.is_by_system ? "system"sv : "anonymous"sv;
  }
  to += '"';
}

std::uint64_t number_in(std::string_view text) noexcept {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

void append_timestamp(std::string& to, std::int64_t time_us) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds(time_us)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<microseconds> clock(time - day);
  char text[timestamp_size + 1] = "0000-00-00T00:00:00.000000Z";
  const auto write = [&text](std::size_t at, std::size_t digits, std::uint64_t number) {
    for (std::size_t i = at + digits; i-- > at; number /= 10) text[i] = static_cast<char>('0' + number % 10);
  };
  write(0, 4, static_cast<std::uint64_t>(int{date.year()}));
  write(5, 2, unsigned{date.month()});
  write(8, 2, unsigned{date.day()});
  write(11, 2, static_cast<std::uint64_t>(clock.hours().count()));
  write(14, 2, static_cast<std::uint64_t>(clock.minutes().count()));
  write(17, 2, static_cast<std::uint64_t>(clock.seconds().count()));
  write(20, 6, static_cast<std::uint64_t>(clock.subseconds().count()));
  to.append(text, timestamp_size);
}

std::string date_of(std::int64_t time_us) {
  std::string text;
  append_timestamp(text, time_us);
  text.resize(10);
  return text;
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing.

void LineMaker::append_event_id(std::string& to) {
  std::string digits;
  append_hex(digits, random_.next());
  append_hex(digits, random_.next());
  digits[12] = '4';                                             // version: drawn
  digits[16] = "89ab"[static_cast<unsigned>(digits[16]) & 3U];  // variant: RFC 9562
  to.append(digits, 0, 8).append("-").append(digits, 8, 4).append("-").append(digits, 12, 4);
  to.append("-").append(digits, 16, 4).append("-").append(digits, 20, 12);
}

void LineMaker::append_shown_key(std::string& to, std::string_view key) {
  if (style_.shows_keys) return append_text(to, key);
  to += "\"sha256:";
  to.append(view_of(sha256_.of(key)));
  to += '"';
}

void LineMaker::append_key(std::string& to, std::string_view name, std::string_view key) {
  if (style_.shows_keys && !value::is_utf8(key)) {
    to += R"(,"key_b64":")";
    base::append_base64(to, key);
    to += '"';
    return;
  }
  to += ",\"";
  to.append(name);
  to += "\":";
  append_shown_key(to, key);
}

void LineMaker::append_metadata(std::string& to, const Record& record) {
  to += R"(,"metadata":{)";
  const std::size_t begin = to.size();
  const auto name = [&](std::string_view text) {
    if (to.size() > begin) to += ',';
    to += '"';
    to.append(text);
    to += "\":";
  };
  const auto fact = [&](std::string_view text, bool yes) {
    name(text);
    to += yes ? "true" : "false";
  };
  if (record.has_ttl) fact("has_ttl", *record.has_ttl);
  if (record.ttl_s != 0) {
    name("ttl_seconds");
    append_number(to, record.ttl_s);
  }
  if (record.is_compressed) fact("compressed", *record.is_compressed);
  if (record.count) {
    name("count");
    append_number(to, *record.count);
  }
  if (!record.target.empty()) {
    name("target");
    append_text(to, record.target);
  }
  if (record.outcome == Outcome::unauthorized || record.outcome == Outcome::forbidden) {
    fact("unauthorized_attempt", true);
  }
  if (!record.keys.empty()) {
    name(style_.shows_keys ? "keys" : "key_hashes");
    for (std::size_t i = 0; i < record.keys.size(); ++i) {
      to += i == 0 ? '[' : ',';
      append_shown_key(to, record.keys[i]);
    }
    to += ']';
  }
  if (!record.metadata.empty()) {
    if (to.size() > begin) to += ',';
    to.append(record.metadata);
  }
  to += '}';
}

void LineMaker::append_entry(std::string& to, const Record& record) {
  to += timestamp_name;
  append_timestamp(to, record.time_us);
  to += R"(","event_id":")";
  append_event_id(to);
  to += '"';
  append_member(to, "operation", record.operation);
  if (!record.key.empty()) append_key(to, style_.shows_keys ? "key" : "key_hash", record.key);
  append_member(to, "result", outcome_name(record.outcome));
  if (!record.error.empty()) append_member(to, "error", record.error);
  append_user(to, record);
  append_member(to, "node", style_.node);
  if (!record.client.empty()) append_member(to, "client", record.client);
  if (record.revision != 0) {
    to += R"(,"revision":)";
    append_number(to, record.revision);
  }
  append_metadata(to, record);
  if (record.span == 0) return;
  to += R"(,"trace_id":")";
  append_hex(to, record.trace_high);
  append_hex(to, record.trace_low);
  to += R"(","span_id":")";
  append_hex(to, record.span);
  to += '"';
}

void append_mark(std::string& to, const Mark& mark, std::string_view node, std::int64_t time_us, const Hex& previous,
                 std::string_view key) {
  const std::size_t begin = to.size();
  to += timestamp_name;
  append_timestamp(to, time_us);
  to += '"';
  to += mark_name;
  if (mark.is_begin) {
    to += R"(begin","format":)";
    append_number(to, format_number);
  } else {
    to += R"(end")";
  }
  to += R"(,"file":)";
  append_number(to, mark.file);
  if (mark.is_begin) {
    append_member(to, "node", node);
    if (mark.is_unsealed) to += R"(,"unsealed":true)";
    append_member(to, "previous", view_of(previous));
  } else {
    to += R"(,"entries":)";
    append_number(to, mark.entries);
  }
  std::string covered(view_of(previous));
  covered.append(to, begin);
  const Hex signature = sign(key, covered);
  to += signature_name;
  to.append(view_of(signature));
  to += '"';
}

Hex seal_line(std::string& to, std::size_t begin, const Hex& previous, Sha256& sha256) {
  const Hex hash = sha256.of(view_of(previous), std::string_view(to).substr(begin));
  to += hash_name;
  to.append(view_of(hash));
  to += "\"}\n";
  return hash;
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading.

std::optional<LineView> read_line(std::string_view text) noexcept {
  if (text.size() < behind_timestamp + hash_member_size || !text.starts_with(timestamp_name)) return std::nullopt;
  const std::size_t at = text.size() - hash_member_size;
  if (text.substr(at, hash_name.size()) != hash_name || !text.ends_with("\"}")) return std::nullopt;
  return LineView{.text = text,
                  .hashed = text.substr(0, at),
                  .hash = text.substr(at + hash_name.size(), hex_size),
                  .timestamp = text.substr(timestamp_name.size(), timestamp_size)};
}

bool is_mark(const LineView& line) noexcept {
  return line.text.substr(behind_timestamp, mark_name.size()) == mark_name;
}

std::optional<ReadMark> read_mark(const LineView& line) {
  if (!is_mark(line)) return std::nullopt;
  const std::size_t signature_at = line.hashed.rfind(signature_name);
  if (signature_at == std::string_view::npos) return std::nullopt;
  ReadMark read;
  read.signed_text = line.hashed.substr(0, signature_at);
  value::Cursor cursor(line.text);
  for (cursor.open(); cursor.more();) {
    const std::string_view name = cursor.name();
    const std::string_view member = cursor.skip();
    if (name == "audit") {
      if (member != "\"begin\"" && member != "\"end\"") return std::nullopt;
      read.mark.is_begin = member == "\"begin\"";
    } else if (name == "format") {
      if (number_in(member) != format_number) return std::nullopt;
    } else if (name == "file") {
      read.mark.file = number_in(member);
    } else if (name == "previous") {
      read.previous = value::inside_quotes(member);
    } else if (name == "unsealed") {
      read.mark.is_unsealed = member == "true";
    } else if (name == "entries") {
      read.mark.entries = number_in(member);
    } else if (name == "signature") {
      read.signature = value::inside_quotes(member);
    }
  }
  return read;
}

}  // namespace concord::audit
