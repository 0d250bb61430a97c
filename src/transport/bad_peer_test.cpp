// Ends of connections that do what no transport does: they cost their own connection and nothing else.
#include <gtest/gtest.h>

#include <condition_variable>
#include <list>
#include <mutex>

#include "transport/testing_member.hpp"
#include "transport/transport.hpp"

namespace concord::transport {
namespace {

/// Lets the transport's thread wait in the handler.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return is_open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;
};

/// Node 1 listens; node 2 is connected to it and stays so.
class BadPeer : public testing::Test {
 protected:
  void open() {
    one.open();
    two.open();
    two.transport->set_peers({one.as_peer()});
    ASSERT_TRUE(eventually([&] { return two.is_connected(1) && one.recorder.notes().admitted.size() >= 2; }));
  }
  void expect_others_undisturbed() const {
    EXPECT_TRUE(two.send(1, "still here"));
    EXPECT_TRUE(eventually([&] {
      const auto messages = one.recorder.notes().messages;
      return !messages.empty() && messages.back() == "still here";
    }));
    EXPECT_TRUE(two.recorder.notes().lost.empty());
  }
  /// Node 9 says `bytes` where a frame is due.
  void expect_garbled(std::string_view bytes) {
    RawPeer peer(one.transport->port());
    ASSERT_TRUE(peer.greet(9));
    peer.write(bytes);
    EXPECT_TRUE(peer.is_closed());
    EXPECT_TRUE(eventually([&] { return one.recorder.notes().lost.size() == 1; }));
    EXPECT_EQ(one.recorder.notes().lost.at(0), std::pair(std::uint64_t{9}, Lost::garbled));
    expect_others_undisturbed();
  }

