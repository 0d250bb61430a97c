// The OpenAPI 3.1 document of the API, written from its route table (routes/*.cpp) and schemas (schemas.hpp).
#pragma once

#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "http/route.hpp"

namespace concord::http {

/// JSON text. The same table gives the same bytes.
[[nodiscard]] std::string openapi_document(std::span<const Route> routes, std::string_view version);

/// The document of one server, made when it is asked for first: most servers are never asked. Thread rule: any thread.
class OpenapiDocument {
 public:
  /// `routes` and `version` must outlive this. `is_coded`: clients may have it as gzip.
  OpenapiDocument(std::span<const Route> routes, std::string_view version, bool is_coded) noexcept
      : routes_(routes), version_(version), is_coded_(is_coded) {}

  [[nodiscard]] bool is_coded() const noexcept { return is_coded_; }
  /// Stays as long as this does, and so does that of `gzip`.
  [[nodiscard]] std::string_view text();
  [[nodiscard]] std::string_view gzip();

 private:
  const std::span<const Route> routes_;
  const std::string_view version_;
  const bool is_coded_;
  std::once_flag text_made_;
  std::once_flag gzip_made_;
  std::string text_;
  std::string gzip_;
};

}  // namespace concord::http
