#include "progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace concord::app {

Progress::Progress(std::string what, std::optional<std::uint64_t> total)
    : what_(std::move(what)), total_(total), is_on_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (has_shown_) std::fputs("\r\033[K", stderr);
}

void Progress::show(std::uint64_t count, std::uint64_t part) {
  const Clock::time_point now = Clock::now();
  if (!is_on_ || now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  has_shown_ = true;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  std::fprintf(stderr, "\r\033[K%llu %s, %.0f/s", static_cast<unsigned long long>(count), what_.c_str(),
               static_cast<double>(count) / seconds);
  if (total_ && part > 0) {
    const double share = static_cast<double>(part) / static_cast<double>(*total_);
    constexpr int width = 30;
    const int full = static_cast<int>(share * width);
    std::fprintf(stderr, " [%s%s] %.0f %%, %.0f s left", std::string(static_cast<std::size_t>(full), '#').c_str(),
                 std::string(static_cast<std::size_t>(width - full), '.').c_str(), share * 100,
                 seconds / share - seconds);
  }
  std::fflush(stderr);
}

}  // namespace concord::app
