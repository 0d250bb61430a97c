// Requests between members are read back as they were written, and nothing else is taken for one.
#include "node/peer_messages.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::node {
namespace {

using base::ClusterId;
using base::Index;
using base::NodeId;
using base::Term;

template <class Decode>
void expect_no_prefix_passes(const std::string& bytes, const Decode& decode) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size))) << size << " of " << bytes.size();
  }
  EXPECT_FALSE(decode(bytes + "x"));
}

TEST(PeerMessages, AProbeIsAnsweredWithMembersOrWithoutThem) {
  ProbeAnswer answer{
      .formed = true, .is_young = true, .cluster = ClusterId(9), .formation = 4, .leader_address = "a:1"};
  answer.members.conf.voters = {NodeId(3)};
  answer.members.members = {{.id = NodeId(3), .directory = 5, .name = "n", .peer = "a:1"}};
  const auto read = decode_probe_answer(encode(answer));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->formed && read->is_young);
  EXPECT_EQ(read->cluster, answer.cluster);
  EXPECT_EQ(read->members, answer.members);
  EXPECT_EQ(read->leader_address, "a:1");
  expect_no_prefix_passes(encode(answer),
                          [](std::string_view bytes) { return decode_probe_answer(bytes).has_value(); });
  const auto fresh = decode_probe_answer(encode(ProbeAnswer{.formation = 4}));
  ASSERT_TRUE(fresh);
  EXPECT_FALSE(fresh->formed);
  EXPECT_EQ(fresh->formation, 4U);
}

TEST(PeerMessages, WhoIsMetSaysWhatItThinksAndWhomItHasHeardOf) {
  MeetAnswer answer;
  answer.probe.formation = 4;
  answer.view = {.expected_size = 3, .choice = 5};
  answer.others = {"a:1", "b:1"};
  const auto read = decode_meet_answer(encode(answer));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->probe.formation, 4U);
  EXPECT_EQ(read->view, answer.view);
  EXPECT_EQ(read->others, answer.others);
  expect_no_prefix_passes(encode(answer), [](std::string_view bytes) { return decode_meet_answer(bytes).has_value(); });
  MeetAnswer crowd;
  crowd.others.resize(most_others + 1, "a:1");
  EXPECT_FALSE(decode_meet_answer(encode(crowd)));
}

TEST(PeerMessages, AForwardKeepsItsCommands) {
  const ForwardHead head{.term = Term(4), .incarnation = 3, .settled_below = 2, .first_sequence = 7, .count = 5};
  std::string_view commands;
  const std::string bytes = encode_forward(head, "the commands");
  const auto read = decode_forward(bytes, commands);
  ASSERT_TRUE(read);
  EXPECT_EQ(commands, "the commands");
  EXPECT_EQ(read->term, head.term);
  EXPECT_EQ(read->incarnation, 3U);
  EXPECT_EQ(read->settled_below, 2U);
  EXPECT_EQ(read->first_sequence, 7U);
  EXPECT_EQ(read->count, 5U);
}

TEST(PeerMessages, TracesOfForwardedWritesAreReadBack) {
  ForwardTraces traces{.incarnation = 3,
                       .writes = {{.sequence = 7, .trace = {.high = 1, .low = ~0ULL}, .span = 5}, {}}};
  const auto read = decode_forward_traces(encode(traces));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->incarnation, 3U);
  ASSERT_EQ(read->writes.size(), 2U);
  EXPECT_EQ(read->writes[0].sequence, 7U);
  EXPECT_EQ(read->writes[0].trace, traces.writes[0].trace);
  EXPECT_EQ(read->writes[0].span, 5U);
  expect_no_prefix_passes(encode(traces),
                          [](std::string_view bytes) { return decode_forward_traces(bytes).has_value(); });
  traces.writes.resize(most_traces + 1);
  EXPECT_FALSE(decode_forward_traces(encode(traces)));
}

TEST(PeerMessages, ABeatIsReadBackWithItsFlags) {
  for (int flags = 0; flags < 8; ++flags) {
    const Beat beat{.term = Term(6),
                    .leads = (flags & 1) != 0,
                    .is_guess = (flags & 2) != 0,
                    .full = (flags & 4) != 0,
                    .cluster_time_ms = 12345,
                    .applied = Index(77),
                    .digest_index = Index(1000),
                    .digest = 99,
                    .members = {{.id = NodeId(2), .match = Index(70), .heard_ms = 15}}};
    const auto read = decode_beat(encode(beat));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->leads, beat.leads);
    EXPECT_EQ(read->is_guess, beat.is_guess);
    EXPECT_EQ(read->full, beat.full);
    EXPECT_EQ(read->digest, 99U);
    ASSERT_EQ(read->members.size(), 1U);
    EXPECT_EQ(read->members[0].match, Index(70));
  }
  expect_no_prefix_passes(encode(Beat{.members = {{.id = NodeId(2), .match = Index(1)}}}),
                          [](std::string_view bytes) { return decode_beat(bytes).has_value(); });
}

TEST(PeerMessages, PiecesOfASnapshotKeepTheirPlace) {
  const auto head =
      decode_snapshot_head(encode(SnapshotHead{.index = Index(5), .term = Term(2), .size_bytes = 1U << 30U}));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size_bytes, 1U << 30U);
  const std::string chunk = encode_chunk({.index = Index(5), .offset = 4096, .bytes = "abc"});
  const auto piece = decode_chunk(chunk);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->offset, 4096U);
  EXPECT_EQ(piece->bytes, "abc");
  const std::string last = encode_end({.index = Index(5), .offset = 0, .bytes = "raft"});
  const auto end = decode_end(last);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->bytes, "raft");
}

TEST(PeerMessages, AnyBytesAreReadOrRefused) {
  const std::uint64_t seed = 4711;
  SCOPED_TRACE("seed " + std::to_string(seed));
  base::Random random(seed);
  std::string_view commands;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random.below(60), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    (void)decode_probe_answer(bytes);
    (void)decode_change_answer(bytes);
    (void)decode_forward(bytes, commands);
    (void)decode_beat(bytes);
    (void)decode_snapshot_head(bytes);
    (void)decode_chunk(bytes);
    (void)decode_end(bytes);
    (void)decode_offset(bytes);
  }
}

}  // namespace
}  // namespace concord::node
