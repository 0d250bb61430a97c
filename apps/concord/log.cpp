#include "log.hpp"

#include <string>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "value/json_string.hpp"

namespace concord::app {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return spdlog::level::trace;
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: break;
  }
  return spdlog::level::off;
}

/// A line may hold what a client sent: control characters must not forge other lines.
std::string one_line(std::string_view line) {
  std::string clean(line);
  for (char& c : clean) {
    if (static_cast<unsigned char>(c) < 0x20U || c == 0x7f) c = ' ';
  }
  return clean;
}

std::string quoted(std::string_view line) {
  std::string clean(line);
  if (!value::is_utf8(clean)) {
    for (char& c : clean) c = static_cast<unsigned char>(c) < 0x80U ? c : '?';
  }
  std::string text;
  value::append_json_string(text, clean);
  return text;
}

}  // namespace

class Log::Sink {
 public:
  Sink(LogLevel least, Format form)
      : format(form), logger("concord", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    const char* const pattern = form == Format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})"
                                                     : "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    logger.set_level(level_of(least));
    logger.flush_on(spdlog::level::trace);
  }

  Format format;
  spdlog::logger logger;
};

Log::Log(LogLevel least, Format format) : sink_(std::make_shared<Sink>(least, format)) {}

void Log::operator()(LogLevel level, std::string_view line) const {
  if (!sink_->logger.should_log(level_of(level))) return;
  const std::string text = sink_->format == Format::json ? quoted(line) : one_line(line);
  sink_->logger.log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
}

LogLevel log_level_of(std::string_view name) noexcept {
  if (name == "trace") return LogLevel::trace;
  if (name == "debug") return LogLevel::debug;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  if (name == "off") return LogLevel::off;
  return LogLevel::info;
}

}  // namespace concord::app
