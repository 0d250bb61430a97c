// The one table from what went wrong to what HTTP says: status, name, further headers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <concord/error.hpp>

namespace concord::http {

/// The HTTP status of an error of the library.
[[nodiscard]] unsigned status_of(Errc code) noexcept;

/// "Not Found"
[[nodiscard]] std::string_view reason_of(unsigned status) noexcept;

/// What a refused request is answered with. Errors of the library convert; others exist only in HTTP.
struct Problem {
  unsigned status = 500;
  std::string_view code = "INTERNAL";  ///< of static storage
  std::string message;
  unsigned retry_after_s = 1;  ///< of 429 and 503

  Problem() = default;
  Problem(unsigned status_code, std::string_view name, std::string text)
      : status(status_code), code(name), message(std::move(text)) {}
  Problem(const Error& error)  // NOLINT(google-explicit-constructor): `return std::unexpected(error)` must work
      : status(status_of(error.code())), code(error_name(error.code())), message(error.message()) {}
};

[[nodiscard]] inline Problem invalid_request(std::string message) {
  return {400, error_name(Errc::invalid_request), std::move(message)};
}

}  // namespace concord::http
