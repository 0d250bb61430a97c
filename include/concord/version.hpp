// The version of the library this program was compiled against.
#pragma once

#include <string_view>

namespace concord {

/// Semantic version; the file formats and the wire have their own (docs/FORMATS.md).
inline constexpr std::string_view version = "0.1.0";

}  // namespace concord
