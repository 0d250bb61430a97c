// The fields of a write as they stand in bodies: key, key_b64; value, encoding, ttl, keep_ttl, compress.
//
// Each class collects its fields from an object, in any order, as views of the body; `read` makes sense of them.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <concord/value.hpp>

#include "http/envelope.hpp"
#include "http/error_status.hpp"

namespace concord::http {

/// The key of an object: text, or bytes as base64; one of them must be there.
class KeyFields {
 public:
  /// True when `name` is one of the fields.
  bool take(std::string_view name, std::string_view raw);

  /// Errors: INVALID_REQUEST for what is no such string, INVALID_KEY by CONTRACT 2.
  [[nodiscard]] std::expected<std::string, Problem> read(const Place& place) const;

 private:
  std::optional<std::string_view> text_raw_;
  std::optional<std::string_view> base64_raw_;
};

/// What a put writes.
class WriteFields {
 public:
  /// True when `name` is one of the fields.
  bool take(std::string_view name, std::string_view raw);

  /// Reads what was taken. `value` is required.
  [[nodiscard]] std::expected<void, Problem> read(const Place& place);

  [[nodiscard]] const std::optional<std::string_view>& ttl_raw() const noexcept { return ttl_raw_; }
  /// The first field that was taken and is none of a touch: all but `ttl`. Empty: none.
  [[nodiscard]] std::string_view beyond_a_touch() const noexcept;

  Value value;
  std::uint32_t ttl_s = 0;            ///< 0: none; command::keep_ttl
  std::optional<bool> compress = {};  ///< none: by its size

 private:
  [[nodiscard]] std::expected<void, Problem> read_times(const Place& place);

  std::optional<std::string_view> value_raw_;
  std::optional<std::string_view> encoding_raw_;
  std::optional<std::string_view> ttl_raw_;
  std::optional<std::string_view> keep_ttl_raw_;
  std::optional<std::string_view> compress_raw_;
};

/// A ttl that must be there and not be null.
[[nodiscard]] std::expected<std::uint32_t, Problem> read_required_ttl(std::optional<std::string_view> raw,
                                                                      const Place& place);

/// A value whose encoding field, if it has one, is `encoding_raw`; the names are for messages.
[[nodiscard]] std::expected<Value, Problem> read_encoded_value(std::string_view raw,
                                                               const std::optional<std::string_view>& encoding_raw,
                                                               std::string_view name, std::string_view encoding_name,
                                                               const Place& place);

}  // namespace concord::http
