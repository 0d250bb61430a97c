#include "import/leases.hpp"

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord::app {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Leases, AreReadAsEtcdctlPrintsThem) {
  std::istringstream input(
      "{\"cluster_id\":324952591200643719,\"revision\":9,\"id\":2324035727443678730,\"ttl\":3599,\"granted-ttl\":3600,"
      "\"keys\":null}\n"
      "{\"id\":4660,\"ttl\":-1,\"granted-ttl\":0,\"keys\":null}\n"
      "{\"ID\":\"x\",\"id\":\"77\",\"ttl\":\"5\"}\n");
  const auto leases = read_leases(input);
  ASSERT_TRUE(leases);
  EXPECT_THAT(*leases, UnorderedElementsAre(Pair("2324035727443678730", 3599), Pair("4660", -1), Pair("77", 5)));
}

TEST(Leases, WhatIsNoneIsNamedWithItsLine) {
  for (const std::string text :
       {"{\"id\":1,\"ttl\":5}\n{\"id\":1}", "{\"id\":1,\"ttl\":5}\n{\"ttl\":1}", "{\"id\":1,\"ttl\":5}\nfound 2 leases",
        "{\"id\":1,\"ttl\":5}\n{\"id\":1,\"ttl\":\"soon\"}"}) {
    std::istringstream input(text);
    const auto leases = read_leases(input);
    ASSERT_FALSE(leases) << text;
    EXPECT_EQ(leases.error().place.line, 2U) << text;
  }
}

}  // namespace
}  // namespace concord::app
