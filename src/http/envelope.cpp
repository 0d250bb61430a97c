#include "http/envelope.hpp"

#include <algorithm>
#include <charconv>

#include "base/base64.hpp"
#include "base/check.hpp"
#include "command/validate.hpp"
#include "value/cursor.hpp"
#include "value/json_string.hpp"

namespace concord::http {
namespace {

/// Of a name that a client chose, in messages.
constexpr std::size_t shown_name_bytes = 200;

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string field_of(std::string_view name, const Place& place) {
  return "the field \"" + std::string(name) + "\" of " + place.text();
}

std::uint64_t bit_of(std::size_t position) noexcept { return std::uint64_t{1} << position; }

std::string quoted_list(std::span<const std::string_view> names) {
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "\"" : ", \"") + std::string(name) + '"';
  return list;
}

}  // namespace

std::string Place::text() const {
  std::string text(name);
  if (position != whole) text += '[' + std::to_string(position) + ']';
  return text;
}

// Containers ---------------------------------------------------------------------------------------------------------

bool ContainerReader::wrong(std::string_view reason) {
  std::string message = place_.text() + " is malformed JSON at offset " + std::to_string(body_.at_) + ": ";
  message.append(reason);
  body_.fail(invalid_request(std::move(message)));
  return false;
}

void ContainerReader::skip_space() noexcept {
  while (body_.at_ < body_.text_.size() && is_space(body_.text_[body_.at_])) ++body_.at_;
}

bool ContainerReader::begin() {
  opened_ = true;
  skip_space();
  if (!at(open_)) {
    body_.fail(invalid_request(place_.text() + (open_ == '{' ? " must be a JSON object" : " must be a JSON array")));
    return false;
  }
  skip_byte();
  ++body_.depth_;
  skip_space();
  return at(close_) ? end() : true;
}

/// Always false: there is no further item.
bool ContainerReader::end() {
  skip_byte();
  closed_ = true;
  if (--body_.depth_ > 0) return false;
  skip_space();
  if (body_.at_ != body_.text_.size()) wrong("text behind the value");
  return false;
}

bool ContainerReader::step() {
  if (body_.problem_ || closed_) return false;
  bool more = true;
  if (!opened_) {
    more = begin();
  } else {
    if (body_.at_ == item_at_) value();  // nobody took the item
    if (body_.problem_) return false;
    skip_space();
    if (at(',')) {
      skip_byte();
      skip_space();
    } else {
      more = at(close_) ? end() : wrong(body_.at_ == body_.text_.size() ? "the text ends too early" : "comma expected");
    }
  }
  item_at_ = body_.at_;
  return more;
}

bool ContainerReader::read_raw_string(std::string_view& raw) {
  const std::string_view text = body_.text_;
  const std::size_t from = body_.at_;
  if (!at('"')) return wrong("a string is expected");
  std::size_t end = from + 1;
  while (end < text.size()) {
    end += value::plain_prefix_size(text.substr(end));
    if (end >= text.size()) break;
    const char c = text[end++];
    if (c == '"') {
      raw = text.substr(from, end - from);
      body_.at_ = end;
      return true;
    }
    if (c == '\\' && end < text.size()) ++end;
  }
  body_.at_ = text.size();
  return wrong("a string without end");
}

bool ContainerReader::skip_nested() {
  std::size_t depth = 0;
  while (body_.at_ < body_.text_.size()) {
    const char c = body_.text_[body_.at_];
    if (c == '"') {
      std::string_view ignored;
      if (!read_raw_string(ignored)) return false;
      continue;
    }
    skip_byte();
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return true;
  }
  return wrong("the text ends too early");
}

std::string_view ContainerReader::value() {
  const std::string_view text = body_.text_;
  const std::size_t from = body_.at_;
  std::string_view raw;
  if (at('"')) {
    read_raw_string(raw);
    return raw;
  }
  if (at('[') || at('{')) {
    if (!skip_nested()) return {};
  } else {
    std::size_t end = from;
    while (end < text.size() && text[end] != ',' && text[end] != ']' && text[end] != '}' && !is_space(text[end])) ++end;
    body_.at_ = end;
    if (end == from) wrong("a value is expected");
  }
  return text.substr(from, body_.at_ - from);
}

// Objects ------------------------------------------------------------------------------------------------------------

/// The field whose name begins here.
const Field* ObjectReader::read_name() {
  std::string_view raw;
  if (!read_raw_string(raw)) return nullptr;
  int position = position_of(schema_, value::inside_quotes(raw));
  if (position < 0) {  // spelt with escapes, or not known, or no JSON at all
    const auto name = Value::parse_json(raw);
    if (!name) {
      wrong("a name that is no JSON string");
      return nullptr;
    }
    const std::string spelt = value::unescape(value::inside_quotes(name->json_text()));
    position = position_of(schema_, spelt);
    if (position < 0) {
      body().fail(unknown_field(spelt, place()));
      return nullptr;
    }
  }
  const Field& field = schema_.fields[static_cast<std::size_t>(position)];
  const std::uint64_t bit = bit_of(static_cast<std::size_t>(position));
  if ((seen_ & bit) != 0) {
    wrong("the field \"" + std::string(field.name) + "\" stands twice");
    return nullptr;
  }
  seen_ |= bit;
  return &field;
}

