// The shapes of what the API takes and answers, each said once: bodies are read by them (envelope.hpp), queries are checked by
// them (parameters.hpp), the OpenAPI document is written from them (openapi.cpp), and the test of bad input is made from them.
//
// A field that is not in its schema cannot be read, so none exists undocumented. Schemas are constants (schemas.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace concord::http {

enum class Shape : std::uint8_t {
  any,      ///< any JSON value
  text,     ///< a string
  integer,  ///< a whole number
  boolean,
  array,
  object,  ///< with exactly the fields that are named
  map,     ///< an object with any names, all values of one shape
};

struct Schema;

struct Field {
  std::string_view name = {};
  const Schema* schema = nullptr;
  std::string_view description = {};
  bool required = false;
};

struct ExclusiveFields {
  std::string_view one;
  std::string_view other;
};

/// What holds besides where `field` is the text `value`.
struct Variant {
  std::string_view field;
  std::string_view value;
  std::span<const std::string_view> required = {};
  std::span<const std::string_view> forbidden = {};
  std::span<const std::string_view> not_null = {};
};

struct Schema {
  Shape shape = Shape::any;
  /// Under this name it stands among the components of the document; empty: where it is used.
  std::string_view name = {};
  std::string_view description = {};
  bool nullable = false;
  std::int64_t minimum = 0;
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
  std::span<const std::string_view> values = {};  ///< text: one of these; empty: any
  std::string_view format = {};                   ///< text: a format of JSON Schema
  std::string_view pattern = {};                  ///< text: a regular expression for all of it
  std::size_t min_length = 0;                     ///< text: characters
  const Schema* items = nullptr;                  ///< array, map
  std::size_t min_items = 0;
  std::size_t max_items = 0;  ///< 0: no bound
  std::span<const Field> fields = {};
  /// Exactly one of these fields must be there.
  std::span<const std::string_view> one_of = {};
  /// Exactly one of these too; the handler tells, for a wrong number of them has errors of its own.
  std::span<const std::string_view> one_condition_of = {};
  /// At least one of these; the handler tells.
  std::span<const std::string_view> some_of = {};
  std::span<const Variant> variants = {};  ///< the handler tells
  /// No two of a pair may be there; the handler tells.
  std::span<const ExclusiveFields> exclusive = {};
  std::string_view example = {};  ///< JSON text
};

/// The fields of `first`, then those of `second`.
template <std::size_t first_count, std::size_t second_count>
[[nodiscard]] consteval std::array<Field, first_count + second_count> joined(
    const std::array<Field, first_count>& first, const std::array<Field, second_count>& second) {
  std::array<Field, first_count + second_count> all;
  std::ranges::copy(second, std::ranges::copy(first, all.begin()).out);
  return all;
}

template <std::size_t count>
[[nodiscard]] consteval std::array<std::string_view, count> names_of(const std::array<Field, count>& fields) {
  std::array<std::string_view, count> names;
  std::ranges::transform(fields, names.begin(), &Field::name);
  return names;
}

/// Position of the field in `schema.fields`, or -1.
[[nodiscard]] int position_of(const Schema& schema, std::string_view field) noexcept;

}  // namespace concord::http
