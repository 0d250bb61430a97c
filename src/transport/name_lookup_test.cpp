// Names are looked up behind the caller's back; what they have is there soon.
#include "transport/name_lookup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/testing_member.hpp"

namespace concord::transport {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NameLookup, AnAddressIsItsOwnName) {
  auto lookup = NameLookup::of("127.0.0.1:9200", 1);
  ASSERT_TRUE(lookup);
  EXPECT_TRUE(eventually([&] { return !lookup->found().addresses.empty(); }));
  EXPECT_THAT(lookup->found().addresses, ElementsAre("127.0.0.1:9200"));
  EXPECT_EQ(lookup->found().problem, "");
}

TEST(NameLookup, ANameWithoutAPortGetsTheOneThatIsGiven) {
  auto lookup = NameLookup::of("127.0.0.2", 9100);
  ASSERT_TRUE(lookup);
  EXPECT_TRUE(eventually([&] { return !lookup->found().addresses.empty(); }));
  EXPECT_THAT(lookup->found().addresses, ElementsAre("127.0.0.2:9100"));
}

TEST(NameLookup, AddressesOfVersion6GetBrackets) {
  auto lookup = NameLookup::of("[::1]:9100", 1);
  ASSERT_TRUE(lookup);
  EXPECT_TRUE(eventually([&] { return !lookup->found().addresses.empty(); }));
  EXPECT_THAT(lookup->found().addresses, ElementsAre("[::1]:9100"));
}

TEST(NameLookup, ANameThatNobodyKnowsIsSaid) {
  auto lookup = NameLookup::of("no such name", 9100);
  ASSERT_TRUE(lookup);
  EXPECT_TRUE(eventually([&] { return !lookup->found().problem.empty(); }));
  EXPECT_THAT(lookup->found().addresses, IsEmpty());
}

TEST(NameLookup, APortThatIsNoneIsRefused) { EXPECT_FALSE(NameLookup::of("db:http", 1)); }

}  // namespace
}  // namespace concord::transport
