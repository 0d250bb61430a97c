// A quick look that spares the work of packing what can't get smaller: encrypted, random, or compressed already.
//
// Thread rule: a pure function.
#pragma once

#include <string_view>

namespace concord::compress {

/// False when the bytes of a sample (1 KiB) are spread nearly as evenly as random ones. Text, also base64, is always
/// compressible by this; what is passed over wrongly is a long block of random bytes that occurs again.
[[nodiscard]] bool looks_compressible(std::string_view bytes) noexcept;

}  // namespace concord::compress
