#include "log_line.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace concord::app {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::system_clock::time_point moment{std::chrono::sys_days{std::chrono::year{2026} / 2 / 3} +
                                                       std::chrono::hours(4) + milliseconds(5'006)};

std::string text(std::string_view message, std::span<const LogField> fields = {}) {
  return log_line(LogFormat::text, moment, LogLevel::info, message, fields);
}

std::string json(std::string_view message, std::span<const LogField> fields = {}) {
  return log_line(LogFormat::json, moment, LogLevel::info, message, fields);
}

TEST(LogLine, TextIsTimeLevelMessageAndFields) {
  const LogField fields[] = {{"method", "GET"}, {"status", 200}};
  EXPECT_EQ(text("request", fields), "2026-02-03T04:00:05.006Z info request method=GET status=200");
}

TEST(LogLine, JsonIsOneObject) {
  const LogField fields[] = {{"method", "GET"}, {"status", 200}};
  EXPECT_EQ(json("request", fields),
            R"({"time":"2026-02-03T04:00:05.006Z","level":"info","message":"request","method":"GET","status":200})");
}

TEST(LogLine, EveryLevelHasTheNameItIsConfiguredBy) {
  for (const std::string name : {"trace", "debug", "info", "warn", "error"}) {
    const std::string line = log_line(LogFormat::text, moment, log_level_of(name), "m", {});
    EXPECT_EQ(line, "2026-02-03T04:00:05.006Z " + name + " m");
  }
  EXPECT_EQ(log_level_of("off"), LogLevel::off);
}

TEST(LogLine, AMessageForgesNoOtherLine) {
  EXPECT_EQ(text("a\nb\r\x1b[2Jc\x7f"), "2026-02-03T04:00:05.006Z info a b  [2Jc ");
  EXPECT_EQ(json("a\n").find('\n'), std::string::npos);
}

TEST(LogLine, AFieldForgesNoOtherField) {
  const LogField fields[] = {{"a", "x status=200"}, {"b", "\n"}, {"c", ""}, {"d", "say \"hi\""}, {"e", "\xff\n"}};
  EXPECT_EQ(text("m", fields),
            R"(2026-02-03T04:00:05.006Z info m a="x status=200" b="\n" c="" d="say \"hi\"" e="?\n")");
}

TEST(LogLine, JsonHoldsAnyMessageAndStaysReadable) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string message = {'a', static_cast<char>(byte), 'z'};
    const LogField fields[] = {{"field", message}};
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(json(message, fields), error);
    ASSERT_FALSE(error) << "byte " << byte;
    const std::string expected = byte < 0x80 ? message : "a?z";
    EXPECT_EQ(std::string(parsed.at("message").as_string()), expected);
    EXPECT_EQ(std::string(parsed.at("field").as_string()), expected);
  }
}

TEST(LogLine, TextBeyondAsciiIsKept) {
  EXPECT_EQ(text("größe"), "2026-02-03T04:00:05.006Z info größe");
  EXPECT_NE(json("größe").find("größe"), std::string::npos);
}

}  // namespace
}  // namespace concord::app
