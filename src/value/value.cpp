// Implements <concord/value.hpp>. A long value that is not the store's own lives in a block (block.hpp).
#include <concord/value.hpp>

#include <charconv>
#include <cmath>
#include <memory>

#include "value/block.hpp"
#include "value/cursor.hpp"
#include "value/decode.hpp"
#include "value/equal.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"
#include "value/number.hpp"

namespace concord {
namespace {

std::string_view kind_name(std::string_view stored) {
  if (static_cast<unsigned char>(stored.front()) == Value::bytes_tag) return "bytes";
  if (static_cast<unsigned char>(stored.front()) == Value::invalid_tag) return "invalid";
  switch (value::kind_of(stored.substr(1))) {
    case value::JsonKind::null: return "null";
    case value::JsonKind::boolean: return "a boolean";
    case value::JsonKind::number: return "a number";
    case value::JsonKind::string: return "a string";
    case value::JsonKind::array: return "an array";
    case value::JsonKind::object: return "an object";
  }
  return "unknown";
}

std::unexpected<Error> wrong_kind(std::string_view stored, std::string_view wanted) {
  return fail(Errc::invalid_request, "the value is " + std::string(kind_name(stored)) + ", not " + std::string(wanted));
}

/// The number a stored form holds.
Result<value::Number> read_number(std::string_view stored, std::string_view wanted) {
  const bool is_json = static_cast<unsigned char>(stored.front()) == Value::json_tag;
  if (!is_json || value::kind_of(stored.substr(1)) != value::JsonKind::number) return wrong_kind(stored, wanted);
  return value::Number::from_text(stored.substr(1));
}

std::unexpected<Error> out_of_range(std::string_view number) {
  return fail(Errc::invalid_request,
              "the number " + std::string(number.substr(0, 64)) + " does not fit the type asked for");
}

}  // namespace

Value::Value(const Value& other) : size_(other.size_), shared_form_(other.shared_form_) {
  if (shared_form_) {
    std::construct_at(&shared_, other.shared_);
    shared_.owner.retain(shared_.owner.owner);
  } else {
    std::memcpy(inline_, other.inline_, size_);
  }
}

Value::Value(Value&& other) noexcept : size_(other.size_), shared_form_(other.shared_form_) {
  if (shared_form_) {
    std::construct_at(&shared_, other.shared_);
    other.set_inline("\0null", 5);  // a moved-from value is null
  } else {
    std::memcpy(inline_, other.inline_, size_);
  }
}

Value& Value::operator=(const Value& other) {
  if (this != &other) *this = Value(other);
  return *this;
}

Value& Value::operator=(Value&& other) noexcept {
  if (this != &other) {
    release();
    std::construct_at(this, std::move(other));
  }
  return *this;
}

Result<Value> Value::parse_json(std::string_view text) {
  Value parsed;
  char* const payload = parsed.reserve(json_tag, text.size());
  auto size = value::write_compact_json(payload, text);
  if (!size) return std::unexpected(std::move(size.error()));
  if (!parsed.is_inline() && *size + 1 <= inline_capacity) {  // much of the text was white space
    return from_stored({parsed.data(), *size + 1});
  }
  parsed.size_ = *size + 1;
  return parsed;
}

Result<boost::json::value> Value::json() const {
  if (!is_json()) return wrong_kind(stored(), "JSON");
  return value::decode_json(payload());
}

Value Value::from_stored(std::string_view stored) {
  Value copy;
  copy.assign_stored(static_cast<unsigned char>(stored.front()), stored.substr(1));
  return copy;
}

Value Value::share_stored(std::string_view stored, detail::ValueOwner owner) noexcept {
  Value shared;
  if (stored.size() <= inline_capacity) {
    shared.set_inline(stored.data(), stored.size());
    owner.release(owner.owner);
  } else {
    std::construct_at(&shared.shared_, Shared{stored.data(), owner});
    shared.size_ = stored.size();
    shared.shared_form_ = true;
  }
  return shared;
}

char* Value::reserve(unsigned char tag, std::size_t payload_size_bytes) {
  size_ = payload_size_bytes + 1;
  if (size_ <= inline_capacity) {
    shared_form_ = false;
    inline_[0] = static_cast<char>(tag);
    return inline_ + 1;
  }
  const value::Block block = value::make_block(size_);
  block.bytes[0] = static_cast<char>(tag);
  std::construct_at(&shared_, Shared{block.bytes, block.owner});
  shared_form_ = true;
  return block.bytes + 1;
}

void Value::assign_stored(unsigned char tag, std::string_view payload) {
  char* const to = reserve(tag, payload.size());
  if (!payload.empty()) std::memcpy(to, payload.data(), payload.size());
}

void Value::assign_invalid(std::string_view reason) { assign_stored(invalid_tag, reason); }

void Value::assign_signed(std::int64_t value) noexcept {
  inline_[0] = static_cast<char>(json_tag);
  size_ = static_cast<std::size_t>(std::to_chars(inline_ + 1, inline_ + inline_capacity, value).ptr - inline_);
}

void Value::assign_unsigned(std::uint64_t value) noexcept {
  inline_[0] = static_cast<char>(json_tag);
  size_ = static_cast<std::size_t>(std::to_chars(inline_ + 1, inline_ + inline_capacity, value).ptr - inline_);
}

void Value::assign_double(double value) noexcept {
  if (!std::isfinite(value)) return assign_invalid("a number that is not finite has no JSON form");
  inline_[0] = static_cast<char>(json_tag);
  size_ = static_cast<std::size_t>(value::write_double(inline_ + 1, value) - inline_);
}

void Value::assign_string(std::string_view text) {
  if (!value::is_utf8(text)) return assign_invalid("a string that is not UTF-8 has no JSON form; put it as Bytes");
  value::write_json_string(reserve(json_tag, value::json_string_size(text)), text);
}

void Value::assign_bytes(std::string_view bytes) { assign_stored(bytes_tag, bytes); }

void Value::assign_json(const boost::json::value& json) {
  std::string text;
  if (auto done = value::append_json(text, json); !done) return assign_invalid(done.error().message());
  assign_stored(json_tag, text);
}

bool Value::equals(const Value& other) const { return value::equal_stored(stored(), other.stored()); }

Result<std::int64_t> Value::as_signed(std::int64_t low, std::int64_t high) const {
  const auto number = read_number(stored(), "a whole number");
  if (!number) return std::unexpected(number.error());
  const auto whole = number->exact_signed();
  if (!whole || *whole < low || *whole > high) return out_of_range(payload());
  return *whole;
}

Result<std::uint64_t> Value::as_unsigned(std::uint64_t high) const {
  const auto number = read_number(stored(), "a whole number");
  if (!number) return std::unexpected(number.error());
  const auto whole = number->exact_unsigned();
  if (!whole || *whole > high) return out_of_range(payload());
  return *whole;
}

Result<double> Value::as_double(double high) const {
  const auto number = read_number(stored(), "a number");
  if (!number) return std::unexpected(number.error());
  const auto exact = number->exact_double();
  if (!exact || std::abs(*exact) > high) return out_of_range(payload());
  return *exact;
}

Result<bool> Value::as_bool() const {
  if (!is_json() || value::kind_of(payload()) != value::JsonKind::boolean) return wrong_kind(stored(), "a boolean");
  return payload() == "true";
}

Result<std::string> Value::as_string() const {
  if (!is_json() || value::kind_of(payload()) != value::JsonKind::string) return wrong_kind(stored(), "a string");
  return value::unescape(value::inside_quotes(payload()));
}

Result<std::vector<std::byte>> Value::as_byte_vector() const {
  if (!is_bytes()) return wrong_kind(stored(), "bytes");
  const std::string_view view = payload();
  const auto* const first = reinterpret_cast<const std::byte*>(view.data());
  return std::vector<std::byte>(first, first + view.size());
}

}  // namespace concord
