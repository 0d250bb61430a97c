// Request bodies: taken apart once, front to back, as their schemas say; the values inside are kept as text.
//
// The readers of one body share a `BodyText`, a place in the text that only moves forward. Whoever comes to a member takes it:
// as raw text (`value`), or, for a list, with a reader of its own on the same text. So no byte of a list of operations is looked
// at to find the list's end. Raw values are read by the strict reader of room value (`Value::parse_json`): a value nests as deep
// as it may alone, integers keep their 64 bits, and nothing is built that is thrown away.
//
//     BodyText text(call.request.body);
//     ObjectReader reader(text, schemas::touch);
//     while (const Field* field = reader.next()) fields.take(field->name, reader.value());
//     if (text.problem()) return call.refuse(*text.problem());
//
// Refused here: a field that the schema does not have, one that stands twice, a required one that is missing, none or several of
// those of which one is wanted; text that is no JSON. Messages say where ("operations[3]") but never quote a value.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <concord/value.hpp>

#include "http/error_status.hpp"
#include "http/schema.hpp"

namespace concord::http {

/// What a message is about: "the body", "operations[3]". Views its name.
struct Place {
  static constexpr std::size_t whole = static_cast<std::size_t>(-1);

  std::string_view name = "the body";
  std::size_t position = whole;

  [[nodiscard]] std::string text() const;
};

/// A body, and how far it has been read. Views the text.
class BodyText {
 public:
  explicit BodyText(std::string_view text) noexcept : text_(text) {}

  [[nodiscard]] const std::optional<Problem>& problem() const noexcept { return problem_; }
  void fail(Problem problem) {
    if (!problem_) problem_ = std::move(problem);
  }

 private:
  friend class ContainerReader;

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;  ///< containers being read
  std::optional<Problem> problem_;
};

/// Steps through the items of a JSON object or array.
class ContainerReader {
 public:
  /// The text of the item that was come to; checked only as far as finding its end needs.
  std::string_view value();

 protected:
  ContainerReader(BodyText& text, Place place, char open, char close) noexcept
      : body_(text), place_(place), open_(open), close_(close) {}

  /// To the next item; false at the end, or after a problem.
  bool step();
  bool wrong(std::string_view reason);
  void skip_space() noexcept;
  bool read_raw_string(std::string_view& raw);
  [[nodiscard]] bool at(char c) const noexcept { return body_.at_ < body_.text_.size() && body_.text_[body_.at_] == c; }
  void skip_byte() noexcept { ++body_.at_; }
  /// The item begins here.
  void begin_item() noexcept { item_at_ = body_.at_; }
  [[nodiscard]] const Place& place() const noexcept { return place_; }
  [[nodiscard]] BodyText& body() const noexcept { return body_; }

 private:
  bool begin();
  bool end();
  bool skip_nested();

  BodyText& body_;
  Place place_;
  std::size_t item_at_ = 0;  ///< where the item begins that was come to
  char open_;
  char close_;
  bool opened_ = false;
  bool closed_ = false;
};

class ObjectReader : public ContainerReader {
 public:
  ObjectReader(BodyText& text, const Schema& schema, Place place = {}) noexcept
      : ContainerReader(text, place, '{', '}'), schema_(schema) {}

  /// The field that comes next; null at the end, or after a problem.
  [[nodiscard]] const Field* next();

 private:
  [[nodiscard]] const Field* read_name();
  void check_complete();

  const Schema& schema_;
  std::uint64_t seen_ = 0;  ///< bit i: field i of the schema
};

class ArrayReader : public ContainerReader {
 public:
  /// `schema` bounds the number of items: too few are INVALID_REQUEST, too many BATCH_TOO_LARGE (INVALID_REQUEST where the
  /// number is fixed). `name` is that of the list.
  ArrayReader(BodyText& text, const Schema& schema, std::string_view name) noexcept
      : ContainerReader(text, {.name = name}, '[', ']'), schema_(schema) {}

  /// False at the end, or after a problem.
  [[nodiscard]] bool next();
  /// That of the item that was come to.
  [[nodiscard]] Place item() const noexcept { return {.name = place().name, .position = count_ - 1}; }

 private:
  [[nodiscard]] Problem wrong_count() const;

  const Schema& schema_;
  std::size_t count_ = 0;
};

/// "the field "x" of the body is not known"
[[nodiscard]] Problem unknown_field(std::string_view name, const Place& place);
/// "the field "x" of the body is missing"
[[nodiscard]] Problem missing_field(std::string_view name, const Place& place);
[[nodiscard]] Problem wrong_type(std::string_view name, const Place& place, std::string_view wanted);

/// Reads a field's raw text as a JSON value, in place: the message names the field.
[[nodiscard]] std::expected<Value, Problem> read_value(std::string_view raw, std::string_view name, const Place& place);
[[nodiscard]] std::expected<std::string, Problem> read_string(std::string_view raw, std::string_view name,
                                                              const Place& place);
[[nodiscard]] std::expected<bool, Problem> read_bool(std::string_view raw, std::string_view name, const Place& place);
[[nodiscard]] std::expected<std::uint64_t, Problem> read_unsigned(std::string_view raw, std::string_view name,
                                                                  const Place& place);
/// A ttl in seconds; null is none.
[[nodiscard]] std::expected<std::optional<std::uint32_t>, Problem> read_ttl(std::string_view raw, std::string_view name,
                                                                            const Place& place);
/// The text of a filter document, compact; whether it compiles is for room command to say.
[[nodiscard]] std::expected<std::string, Problem> read_filter(std::string_view raw, std::string_view name,
                                                              const Place& place);
/// The bytes of a JSON string that holds padded base64.
[[nodiscard]] std::expected<std::string, Problem> read_base64(std::string_view raw, std::string_view name,
                                                              const Place& place);

}  // namespace concord::http
