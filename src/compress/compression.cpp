// Implements <concord/compression.hpp> over the packed form.
#include <concord/compression.hpp>

#include <optional>
#include <string>

#include "compress/packed.hpp"
#include "compress/packer.hpp"

namespace concord {

struct Compression::Machinery {
  std::optional<compress::Packer> packer;  // none with options that can't be used
  compress::Unpacker unpacker;
};

Result<Compressed> Compressed::from_bytes(std::string bytes) {
  const auto head = compress::read_head(bytes);
  if (!head) return std::unexpected(head.error());
  const auto [algorithm, tag, original_size_bytes, stream] = *head;
  return Compressed(std::move(bytes), algorithm, original_size_bytes);
}

Compression::Compression(CompressionOptions options) : options_(options) {
  auto machinery = std::make_unique<Machinery>();
  if (check(options)) machinery->packer.emplace(options);
  machinery_ = std::move(machinery);
}

Compression::Compression(Compression&& other) noexcept = default;
Compression& Compression::operator=(Compression&& other) noexcept = default;
Compression::~Compression() = default;

Result<void> Compression::check(const CompressionOptions& options) {
  if (static_cast<unsigned>(options.algorithm) >= compress::algorithm_count) {
    return fail(Errc::invalid_request,
                "there is no compression algorithm " + std::to_string(static_cast<unsigned>(options.algorithm)));
  }
  if (options.level < CompressionOptions::min_level || options.level > CompressionOptions::max_level) {
    return fail(Errc::invalid_request, "the compression level " + std::to_string(options.level) + " is not within " +
                                           std::to_string(CompressionOptions::min_level) + " to " +
                                           std::to_string(CompressionOptions::max_level));
  }
  return {};
}

bool Compression::should_compress(const Value& value) const noexcept {
  return options_.enabled && value.valid() && value.size_bytes() > options_.threshold_bytes;
}

Result<Compressed> Compression::compress(const Value& value) const {
  if (auto checked = check(options_); !checked) return std::unexpected(std::move(checked.error()));
  if (!value.valid()) return fail(Errc::invalid_request, std::string(value.stored().substr(1)));
  std::string packed;
  if (!machinery_->packer->pack_always(value.stored(), packed)) {
    return fail(Errc::value_too_large, "a value of " + std::to_string(value.size_bytes()) +
                                           " bytes is too large for its compression algorithm");
  }
  return Compressed::from_bytes(std::move(packed));
}

Result<Value> Compression::decompress(const Compressed& compressed, std::size_t max_size_bytes) const {
  auto value = machinery_->unpacker.unpack_value(compressed.bytes(), max_size_bytes);
  if (!value || value->is_bytes()) return value;
  return Value::parse_json(value->json_text());  // the bytes may come from anywhere; a JSON value holds valid JSON
}

Result<CompressionStats> Compression::stats(const Value& value) const {
  const auto compressed = compress(value);
  if (!compressed) return std::unexpected(compressed.error());
  CompressionStats stats;
  stats.original_size_bytes = value.size_bytes();
  stats.compressed_size_bytes = compressed->bytes().size();
  stats.savings_bytes =
      static_cast<std::int64_t>(stats.original_size_bytes) - static_cast<std::int64_t>(stats.compressed_size_bytes);
  if (stats.original_size_bytes > 0) {
    stats.compression_ratio =
        100.0 * static_cast<double>(stats.compressed_size_bytes) / static_cast<double>(stats.original_size_bytes);
    stats.savings_percent = 100.0 - stats.compression_ratio;
  }
  return stats;
}

}  // namespace concord
