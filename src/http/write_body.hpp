// The fields of a write as they stand in bodies: value, encoding, ttl, compress.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include <concord/value.hpp>

#include "http/error_status.hpp"

namespace concord::http {

/// Collects the fields of one put from an object, in any order.
class WriteFields {
 public:
  /// True when `name` is one of the fields; its text is kept as a view.
  bool take(std::string_view name, std::string_view raw);

  /// Reads what was taken. `value` is required.
  [[nodiscard]] std::expected<void, Problem> read(std::string_view place);

  Value value;
  std::uint32_t ttl_s = 0;            ///< 0: none
  std::optional<bool> compress = {};  ///< none: by its size

 private:
  std::optional<std::string_view> value_raw_;
  std::optional<std::string_view> encoding_raw_;
  std::optional<std::string_view> ttl_raw_;
  std::optional<std::string_view> compress_raw_;
};

/// A ttl that must be there and not be null.
[[nodiscard]] std::expected<std::uint32_t, Problem> read_required_ttl(std::optional<std::string_view> raw,
                                                                      std::string_view place);

}  // namespace concord::http
