// What is found is a list of addresses that is bounded and forgets.
#include "node/finder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord::node {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class FinderTest : public testing::Test {
 protected:
  void meet(const std::string& address) { (void)finder.met({.peer_address = address}); }

  std::uint64_t now_ms = 1'000'000;
  Finder finder{ClusterOptions(), {.now_ms = [this] { return now_ms; }, .say = [](LogLevel, const std::string&) {}}};
};

TEST_F(FinderTest, WhoAskedIsFoundForAWhile) {
  meet("a:1");
  now_ms += Finder::forgotten_after_ms - 1;
  meet("b:1");
  EXPECT_THAT(finder.addresses(), UnorderedElementsAre("a:1", "b:1"));
  now_ms += 1;
  EXPECT_THAT(finder.addresses(), UnorderedElementsAre("b:1"));
  now_ms += Finder::forgotten_after_ms;
  EXPECT_THAT(finder.addresses(), IsEmpty());
}

TEST_F(FinderTest, OfTooManyTheOldestAreForgotten) {
  for (std::size_t i = 0; i <= Finder::most_addresses; ++i) {
    ++now_ms;
    meet("a:" + std::to_string(i));
  }
  const auto found = finder.addresses();
  EXPECT_THAT(found, SizeIs(Finder::most_addresses));
  EXPECT_THAT(found, testing::Not(testing::Contains("a:0")));
}

TEST_F(FinderTest, HearsayIsFoundAndNotPassedOn) {
  meet("a:1");
  finder.told({"b:1"});
  EXPECT_THAT(finder.addresses(), UnorderedElementsAre("a:1", "b:1"));
  EXPECT_THAT(finder.met({.peer_address = "c:1"}), UnorderedElementsAre("a:1"));
  now_ms += Finder::forgotten_after_ms;
  EXPECT_THAT(finder.addresses(), IsEmpty());
}

TEST_F(FinderTest, WhoCantBeDialledIsNotFound) {
  meet("");
  EXPECT_THAT(finder.addresses(), IsEmpty());
}

}  // namespace
}  // namespace concord::node
