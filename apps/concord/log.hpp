// The program's log: lines on standard error in the form of log_line.hpp.
//
//     const Log log(LogLevel::info, LogFormat::json);
//     log(LogLevel::warn, "the disk is nearly full");
//     log.write(LogLevel::info, "request", fields);
//
// Each line leaves at once and whole. A standard error that nobody reads any more costs the lines, nothing else.
//
// Thread rule: a `Log` may be called and configured from any thread; copies write to the same place.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include <concord/options.hpp>

#include "log_line.hpp"

namespace concord::app {

class Log {
 public:
  Log(LogLevel least, LogFormat format);

  void operator()(LogLevel level, std::string_view message) const { write(level, message, {}); }
  void write(LogLevel level, std::string_view message, std::span<const LogField> fields) const;

  /// For the lines that follow, of this and all its copies.
  void configure(LogLevel least, LogFormat format) const noexcept;

 private:
  class Sink;
  std::shared_ptr<Sink> sink_;
};

}  // namespace concord::app
