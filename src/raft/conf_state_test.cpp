#include "raft/conf_state.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::raft {
namespace {

using base::NodeId;

std::vector<NodeId> ascending_ids(base::Random& random) {
  std::vector<NodeId> ids;
  for (std::uint64_t id = 0, left = random.below(5); left > 0; --left) {
    id += 1 + random.below(std::uint64_t{1} << random.below(60));
    ids.emplace_back(id);
  }
  return ids;
}

ConfState some_state(base::Random& random) {
  return {ascending_ids(random), ascending_ids(random), ascending_ids(random), ascending_ids(random), random.one_in(2)};
}

TEST(ConfState, ReadsBackWhatWasWritten) {
  base::Random random(20);
  for (int round = 0; round < 500; ++round) {
    const ConfState state = some_state(random);
    const auto read = decode_conf_state(encode_conf_state(state));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, state);
  }
}

TEST(ConfState, IsWrittenInOneOrder) {
  const ConfState one{{NodeId(3), NodeId(1), NodeId(2)}, {}, {}, {}};
  const ConfState other{{NodeId(1), NodeId(2), NodeId(3)}, {}, {}, {}};
  EXPECT_EQ(encode_conf_state(one), encode_conf_state(other));
  EXPECT_EQ(encode_conf_state(other), std::string("\x01\x00\x03\x01\x02\x03\x00\x00\x00", 9));
}

TEST(ConfState, RefusesEveryPrefixAndAnythingBehind) {
  const std::string bytes = encode_conf_state({{NodeId(1), NodeId(700)}, {NodeId(9)}, {}, {}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_conf_state(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_conf_state(bytes + '\0'));
}

TEST(ConfState, RefusesWhatNobodyWrites) {
  using namespace std::string_literals;
  EXPECT_FALSE(decode_conf_state("\x02\x00\x00\x00\x00\x00"s)) << "unknown format";
  EXPECT_FALSE(decode_conf_state("\x01\x02\x00\x00\x00\x00"s)) << "auto_leave is 0 or 1";
  EXPECT_FALSE(decode_conf_state("\x01\x00\x01\x00\x00\x00\x00"s)) << "id 0";
  EXPECT_FALSE(decode_conf_state("\x01\x00\x02\x02\x01\x00\x00\x00"s)) << "descending";
  EXPECT_FALSE(decode_conf_state("\x01\x00\x02\x02\x02\x00\x00\x00"s)) << "twice";
  EXPECT_FALSE(decode_conf_state("\x01\x00\xff\xff\xff\xff\x0f\x01"s)) << "a count that lies";
}

}  // namespace
}  // namespace concord::raft
