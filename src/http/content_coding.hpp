// gzip for answers (RFC 9110 8.4): only for clients that ask for it, and only where it saves something.
//
// The ETag of a key is its revision, whatever the coding: a client that conditions a write on it means the value.
// Thread rule: `GzipCoder` belongs to one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/reply.hpp"
#include "http/request.hpp"

namespace concord::compress {
class Compressor;
}

namespace concord::http {

/// Below, a packet carries it anyway.
inline constexpr std::size_t least_coded_bytes = 1024;

class GzipCoder {
 public:
  GzipCoder();
  ~GzipCoder();

  /// Codes the body of `reply` when the client takes it and it gets smaller. Static bodies and bytes of values stay as they are.
  void code(const Request& request, Reply& reply);

  /// The gzip stream of `text`.
  [[nodiscard]] std::string coded(std::string_view text);

 private:
  std::unique_ptr<compress::Compressor> compressor_;  ///< made when it is needed first
};

}  // namespace concord::http
