#include "spool.hpp"

namespace concord::app {

void Spool::add(std::string_view line) {
  if (!file_) return;
  (void)std::fwrite(line.data(), 1, line.size(), file_.get());  // `rewind` looks at the file's error
  (void)std::fputc('\n', file_.get());
}

bool Spool::rewind() {
  if (!file_ || std::fflush(file_.get()) != 0 || std::ferror(file_.get()) != 0) return false;
  return std::fseek(file_.get(), 0, SEEK_SET) == 0;
}

std::optional<std::string> Spool::next() {
  std::string line;
  char block[4096];
  while (std::fgets(block, sizeof block, file_.get()) != nullptr) {
    line += block;
    if (line.ends_with('\n')) {
      line.pop_back();
      return line;
    }
  }
  return std::nullopt;
}

}  // namespace concord::app
