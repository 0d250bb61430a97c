// Packed values: any bytes are refused or give exactly the size they declare, never more than the limit; what was packed comes back.
#include "compress/packed.hpp"

#include "base/check.hpp"
#include "compress/packer.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

constexpr std::size_t limit_bytes = 1U << 16U;

CompressionOptions options_of(Input& input) {
  return {.algorithm = static_cast<CompressionAlgorithm>(input.below(4)), .level = static_cast<int>(input.below(10))};
}

void read_anything(std::string_view bytes) {
  if (bytes.empty() || !compress::is_packed(bytes)) return;
  std::string plain;
  const auto done = compress::unpack(bytes, limit_bytes, plain);
  const auto value = compress::unpack_value(bytes, limit_bytes);
  CONCORD_CHECK(done.has_value() == value.has_value(), "both ways agree");
  if (!done) return;
  CONCORD_CHECK(plain.size() <= limit_bytes + 1, "the limit holds");
  CONCORD_CHECK(plain.size() == compress::unpacked_size_bytes(bytes) + 1, "the size is the declared one");
  CONCORD_CHECK(value->stored() == plain, "and so are the bytes");
}

void pack_and_read(const CompressionOptions& options, std::string_view text) {
  const compress::Packer packer(options);
  const std::string stored = std::string(1, static_cast<char>(Value::bytes_tag)) + std::string(text);
  std::string packed;
  if (!packer.pack(stored, packed)) return;
  CONCORD_CHECK(packed.size() < stored.size(), "only what gets smaller is packed");
  std::string plain;
  CONCORD_CHECK(compress::unpack(packed, limit_bytes, plain) && plain == stored, "what was packed comes back");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  const CompressionOptions options = options_of(input);
  const std::string_view rest = input.rest();
  read_anything(rest);
  pack_and_read(options, rest);
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs = arbitrary_inputs(8);
  for (const auto algorithm : {CompressionAlgorithm::zlib, CompressionAlgorithm::gzip, CompressionAlgorithm::zstd,
                               CompressionAlgorithm::lz4}) {
    std::string packed;
    const std::string stored = std::string(1, static_cast<char>(Value::bytes_tag)) + std::string(300, 'x');
    if (compress::Packer({.algorithm = algorithm}).pack(stored, packed))
      inputs.push_back(std::string(2, '\0') + packed);
  }
  return inputs;
}

}  // namespace concord::fuzz
