// Lines that are kept on disk until all of them have come, in a file without a name: it goes with the object.
//
// Thread rule: one thread.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace concord::app {

class Spool {
 public:
  /// `line` holds no line end and no NUL.
  void add(std::string_view line);

  /// From here on `next` gives the lines in the order they came. False: not all of them could be kept.
  [[nodiscard]] bool rewind();
  [[nodiscard]] std::optional<std::string> next();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
  };

  std::unique_ptr<std::FILE, Close> file_{std::tmpfile()};
};

}  // namespace concord::app
