#include "compress/packed.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "base/wire.hpp"
#include "value/block.hpp"

namespace concord::compress {
namespace {

std::unexpected<Error> damaged(std::string_view why) {
  return fail(Errc::invalid_request, "the compressed value is damaged: " + std::string(why));
}

/// The head of what may be unpacked: its size is within the limit and possible.
Result<PackedHead> read_acceptable_head(std::string_view packed, std::size_t max_size_bytes) {
  auto head = read_head(packed);
  if (!head) return head;
  if (head->original_size_bytes > max_size_bytes) {
    return fail(Errc::value_too_large, "the value would take " + std::to_string(head->original_size_bytes) +
                                           " bytes; allowed are " + std::to_string(max_size_bytes));
  }
  if (head->original_size_bytes > expanded_bound(head->algorithm, head->stream.size())) {
    return damaged("so few bytes can't hold what it declares");
  }
  return head;
}

/// `decompress(head, to)` says whether it filled `to`.
template <class Decompress>
Result<void> unpack_with(std::string_view packed, std::size_t max_size_bytes, std::string& out, Decompress decompress) {
  const auto head = read_acceptable_head(packed, max_size_bytes);
  if (!head) {
    out.clear();
    return std::unexpected(head.error());
  }
  const auto size = static_cast<std::size_t>(head->original_size_bytes) + 1;
  if (out.capacity() < size) std::string().swap(out);  // growing, it would take up to twice its old memory
  bool good = false;
  out.resize_and_overwrite(size, [&](char* to, std::size_t) {
    to[0] = static_cast<char>(head->plain_tag);
    good = decompress(*head, std::span(to + 1, size - 1));
    return good ? size : 0;
  });
  if (!good) return damaged("it does not decompress to the size it declares");
  return {};
}

template <class Decompress>
Result<Value> unpack_value_with(std::string_view packed, std::size_t max_size_bytes, Decompress decompress) {
  const auto head = read_acceptable_head(packed, max_size_bytes);
  if (!head) return std::unexpected(head.error());
  const auto fill = [&](char* to, std::size_t size) {
    to[0] = static_cast<char>(head->plain_tag);
    return decompress(*head, std::span(to + 1, size - 1));
  };
  const auto size = static_cast<std::size_t>(head->original_size_bytes) + 1;
  if (size <= Value::inline_capacity) {
    std::array<char, Value::inline_capacity> small;
    if (!fill(small.data(), size)) return damaged("it does not decompress to the size it declares");
    return Value::from_stored({small.data(), size});
  }
  const value::Block block = value::make_block(size);
  Value value = Value::share_stored({block.bytes, size}, block.owner);  // from here on the block is freed with it
  if (!fill(block.bytes, size)) return damaged("it does not decompress to the size it declares");
  return value;
}

bool decompress_once(const PackedHead& head, std::span<char> to) {
  return Decompressor().decompress(head.algorithm, head.stream, to);
}

}  // namespace

Result<PackedHead> read_head(std::string_view packed) {
  if (packed.empty() || !is_packed(packed)) return damaged("it does not begin like one");
  base::Reader reader(packed);
  const unsigned tag = reader.byte() - first_packed_tag;
  const std::uint64_t original_size_bytes = reader.varint();
  if (!reader.ok()) return damaged("it ends within its size");
  return PackedHead{.algorithm = static_cast<CompressionAlgorithm>(tag >> 1U),
                    .plain_tag = static_cast<unsigned char>(tag & 1U),
                    .original_size_bytes = original_size_bytes,
                    .stream = reader.take(reader.remaining())};
}

std::uint64_t unpacked_size_bytes(std::string_view packed) noexcept {
  base::Reader reader(packed.substr(1));
  return reader.varint();
}

Result<void> unpack(std::string_view packed, std::size_t max_size_bytes, std::string& out) {
  return unpack_with(packed, max_size_bytes, out, decompress_once);
}

Result<Value> unpack_value(std::string_view packed, std::size_t max_size_bytes) {
  return unpack_value_with(packed, max_size_bytes, decompress_once);
}

bool Unpacker::decompress(const PackedHead& head, std::span<char> to) const {
  return decompressors_.with([] { return Decompressor(); },
                             [&](Decompressor& one) { return one.decompress(head.algorithm, head.stream, to); });
}

Result<void> Unpacker::unpack(std::string_view packed, std::size_t max_size_bytes, std::string& out) const {
  return unpack_with(packed, max_size_bytes, out,
                     [this](const PackedHead& head, std::span<char> to) { return decompress(head, to); });
}

Result<Value> Unpacker::unpack_value(std::string_view packed, std::size_t max_size_bytes) const {
  return unpack_value_with(packed, max_size_bytes,
                           [this](const PackedHead& head, std::span<char> to) { return decompress(head, to); });
}

}  // namespace concord::compress
