#include "config/secret_file.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>

namespace concord::config {
namespace {

constexpr std::size_t largest_secret_bytes = std::size_t{64} << 10U;

}  // namespace

Result<std::string> read_secret_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::invalid_request, path + ": cannot be read: " + std::strerror(errno));
  std::string content(largest_secret_bytes + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad()) return fail(Errc::invalid_request, path + ": cannot be read: " + std::strerror(errno));
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() > largest_secret_bytes) return fail(Errc::invalid_request, path + ": is larger than 64 KiB");
  content.resize(content.find_last_not_of(" \t\r\n") + 1);
  if (content.empty()) return fail(Errc::invalid_request, path + ": is empty");
  return content;
}

}  // namespace concord::config
