// Query parameters: declared beside their route, checked before its handler runs.
//
// Refused, naming the parameter: one that the route does not have, a repeated one, a number or word outside what is declared.
// A parameter whose schema is `boolean` may stand without a value.
#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "http/error_status.hpp"
#include "http/schema.hpp"
#include "http/target.hpp"

namespace concord::http {

struct Parameter {
  std::string_view name = {};
  const Schema* schema = nullptr;
  std::string_view description = {};
};

/// Those that are not a route's own.
enum class CommonParameter : std::uint8_t { timeout, consistency, key_encoding };
[[nodiscard]] const Parameter& common_parameter(CommonParameter which) noexcept;

/// What a route takes in its query.
struct ParameterSet {
  std::span<const Parameter> own = {};
  bool consistency = false;
  bool key_encoding = false;

  /// Null when it is not taken.
  [[nodiscard]] const Parameter* find(std::string_view name) const noexcept;
};

[[nodiscard]] std::expected<void, Problem> check_parameters(const ParameterSet& taken, const Query& query);

/// The number of a parameter that was checked; `otherwise` when it was not given.
[[nodiscard]] std::uint64_t number_of(const Query& query, std::string_view name, std::uint64_t otherwise) noexcept;

}  // namespace concord::http