const Field* ObjectReader::next() {
  CONCORD_CHECK(schema_.fields.size() <= 64, "a bit each");
  if (!step()) {
    if (!body().problem()) check_complete();
    return nullptr;
  }
  const Field* const field = read_name();
  if (field == nullptr) return nullptr;
  skip_space();
  if (!at(':')) {
    wrong("colon expected");
    return nullptr;
  }
  skip_byte();
  skip_space();
  begin_item();
  return field;
}

void ObjectReader::check_complete() {
  for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
    if (!schema_.fields[i].required || (seen_ & bit_of(i)) != 0) continue;
    return body().fail(missing_field(schema_.fields[i].name, place()));
  }
  if (schema_.one_of.empty()) return;
  std::size_t given = 0;
  for (const std::string_view name : schema_.one_of) {
    if ((seen_ & bit_of(static_cast<std::size_t>(position_of(schema_, name)))) != 0) ++given;
  }
  if (given == 0) return body().fail(missing_field(schema_.one_of.front(), place()));
  if (given > 1) {
    body().fail(invalid_request(place().text() + " may have only one of the fields " + quoted_list(schema_.one_of)));
  }
}

// Arrays -------------------------------------------------------------------------------------------------------------

Problem ArrayReader::wrong_count() const {
  const std::string seen = place().text() + " has " + std::to_string(count_) + " entries";
  if (schema_.min_items == schema_.max_items) {
    return invalid_request(seen + "; it must have " + std::to_string(schema_.min_items));
  }
  if (count_ == 0) return invalid_request("the list \"" + place().text() + "\" is empty");
  return Error(Errc::batch_too_large, seen + ", at most " + std::to_string(schema_.max_items) + " are allowed");
}

bool ArrayReader::next() {
  const bool more = step();
  if (more) ++count_;
  const bool too_many = schema_.max_items != 0 && count_ > schema_.max_items;
  if (more && !too_many) return true;
  while (too_many && step()) ++count_;  // to tell how many there are
  if (!body().problem() && (too_many || count_ < schema_.min_items)) body().fail(wrong_count());
  return false;
}

// Fields -------------------------------------------------------------------------------------------------------------

Problem unknown_field(std::string_view name, const Place& place) {
  return invalid_request(field_of(name.substr(0, shown_name_bytes), place) + " is not known");
}

Problem missing_field(std::string_view name, const Place& place) {
  return invalid_request(field_of(name, place) + " is missing");
}

Problem wrong_type(std::string_view name, const Place& place, std::string_view wanted) {
  return invalid_request(field_of(name, place) + " must be " + std::string(wanted));
}

std::expected<Value, Problem> read_value(std::string_view raw, std::string_view name, const Place& place) {
  auto value = Value::parse_json(raw);
  if (value) return std::move(*value);
  return std::unexpected(invalid_request(field_of(name, place) + ": " + value.error().message()));
}

std::expected<std::string, Problem> read_string(std::string_view raw, std::string_view name, const Place& place) {
  const std::string_view inside = value::inside_quotes(raw);
  if (raw.starts_with('"') && value::plain_prefix_size(inside) == inside.size()) return std::string(inside);
  auto value = read_value(raw, name, place);
  if (!value) return std::unexpected(std::move(value.error()));
  auto text = value->as<std::string>();
  if (!text) return std::unexpected(wrong_type(name, place, "a string"));
  return std::move(*text);
}

std::expected<bool, Problem> read_bool(std::string_view raw, std::string_view name, const Place& place) {
  if (raw == "true") return true;
  if (raw == "false") return false;
  return std::unexpected(wrong_type(name, place, "true or false"));
}

std::expected<std::uint64_t, Problem> read_unsigned(std::string_view raw, std::string_view name, const Place& place) {
  auto value = read_value(raw, name, place);
  if (!value) return std::unexpected(std::move(value.error()));
  const auto number = value->as<std::uint64_t>();
  constexpr auto most = static_cast<std::uint64_t>(Schema().maximum);
  if (number && *number <= most) return *number;
  return std::unexpected(wrong_type(name, place, "a whole number, 0 to " + std::to_string(most)));
}

std::expected<std::optional<std::uint32_t>, Problem> read_ttl(std::string_view raw, std::string_view name,
                                                              const Place& place) {
  if (raw == "null") return std::nullopt;
  auto value = read_value(raw, name, place);
  if (!value) return std::unexpected(std::move(value.error()));
  const auto seconds = value->as<std::int64_t>();
  if (!seconds) return std::unexpected(wrong_type(name, place, "a whole number of seconds"));
  if (const auto done = command::validate_ttl(*seconds); !done) {
    return std::unexpected(invalid_request(field_of(name, place) + ": " + done.error().message()));
  }
  return static_cast<std::uint32_t>(*seconds);
}

std::expected<std::string, Problem> read_filter(std::string_view raw, std::string_view name, const Place& place) {
  auto value = read_value(raw, name, place);
  if (!value) return std::unexpected(std::move(value.error()));
  if (!value->json_text().starts_with('{'))
    return std::unexpected(wrong_type(name, place, "a filter document (an object)"));
  return std::string(value->json_text());
}

std::expected<std::string, Problem> read_base64(std::string_view raw, std::string_view name, const Place& place) {
  auto text = read_string(raw, name, place);
  if (!text) return std::unexpected(std::move(text.error()));
  auto bytes = base::decode_base64(*text);
  if (!bytes) return std::unexpected(wrong_type(name, place, "padded base64"));
  return std::move(*bytes);
}

}  // namespace concord::http
