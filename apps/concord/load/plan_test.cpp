#include "load/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/request.hpp"

namespace concord::app::load {
namespace {

using testing::HasSubstr;

TEST(Mix, IsReadsToWrites) {
  const auto mix = read_mix("9:1");
  ASSERT_TRUE(mix);
  EXPECT_EQ(mix->reads, 9U);
  EXPECT_EQ(mix->writes, 1U);
  EXPECT_TRUE(read_mix("0:1"));
  EXPECT_TRUE(read_mix("1:0"));
  EXPECT_TRUE(read_mix("1000000:1000000"));
}

TEST(Mix, IsNothingElse) {
  for (const char* text : {"", "9", ":", "9:", ":1", "0:0", "-1:2", "1:2:3", "1 : 2", "a:b", "1.5:1", "1000001:1",
                           "99999999999999999999:1"}) {
    EXPECT_FALSE(read_mix(text)) << text;
  }
}

TEST(Rate, IsAWholeNumberOfRequests) {
  EXPECT_EQ(read_rate("1"), 1U);
  EXPECT_EQ(read_rate("10000000"), 10'000'000U);
}

TEST(Rate, IsNothingElse) {
  for (const char* text : {"", "0", "-1", "1.5", "1e3", "many", "100/s", " 5", "10000001", "99999999999999999999"}) {
    EXPECT_FALSE(read_rate(text)) << text;
  }
}

TEST(Plan, TheDefaultCanBeRun) { EXPECT_EQ(problem_of(Plan{}), std::nullopt); }

TEST(Plan, WhatIsOutOfRangeIsNamed) {
  const auto problem_with = [](auto Plan::* member, std::uint32_t value) {
    Plan plan;
    plan.*member = value;
    return problem_of(plan).value_or("none");
  };
  EXPECT_THAT(problem_with(&Plan::connections, 0), HasSubstr("--connections must be from 1 to 100000, not 0"));
  EXPECT_THAT(problem_with(&Plan::connections, 100'001), HasSubstr("--connections"));
  EXPECT_THAT(problem_with(&Plan::threads, 0), HasSubstr("--threads"));
  EXPECT_THAT(problem_with(&Plan::threads, 65), HasSubstr("--threads is more than --connections"));
  EXPECT_THAT(problem_with(&Plan::value_bytes, (8U << 20U) + 1), HasSubstr("--value-size"));
  EXPECT_THAT(problem_with(&Plan::keys, 0), HasSubstr("--keys"));
  EXPECT_THAT(problem_with(&Plan::keys, most_keys + 1), HasSubstr("--keys"));
  EXPECT_THAT(problem_with(&Plan::bulk, 0), HasSubstr("--bulk"));
  EXPECT_THAT(problem_with(&Plan::bulk, 501), HasSubstr("--bulk must be from 1 to 500"));
}

TEST(Plan, ARequestIsNoLargerThanAServerTakes) {
  Plan plan;
  plan.bulk = 500;
  plan.value_bytes = 40'000;
  EXPECT_THAT(problem_of(plan).value_or("none"), HasSubstr("bytes; a server takes 16777216"));
  plan.keys = 499;
  EXPECT_THAT(problem_of(plan).value_or("none"), HasSubstr("--bulk is more than --keys"));
}

TEST(Requests, ArePutsAndGetsOfTheKey) {
  Plan plan;
  plan.prefix = "p-";
  plan.token = "secret";
  plan.value_bytes = 0;
  plan.consistency = "strong";
  Requests requests(plan, "host:1");
  EXPECT_EQ(requests.read(42),
            "GET /api/v1/kv/p-00000042?consistency=strong HTTP/1.1\r\nHost: host:1\r\n"
            "Authorization: Bearer secret\r\n\r\n");
  EXPECT_EQ(requests.write(9999),
            "PUT /api/v1/kv/p-00009999 HTTP/1.1\r\nHost: host:1\r\nAuthorization: Bearer secret\r\n"
            "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"value\":\"\"}");
  EXPECT_THAT(std::string(requests.read(7)), HasSubstr("/p-00000007?"));
}

TEST(Requests, OfSeveralKeysNameEachOnce) {
  Plan plan;
  plan.prefix = "p-";
  plan.keys = 3;
  plan.bulk = 2;
  plan.value_bytes = 1;
  Requests requests(plan, "host");
  EXPECT_THAT(std::string(requests.read(2)), HasSubstr(R"({"keys":["p-00000002","p-00000000"]})"));
  EXPECT_THAT(std::string(requests.write(0)), HasSubstr(R"([{"key":"p-00000000","value":")"));
  EXPECT_THAT(fill_body(plan, 1, 2), HasSubstr(R"({"key":"p-00000002","value":")"));
}

}  // namespace
}  // namespace concord::app::load
