// A secret that stands in a file of its own, as container platforms hand them over.
//
// The whole file is the secret, but for blanks and line ends at its end: editors and `echo` add one. Thread rule: pure but for
// reading the file.
#pragma once

#include <string>

#include <concord/error.hpp>

namespace concord::config {

/// Errors: invalid_request when it can't be read, is empty or is larger than 64 KiB; the message names no content.
[[nodiscard]] Result<std::string> read_secret_file(const std::string& path);

}  // namespace concord::config