  Gate gate;  ///< these outlive the members that use them
  std::mutex mutex;
  std::vector<std::string> order;
  Member one{1};
  Member two{2};
};

TEST_F(BadPeer, ThatSpeaksAnotherProtocolIsToldSo) {
  open();
  RawPeer peer(one.transport->port());
  peer.write("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(peer.is_closed());
  EXPECT_TRUE(
      eventually([&] { return one.recorder.lines_with("refused: the peer doesn't speak Concord's protocol") == 1; }));
  expect_others_undisturbed();
}

TEST_F(BadPeer, WithAHelloThatIsTooLargeIsClosedBeforeItIsRead) {
  using namespace std::string_literals;
  open();
  RawPeer peer(one.transport->port());
  peer.write("CNCP\x01\x10\x00\x00\x01"s);
  EXPECT_TRUE(peer.is_closed());
  expect_others_undisturbed();
}

TEST_F(BadPeer, ThatSendsFramesBeforeItHasProvedAnythingIsClosed) {
  open();
  RawPeer peer(one.transport->port());
  peer.write(DiallerHandshake({.self = test_identity(9), .cookie = "guess"}, Purpose::control, {}, Nonce{}).hello());
  EXPECT_FALSE(peer.read_packet().empty());
  peer.write(test_frame(1, FrameKind::message, "let me in"));
  EXPECT_TRUE(peer.is_closed());
  expect_others_undisturbed();
  EXPECT_EQ(one.recorder.notes().messages, std::vector<std::string>{"still here"});
}

TEST_F(BadPeer, ThatProvesWithAnotherCookieIsToldSo) {
  open();
  RawPeer peer(one.transport->port());
  DiallerHandshake handshake({.self = test_identity(9), .cookie = "secret"}, Purpose::control, {}, Nonce{});
  peer.write(handshake.hello());
  std::string proof = *handshake.take_answer(peer.read_packet());
  proof.back() = static_cast<char>(proof.back() ^ 1);
  peer.write(proof);
  const auto welcome = handshake.take_welcome(peer.read_packet());
  ASSERT_FALSE(welcome.has_value());
  EXPECT_EQ(welcome.error().error.message(), "wrong cookie");
  EXPECT_TRUE(eventually([&] { return one.recorder.lines_with("from 127.0.0.1 was refused: wrong cookie") == 1; }));
  EXPECT_EQ(one.recorder.notes().admitted.size(), 2U) << "node 2, on both of its channels, and nobody else";
  expect_others_undisturbed();
}

TEST_F(BadPeer, ThatSendsGarbageIsClosed) {
  open();
  expect_garbled(std::string(100, '\x5a'));
}

TEST_F(BadPeer, WhoseFrameIsTooLargeIsClosedByItsHeaderAlone) {
  one.options.limits.max_frame_bytes = 1000;
  open();
  expect_garbled(test_frame(1, FrameKind::message, std::string(1100, 'x')).substr(0, frame_header_bytes));
}

TEST_F(BadPeer, WhoseFrameIsDamagedIsClosed) {
  open();
  std::string frame = test_frame(1, FrameKind::message, "hello");
  frame.back() = 'x';
  expect_garbled(frame);
  EXPECT_EQ(one.recorder.notes().messages.front(), "still here");
}

TEST_F(BadPeer, ThatRepeatsAFrameIsClosedAndHeardOnce) {
  open();
  const std::string frame = test_frame(1, FrameKind::message, "hello");
  expect_garbled(frame + frame);
  EXPECT_EQ(one.recorder.notes().messages, (std::vector<std::string>{"hello", "still here"}));
}

TEST_F(BadPeer, ThatLeavesOutAFrameIsClosed) {
  open();
  expect_garbled(test_frame(1, FrameKind::message, "one") + test_frame(3, FrameKind::message, "three"));
  EXPECT_EQ(one.recorder.notes().messages, (std::vector<std::string>{"one", "still here"}));
}

TEST_F(BadPeer, ThatAnswersWhatNobodyAskedIsClosed) {
  open();
  expect_garbled(test_frame(1, FrameKind::answer, answer_front(1)));
}

TEST_F(BadPeer, ThatIsAStrangerMayAskButNotTell) {
  open();
  RawPeer peer(one.transport->port());
  ASSERT_TRUE(peer.greet(0));
  peer.write(test_frame(1, FrameKind::request, request_front(1, 2) + "question"));
  const std::string answer = test_frame(1, FrameKind::answer, answer_front(1) + "question");
  EXPECT_EQ(peer.read(answer.size()), answer);
  peer.write(test_frame(2, FrameKind::message, "hello"));
  EXPECT_TRUE(peer.is_closed());
  expect_others_undisturbed();
  EXPECT_EQ(one.recorder.notes().messages, std::vector<std::string>{"still here"});
}

TEST_F(BadPeer, FramesThatComeByteByByteAreRead) {
  open();
  RawPeer peer(one.transport->port());
  ASSERT_TRUE(peer.greet(9));
  const std::string bytes = test_frame(1, FrameKind::message, "slow") + test_frame(2, FrameKind::message, "but sure");
  for (const char byte : bytes) peer.write({&byte, 1});
  EXPECT_TRUE(
      eventually([&] { return one.recorder.notes().messages == std::vector<std::string>{"slow", "but sure"}; }));
}

// ---------------------------------------------------------------------------------------------------------------------

TEST_F(BadPeer, ThatSaysNothingIsClosedInTime) {
  one.options.limits.handshake_timeout = 500ms;
  open();
  RawPeer silent(one.transport->port());
  RawPeer halfway(one.transport->port());
  halfway.write("CNCP");
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(halfway.is_closed());
  expect_others_undisturbed();
}

TEST_F(BadPeer, ThatSaysNothingKeepsNobodyOut) {
  one.open();
  std::list<RawPeer> silent;
  for (std::size_t i = 0; i < one.options.limits.max_handshakes + 1; ++i) silent.emplace_back(one.transport->port());
  EXPECT_TRUE(silent.front().is_closed()) << "the oldest goes, long before its time";
  two.open();
  two.transport->set_peers({one.as_peer()});
  EXPECT_TRUE(eventually([&] { return two.is_connected(1); }));
  expect_others_undisturbed();
}

TEST_F(BadPeer, ThatFallsSilentIsLost) {
  one.options.limits.keep_alive = 20ms;
  one.open();
  RawPeer peer(one.transport->port());
  ASSERT_TRUE(peer.greet(9));
  EXPECT_EQ(peer.read(frame_header_bytes), test_frame(1, FrameKind::keep_alive, ""));
  EXPECT_TRUE(peer.is_closed());
  EXPECT_TRUE(eventually([&] { return one.recorder.notes().lost.size() == 1; }));
  EXPECT_EQ(one.recorder.notes().lost.at(0), std::pair(std::uint64_t{9}, Lost::silent));
}

TEST_F(BadPeer, ThatIsIdleButAliveIsKept) {
  one.options.limits.keep_alive = two.options.limits.keep_alive = 300ms;
  open();
  RawPeer peer(one.transport->port());
  ASSERT_TRUE(peer.greet(9));
  EXPECT_TRUE(peer.is_closed()) << "by now a silent one was closed";
  expect_others_undisturbed();
}

TEST_F(BadPeer, ThatStopsReadingCostsItsQueueAndNothingElse) {
  constexpr std::size_t max_queue_bytes = 1U << 20U;
  one.recorder.hears = [&](const Identity&, std::string_view bytes) {
    if (bytes == "stop") gate.wait();
  };
  two.options.limits.max_queue_bytes = max_queue_bytes;
  open();
  Member three(3);
  three.open();
  two.transport->set_peers({one.as_peer(), three.as_peer()});
  ASSERT_TRUE(eventually([&] { return two.is_connected(3); }));

  std::vector<std::string> expected{"stop"};
  EXPECT_TRUE(two.send(1, "stop"));
  const std::string large(50'000, 'x');
  const auto queued = [&] { return two.transport->peers().at(0).queued_bytes; };
  ASSERT_TRUE(eventually([&] {  // the system's buffers grow for a while
    while (expected.size() < 2000 && two.send(1, large)) expected.push_back(large);
    EXPECT_LE(queued(), max_queue_bytes);
    Outcome outcome;
    two.transport->request(base::NodeId(1), Channel::control, 1, large, 60s, outcome.taker());
    return outcome.calls() == 1 && outcome.wait_for_code() == static_cast<int>(Errc::overloaded);
  }));
  EXPECT_LT(expected.size(), 2000U) << "the queue takes no more";
  EXPECT_TRUE(two.send(3, "you are not concerned"));
  EXPECT_TRUE(eventually([&] { return three.recorder.notes().messages.size() == 1; }));

  gate.open();
  ASSERT_TRUE(eventually([&] { return one.recorder.notes().messages.size() == expected.size(); }));
  EXPECT_TRUE(one.recorder.notes().messages == expected);
  EXPECT_TRUE(eventually([&] { return queued() == 0; }));
}

TEST_F(BadPeer, ThatAsksAndDoesntReadIsBounded) {
  one.options.limits.max_queue_bytes = 1U << 20U;
  one.recorder.answers = [](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    respond(std::string(100'000, 'x'));
  };
  open();
  RawPeer peer(one.transport->port());
  ASSERT_TRUE(peer.greet(9));
  std::string questions;
  std::uint64_t sequence = 0;
  for (int i = 0; i < 1000; ++i) {
    ++sequence;
    questions += test_frame(sequence, FrameKind::request, request_front(sequence, 1) + std::string(20, 'q'));
  }
  bool is_lost = false;
  for (int turn = 0; turn < 10'000 && !is_lost; ++turn) {
    peer.write(questions);
    is_lost = !one.recorder.notes().lost.empty();
    questions.clear();
    for (int i = 0; i < 1000; ++i) {
      ++sequence;
      questions += test_frame(sequence, FrameKind::request, request_front(sequence, 1) + std::string(20, 'q'));
    }
  }
  EXPECT_TRUE(is_lost);
  expect_others_undisturbed();
}

TEST_F(BadPeer, ALongTransferLetsMessagesPass) {
  const auto note = [this](std::string what) {
    const std::lock_guard lock(mutex);
    order.push_back(std::move(what));
  };
  one.recorder.hears = [this, note](const Identity&, std::string_view bytes) {
    if (bytes == "stop") return gate.wait();
    note(std::string(bytes));
  };
  one.recorder.answers = [note](const Identity&, std::uint8_t, std::string_view body, Respond respond) {
    note("transfer of " + std::to_string(body.size()));
    respond("done");
  };
  open();
  ASSERT_TRUE(eventually([&] {
    Outcome outcome;
    two.transport->request(base::NodeId(1), Channel::bulk, 1, "", 60s, outcome.taker());
    return outcome.wait().has_value();
  }));
  {
    const std::lock_guard lock(mutex);
    order.clear();
  }
  // Nothing is read until the gate opens: the transfer stands still in full buffers, and the message behind it is on its own way.
  EXPECT_TRUE(two.send(1, "stop"));
  Outcome transfer;
  two.transport->request(base::NodeId(1), Channel::bulk, 1, std::string(std::size_t{64} << 20U, 'x'), 60s,
                         transfer.taker());
  ASSERT_TRUE(eventually([&] { return two.transport->peers().at(0).queued_bytes > 0; }));
  EXPECT_TRUE(two.send(1, "message"));
  EXPECT_EQ(transfer.calls(), 0);
  gate.open();
  EXPECT_EQ(transfer.wait().value_or("error"), "done");
  EXPECT_EQ(order, (std::vector<std::string>{"message", "transfer of 67108864"}));
}

}  // namespace
}  // namespace concord::transport
