#include "http/envelope.hpp"

#include <algorithm>

#include "base/base64.hpp"
#include "command/validate.hpp"
#include "value/cursor.hpp"
#include "value/json_string.hpp"

namespace concord::http {
namespace {

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string field_of(std::string_view name, std::string_view place) {
  std::string text = "the field \"";
  text.append(name);
  text += "\" of ";
  text.append(place);
  return text;
}

}  // namespace

ContainerReader::ContainerReader(std::string_view text, std::string_view place, char open, char close) noexcept
    : text_(text), place_(place), open_(open), close_(close) {}

bool ContainerReader::wrong(std::string_view reason) {
  std::string message(place_);
  message += " is malformed JSON at offset " + std::to_string(at_) + ": ";
  message.append(reason);
  problem_ = invalid_request(std::move(message));
  return false;
}

void ContainerReader::skip_space() noexcept {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

bool ContainerReader::step() {
  if (problem_ || closed_) return false;
  skip_space();
  if (!opened_) {
    if (!at(open_)) {
      std::string message(place_);
      message += open_ == '{' ? " must be a JSON object" : " must be a JSON array";
      problem_ = invalid_request(std::move(message));
      return false;
    }
    ++at_;
    opened_ = true;
    skip_space();
    if (!at(close_)) return true;
  } else if (at(',')) {
    ++at_;
    skip_space();
    return true;
  } else if (!at(close_)) {
    return wrong(at_ == text_.size() ? "the text ends too early" : "comma expected");
  }
  ++at_;
  closed_ = true;
  skip_space();
  if (at_ != text_.size()) return wrong("text behind the value");
  return false;
}

bool ContainerReader::read_raw_string(std::string_view& raw) {
  const std::size_t from = at_;
  if (!at('"')) return wrong("a string is expected");
  ++at_;
  while (at_ < text_.size()) {
    at_ += value::plain_prefix_size(text_.substr(at_));
    if (at_ >= text_.size()) break;
    const char c = text_[at_++];
    if (c == '"') {
      raw = text_.substr(from, at_ - from);
      return true;
    }
    if (c == '\\' && at_ < text_.size()) ++at_;
  }
  return wrong("a string without end");
}

bool ContainerReader::skip_nested() {
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      std::string_view ignored;
      if (!read_raw_string(ignored)) return false;
      continue;
    }
    ++at_;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return true;
  }
  return wrong("the text ends too early");
}

bool ContainerReader::read_raw_value(std::string_view& raw) {
  const std::size_t from = at_;
  if (at('"')) return read_raw_string(raw);
  if (at('[') || at('{')) {
    if (!skip_nested()) return false;
  } else {
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ']' && text_[at_] != '}' && !is_space(text_[at_]))
      ++at_;
    if (at_ == from) return wrong("a value is expected");
  }
  raw = text_.substr(from, at_ - from);
  return true;
}

std::optional<ObjectReader::Member> ObjectReader::next() {
  std::string_view raw_name;
  Member member;
  if (!step() || !read_raw_string(raw_name)) return std::nullopt;
  auto name = Value::parse_json(raw_name);
  if (!name) {
    wrong("a name that is no JSON string");
    return std::nullopt;
  }
  member.name = value::unescape(value::inside_quotes(name->json_text()));
  skip_space();
  if (!at(':')) {
    wrong("colon expected");
    return std::nullopt;
  }
  ++at_;
  skip_space();
  if (std::ranges::find(seen_, member.name) != seen_.end()) {
    wrong("the field \"" + member.name + "\" stands twice");
    return std::nullopt;
  }
  if (!read_raw_value(member.value)) return std::nullopt;
  seen_.push_back(member.name);
  return member;
}

std::optional<std::string_view> ArrayReader::next() {
  std::string_view raw;
  if (!step() || !read_raw_value(raw)) return std::nullopt;
  return raw;
}

Problem unknown_field(std::string_view name, std::string_view place) {
  return invalid_request(field_of(name.substr(0, 200), place) + " is not known");
}

Problem missing_field(std::string_view name, std::string_view place) {
  return invalid_request(field_of(name, place) + " is missing");
}

Problem wrong_type(std::string_view name, std::string_view place, std::string_view wanted) {
  std::string message = field_of(name, place);
  message += " must be ";
  message.append(wanted);
  return invalid_request(std::move(message));
}

std::expected<Value, Problem> read_value(std::string_view raw, std::string_view name, std::string_view place) {
  auto value = Value::parse_json(raw);
  if (value) return std::move(*value);
  return std::unexpected(invalid_request(field_of(name, place) + ": " + value.error().message()));
}

std::expected<std::string, Problem> read_string(std::string_view raw, std::string_view name, std::string_view place) {
  auto value = read_value(raw, name, place);
  if (!value) return std::unexpected(std::move(value.error()));
  auto text = value->as<std::string>();
  if (!text) return std::unexpected(wrong_type(name, place, "a string"));
  return std::move(*text);
}

std::expected<bool, Problem> read_bool(std::string_view raw, std::string_view name, std::string_view place) {
  if (raw == "true") return true;
  if (raw == "false") return false;
  return std::unexpected(wrong_type(name, place, "true or false"));
}

std::expected<std::uint64_t, Problem> read_unsigned(std::string_view raw, std::string_view name,
                                                    std::string_view place) {
  auto value = read_value(raw, name, place);
  if (!value) return std::unexpected(std::move(value.error()));
  const auto number = value->as<std::uint64_t>();
  if (!number) return std::unexpected(wrong_type(name, place, "a whole number, not negative"));
  return *number;
}

std::expected<std::optional<std::uint32_t>, Problem> read_ttl(std::string_view raw, std::string_view name,
                                                              std::string_view place) {
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

std::expected<std::string, Problem> read_filter(std::string_view raw, std::string_view name, std::string_view place) {
  auto value = read_value(raw, name, place);
  if (!value) return std::unexpected(std::move(value.error()));
  if (!value->json_text().starts_with('{'))
    return std::unexpected(wrong_type(name, place, "a filter document (an object)"));
  return std::string(value->json_text());
}

std::expected<Value, Problem> read_base64(std::string_view raw, std::string_view name, std::string_view place) {
  auto text = read_string(raw, name, place);
  if (!text) return std::unexpected(std::move(text.error()));
  const auto bytes = base::decode_base64(*text);
  if (!bytes) return std::unexpected(wrong_type(name, place, "padded base64"));
  return Value(Bytes(*bytes));
}

}  // namespace concord::http
