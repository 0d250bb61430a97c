// Request bodies: the outer objects are taken apart here, the values inside are kept as text.
//
// A body's members are found by walking over the raw text; each value is handed on as the bytes the client wrote, to be read
// by the strict reader of room value (`Value::parse_json`). So a value nests as deep as it may alone, integers keep their 64
// bits, and nothing is built that is thrown away. The walk itself checks only what it needs; every part of a body that is
// accepted goes through a strict reader, names included.
//
//     ObjectReader reader(body, "the body");
//     while (auto member = reader.next()) { if (member->name == "value") ...; else return unknown_field(...); }
//     if (reader.problem()) return ...;
//
// Duplicate names are refused. Messages say where ("operations[3]") but never quote a value.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/value.hpp>

#include "http/error_status.hpp"

namespace concord::http {

/// Walks the items of a JSON object or array. Views the text.
class ContainerReader {
 public:
  /// `place` names the container in messages; it must outlive the reader.
  ContainerReader(std::string_view text, std::string_view place, char open, char close) noexcept;

  [[nodiscard]] const std::optional<Problem>& problem() const noexcept { return problem_; }

 protected:
  /// Steps to the next item; false at the end or after a problem.
  bool step();
  bool wrong(std::string_view reason);
  void skip_space() noexcept;
  bool read_raw_string(std::string_view& raw);
  /// The text of the value that begins here; checked only as far as finding its end needs.
  bool read_raw_value(std::string_view& raw);
  [[nodiscard]] bool at(char c) const noexcept { return at_ < text_.size() && text_[at_] == c; }

  std::string_view text_;
  std::string_view place_;
  std::size_t at_ = 0;

 private:
  bool skip_nested();

  std::optional<Problem> problem_;
  char open_;
  char close_;
  bool opened_ = false;
  bool closed_ = false;
};

class ObjectReader : public ContainerReader {
 public:
  struct Member {
    std::string name;
    std::string_view value;  ///< raw JSON text
  };

  explicit ObjectReader(std::string_view text, std::string_view place = "the body") noexcept
      : ContainerReader(text, place, '{', '}') {}

  [[nodiscard]] std::optional<Member> next();

 private:
  std::vector<std::string> seen_;
};

class ArrayReader : public ContainerReader {
 public:
  ArrayReader(std::string_view text, std::string_view place) noexcept : ContainerReader(text, place, '[', ']') {}

  /// The raw text of the next item.
  [[nodiscard]] std::optional<std::string_view> next();
};

/// "the field "x" of the body is not known"
[[nodiscard]] Problem unknown_field(std::string_view name, std::string_view place);
/// "the field "x" of the body is missing"
[[nodiscard]] Problem missing_field(std::string_view name, std::string_view place);
[[nodiscard]] Problem wrong_type(std::string_view name, std::string_view place, std::string_view wanted);

/// Reads a field's raw text as a JSON value, in place: the message names the field.
[[nodiscard]] std::expected<Value, Problem> read_value(std::string_view raw, std::string_view name,
                                                       std::string_view place);
[[nodiscard]] std::expected<std::string, Problem> read_string(std::string_view raw, std::string_view name,
                                                              std::string_view place);
[[nodiscard]] std::expected<bool, Problem> read_bool(std::string_view raw, std::string_view name,
                                                     std::string_view place);
[[nodiscard]] std::expected<std::uint64_t, Problem> read_unsigned(std::string_view raw, std::string_view name,
                                                                  std::string_view place);
/// A ttl in seconds; null is none.
[[nodiscard]] std::expected<std::optional<std::uint32_t>, Problem> read_ttl(std::string_view raw, std::string_view name,
                                                                            std::string_view place);
/// The text of a filter document, compact; whether it compiles is for room command to say.
[[nodiscard]] std::expected<std::string, Problem> read_filter(std::string_view raw, std::string_view name,
                                                              std::string_view place);

/// Turns a JSON string that holds base64 into a bytes value.
[[nodiscard]] std::expected<Value, Problem> read_base64(std::string_view raw, std::string_view name,
                                                        std::string_view place);

}  // namespace concord::http
