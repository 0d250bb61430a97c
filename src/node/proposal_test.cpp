// Proposals and promises are read back as they were written, and nothing else is taken for one; all founders get the same cluster.
#include "node/proposal.hpp"

#include <set>

#include <gtest/gtest.h>

#include "env/memory_file_system.hpp"

namespace concord::node {
namespace {

Proposal proposal() {
  return {.id = 9,
          .founders = {{.name = "a", .directory = 3, .peer = "a:1"},
                       {.name = "b", .directory = 2, .peer = "b:1"},
                       {.name = "c", .directory = 1, .peer = "c:1"}}};
}

template <class Decode>
void expect_no_other_size_passes(const std::string& bytes, const Decode& decode) {
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode(bytes.substr(0, size))) << size;
  EXPECT_FALSE(decode(bytes + "x"));
}

TEST(Proposal, IsReadBackAsItWasWritten) {
  const auto read = decode_proposal(encode(proposal()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, proposal());
  expect_no_other_size_passes(encode(proposal()),
                              [](const std::string& bytes) { return decode_proposal(bytes).has_value(); });
}

TEST(Proposal, OutOfOrderOrWithSomebodyTwiceIsNone) {
  Proposal wrong = proposal();
  std::swap(wrong.founders[0], wrong.founders[1]);
  EXPECT_FALSE(decode_proposal(encode(wrong)));
  wrong = proposal();
  wrong.founders[1].name = "a";
  EXPECT_FALSE(decode_proposal(encode(wrong)));
  wrong = proposal();
  wrong.founders[2].directory = 3;
  EXPECT_FALSE(decode_proposal(encode(wrong)));
  wrong = proposal();
  wrong.founders.clear();
  EXPECT_FALSE(decode_proposal(encode(wrong)));
}

TEST(View, IsReadBackAsItWasWritten) {
  const View view{.expected_size = 5, .choice = 6, .promised = 7};
  const auto read = decode_view(encode(view));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, view);
  expect_no_other_size_passes(encode(view), [](const std::string& bytes) { return decode_view(bytes).has_value(); });
}

TEST(Place, IsTheSameClusterForAllFoundersAndAnIdOfItsOwnForEach) {
  std::set<std::uint64_t> ids;
  for (const Founder& founder : proposal().founders) {
    const Place place = place_in(proposal(), "green", founder.directory);
    EXPECT_EQ(place.cluster, cluster_of(proposal(), "green"));
    EXPECT_EQ(*place.founders, *place_in(proposal(), "green", 3).founders);
    const replica::Member* const member = place.founders->find(place.node);
    ASSERT_NE(member, nullptr);
    EXPECT_EQ(member->name, founder.name);
    EXPECT_EQ(member->directory, founder.directory);
    EXPECT_TRUE(place.founders->is_voter(place.node));
    ids.insert(place.node.value());
  }
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_TRUE(place_in(proposal(), "green", 4).node.is_zero());
}

TEST(Place, OfAnotherProposalOrNameIsInAnotherCluster) {
  Proposal again = proposal();
  again.id = 10;
  EXPECT_NE(cluster_of(again, "green"), cluster_of(proposal(), "green"));
  EXPECT_NE(cluster_of(proposal(), "blue"), cluster_of(proposal(), "green"));
}

TEST(Promise, IsKeptUntilItIsForgotten) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("d"));
  EXPECT_EQ(*kept_promise(files, "d"), std::nullopt);
  ASSERT_TRUE(keep_promise(files, "d", proposal()));
  EXPECT_EQ(*kept_promise(files, "d"), proposal());
  ASSERT_TRUE(keep_promise(files, "d", std::nullopt));
  EXPECT_EQ(*kept_promise(files, "d"), std::nullopt);
  EXPECT_TRUE(keep_promise(files, "d", std::nullopt)) << "nothing to forget";
}

TEST(Promise, ThatIsDamagedIsNotTakenForNone) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("d"));
  ASSERT_TRUE(keep_promise(files, "d", proposal()));
  const std::string bytes = *env::read_file(files, "d/promise");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    ASSERT_TRUE(env::write_file_atomically(files, "d/promise", damaged));
    const auto kept = kept_promise(files, "d");
    ASSERT_FALSE(kept) << i;
    EXPECT_EQ(kept.error().code(), Errc::storage_failed);
  }
}

}  // namespace
}  // namespace concord::node
