#include "compress/packer.hpp"

#include <span>

#include "base/check.hpp"
#include "base/wire.hpp"
#include "compress/packed.hpp"

namespace concord::compress {

Packer::Packer(const CompressionOptions& options) : options_(options) {
  CONCORD_CHECK(Compression::check(options).has_value(), "options are checked before a packer is made");
}

bool Packer::wants(std::string_view stored, std::optional<bool> compress) const noexcept {
  const auto tag = static_cast<unsigned char>(stored.front());
  if (tag != Value::json_tag && tag != Value::bytes_tag) return false;
  return compress.value_or(options_.enabled && stored.size() - 1 > options_.threshold_bytes);
}

bool Packer::pack(std::string_view stored, std::string& out) const {
  if (options_.level == 0) return false;  // stored without compressing, nothing gets smaller
  return pack_within(stored.size() - 1, stored, out);
}

bool Packer::pack_always(std::string_view stored, std::string& out) const {
  const std::size_t most = 1 + base::max_varint_bytes + compressed_bound(options_.algorithm, stored.size() - 1);
  return pack_within(most, stored, out);
}

bool Packer::pack_within(std::size_t max_size_bytes, std::string_view stored, std::string& out) const {
  const std::string_view payload = stored.substr(1);
  out.clear();
  out += static_cast<char>(packed_tag(options_.algorithm, static_cast<unsigned char>(stored.front())));
  base::append_varint(out, payload.size());
  const std::size_t head_size = out.size();
  if (max_size_bytes <= head_size) return false;
  std::size_t size = 0;
  const auto compress = [&](std::unique_ptr<Compressor>& compressor) {
    out.resize_and_overwrite(max_size_bytes, [&](char* to, std::size_t) {
      size = compressor->compress(payload, std::span(to + head_size, max_size_bytes - head_size));
      return head_size + size;
    });
    return size > 0;  // no stream is empty
  };
  return compressors_.with([this] { return make_compressor(options_.algorithm, options_.level); }, compress);
}

}  // namespace concord::compress
