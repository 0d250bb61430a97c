// The program's log: lines on standard error, as text or JSON.
//
//   text   2026-02-03T04:05:06.789Z info message
//   json   {"time":"2026-02-03T04:05:06.789Z","level":"info","message":"..."}
//
// Thread rule: a `Log` may be called from any thread; copies write to the same place.
#pragma once

#include <memory>
#include <string_view>

#include <concord/options.hpp>

namespace concord::app {

class Log {
 public:
  enum class Format { text, json };

  Log(LogLevel least, Format format);

  void operator()(LogLevel level, std::string_view line) const;

 private:
  class Sink;
  std::shared_ptr<Sink> sink_;
};

/// Precondition: one of the names of log.level.
[[nodiscard]] LogLevel log_level_of(std::string_view name) noexcept;

}  // namespace concord::app
