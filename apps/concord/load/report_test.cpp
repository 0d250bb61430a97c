#include "load/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord::app::load {
namespace {

using testing::HasSubstr;
using testing::Not;

Report example() {
  Report report;
  report.plan.prefix = "p-";
  report.plan.bulk = 10;
  report.outcome.measured = std::chrono::seconds(2);
  Tally& tally = report.outcome.tally;
  for (int count = 0; count < 30; ++count) tally.reads.record(100'000);
  for (int count = 0; count < 10; ++count) tally.writes.record(3'000'000);
  tally.requests = 45;
  tally.errors = {{"status 429", 4}, {"timeout", 1}};
  return report;
}

TEST(Report, JsonHasAllOfIt) {
  const std::string json = json_text(example());
  EXPECT_THAT(json, HasSubstr(R"("requests":45,"succeeded":40,"items":400,"errors":{"status 429":4,"timeout":1})"));
  EXPECT_THAT(json, HasSubstr(R"("requests_per_second":20.0,"items_per_second":200.0)"));
  EXPECT_THAT(json, HasSubstr(R"("reads":{"count":30,"mean":100000,)"));
  EXPECT_THAT(json, HasSubstr(R"("max":3000000,"buckets":[[)"));
}

TEST(Report, TableShowsBarsByTheirShare) {
  const std::string table = table_text(example());
  EXPECT_THAT(table, HasSubstr("requests  40, 20 a second"));
  EXPECT_THAT(table, HasSubstr("errors    4, status 429"));
  EXPECT_THAT(table, HasSubstr("75.00 %  " + std::string(40, '#')));
  EXPECT_THAT(table, HasSubstr("25.00 %  " + std::string(13, '#') + "\n"));
}

TEST(Report, AnOpenLoadSaysWhatWasDue) {
  Report report = example();
  EXPECT_THAT(json_text(report), HasSubstr(R"("rate":null})"));
  report.plan.rate_per_second = 25;
  EXPECT_THAT(json_text(report), HasSubstr(R"("rate":25})"));
  EXPECT_THAT(table_text(report), HasSubstr("requests  40, 20 a second of the 25 that were due\n"));
}

TEST(Report, PlainIsNamesAndNumbers) {
  const std::string text = plain_text(example());
  EXPECT_THAT(text, HasSubstr("requests 45\nsucceeded 40\n"));
  EXPECT_THAT(text, HasSubstr("error 1 timeout\n"));
}

TEST(Report, NothingAtAllIsNoDivisionByZero) {
  const Report report;
  EXPECT_THAT(json_text(report), HasSubstr(R"("requests_per_second":0.0)"));
  EXPECT_THAT(table_text(report), Not(HasSubstr("latency")));
}

}  // namespace
}  // namespace concord::app::load
