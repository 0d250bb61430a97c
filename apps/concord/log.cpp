#include "log.hpp"

#include <atomic>
#include <chrono>
#include <string>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace concord::app {

class Log::Sink {
 public:
  Sink(LogLevel level, LogFormat form)
      : least(level), format(form), logger("concord", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n"));
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
    logger.set_error_handler([](const std::string&) {});
  }

  std::atomic<LogLevel> least;
  std::atomic<LogFormat> format;
  spdlog::logger logger;
};

Log::Log(LogLevel least, LogFormat format) : sink_(std::make_shared<Sink>(least, format)) {}

void Log::write(LogLevel level, std::string_view message, std::span<const LogField> fields) const {
  if (level == LogLevel::off || level < sink_->least.load(std::memory_order_relaxed)) return;
  const std::string line =
      log_line(sink_->format.load(std::memory_order_relaxed), std::chrono::system_clock::now(), level, message, fields);
  sink_->logger.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void Log::configure(LogLevel least, LogFormat format) const noexcept {
  sink_->least.store(least, std::memory_order_relaxed);
  sink_->format.store(format, std::memory_order_relaxed);
}

}  // namespace concord::app
