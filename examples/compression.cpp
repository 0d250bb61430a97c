// Compression: large values take less memory, and nothing else changes.
//
// usage: compression DATA_DIR
#include <concord/concord.hpp>

#include <iostream>
#include <string>

namespace {

concord::Result<> run(concord::Node& node) {
  const std::string large(10'000, 'x');

  // Values over the threshold are compressed, unless the call says otherwise.
  if (const auto put = node.put("large", large); !put) return std::unexpected(put.error());
  if (const auto put = node.put("small", "small value", {.compress = true}); !put) return std::unexpected(put.error());
  if (const auto put = node.put("plain", large, {.compress = false}); !put) return std::unexpected(put.error());
  for (const char* key : {"large", "plain"}) {
    const auto value = node.get<std::string>(key);
    if (!value) return std::unexpected(value.error());
    std::cout << key << " is as it was: " << std::boolalpha << (*value == large) << '\n';
  }

  // What the node's settings would do, and what it saves.
  const concord::Compression& compression = node.compression();
  std::cout << "threshold: " << compression.config().threshold_bytes << " bytes\n"
            << "small is compressed: " << compression.should_compress("small") << '\n'
            << "large is compressed: " << compression.should_compress(large) << '\n';
  const auto stats = compression.stats(large);
  if (!stats) return std::unexpected(stats.error());
  std::cout << "original: " << stats->original_size_bytes << " bytes\n"
            << "saves over 99 percent: " << (stats->savings_percent > 99) << '\n';

  // By hand, for values that go elsewhere; any setting reads what any other wrote.
  const concord::Compression best({.algorithm = concord::CompressionAlgorithm::zstd, .level = 9});
  const auto packed = best.compress(large);
  if (!packed) return std::unexpected(packed.error());
  const auto read = concord::Compressed::from_bytes(packed->bytes());
  if (!read) return std::unexpected(read.error());
  const auto same = compression.decompress(*read);
  if (!same) return std::unexpected(same.error());
  std::cout << "by hand: " << (*same == concord::Value(large)) << '\n';
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: compression DATA_DIR\n";
    return 2;
  }
  auto node = concord::Node::open(
      {.data_dir = argv[1],
       .compression = {.algorithm = concord::CompressionAlgorithm::zlib, .threshold_bytes = 1024, .level = 6}});
  const auto done = node ? run(*node) : std::unexpected(node.error());
  if (!done) {
    std::cerr << done.error().message() << '\n';
    return 1;
  }
}
