#include "open_files.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace concord::app {
namespace {

/// Beside connections: the log, snapshots, epoll, and what libraries open.
constexpr rlim_t other_files = 64;

}  // namespace

std::uint64_t allow_connections(std::uint64_t wanted) noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;  // nobody knows: it will show
  rlim_t possible = limit.rlim_cur;
  if (possible < wanted + other_files) {
    limit.rlim_cur = std::min<rlim_t>(wanted + other_files, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) possible = limit.rlim_cur;
  }
  return possible - std::min(possible, other_files);
}

}  // namespace concord::app
