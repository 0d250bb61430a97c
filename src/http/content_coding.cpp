#include "http/content_coding.hpp"

#include "compress/codec.hpp"
#include "http/accept.hpp"

namespace concord::http {
namespace {

/// The answer is waited for: a level that costs little.
constexpr int level = 1;

}  // namespace

GzipCoder::GzipCoder() = default;
GzipCoder::~GzipCoder() = default;

std::string GzipCoder::coded(std::string_view text) {
  constexpr auto algorithm = CompressionAlgorithm::gzip;
  if (!compressor_) compressor_ = compress::make_compressor(algorithm, level);
  std::string stream(compress::compressed_bound(algorithm, text.size()), '\0');
  stream.resize(compressor_->compress(text, stream));
  return stream;
}

void GzipCoder::code(const Request& request, Reply& reply) {
  if (reply.body.size() < least_coded_bytes || reply.content_type == Reply::bytes) return;
  reply.vary_by("Accept-Encoding");
  if (!request.has(Header::accept_encoding) || !takes_gzip(request.header(Header::accept_encoding))) return;
  std::string stream = coded(reply.body);
  if (stream.empty() || stream.size() >= reply.body.size()) return;
  reply.body = std::move(stream);
  reply.add_header("Content-Encoding", "gzip");
}

}  // namespace concord::http
