// Messages and requests between members that know each other.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "transport/testing_member.hpp"
#include "transport/transport.hpp"

namespace concord::transport {
namespace {

/// Node 1 has dialled node 2.
class Messages : public testing::Test {
 protected:
  void open() {
    two.open();
    one.open();
    one.transport->set_peers({two.as_peer()});
    connect();
  }
  void connect() const {
    ASSERT_TRUE(eventually([&] { return one.is_connected(2) && two.recorder.notes().admitted.size() >= 2; }));
  }
  Outcome ask(std::string body, Channel channel = Channel::control, std::chrono::milliseconds timeout = 60s) const {
    Outcome outcome;
    one.transport->request(base::NodeId(2), channel, 4, std::move(body), timeout, outcome.taker());
    return outcome;
  }

  std::vector<Respond>
      kept;  ///< of the transport's thread, until `asked` says so; these outlive the members that use them
  std::atomic<int> asked = 0;
  Member one{1};
  Member two{2};
};

TEST_F(Messages, ArriveInOrderEachOnce) {
  open();
  std::vector<std::string> expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::string message = std::to_string(i);
    if (one.send(2, message)) expected.push_back(message);
  }
  EXPECT_EQ(expected.size(), 20'000U);
  ASSERT_TRUE(eventually([&] { return two.recorder.notes().messages.size() >= expected.size(); }));
  EXPECT_EQ(two.recorder.notes().messages, expected);
}

TEST_F(Messages, OfManyThreadsKeepTheOrderOfEach) {
  open();
  constexpr int threads = 4;
  constexpr int messages_each = 3000;
  std::vector<std::thread> senders;
  for (int thread = 0; thread < threads; ++thread) {
    senders.emplace_back([&, thread] {
      for (int i = 0; i < messages_each; ++i) {
        EXPECT_TRUE(one.send(2, std::string(1, static_cast<char>('a' + thread)) + std::to_string(i)));
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  ASSERT_TRUE(eventually([&] { return two.recorder.notes().messages.size() == threads * messages_each; }));
  std::vector<int> next(threads);
  for (const std::string& message : two.recorder.notes().messages) {
    int& due = next[static_cast<std::size_t>(message[0] - 'a')];
    ASSERT_EQ(message.substr(1), std::to_string(due));
    ++due;
  }
}

TEST_F(Messages, OfAnySizeArriveAsTheyWereSent) {
  open();
  std::vector<std::string> expected;
  for (const std::size_t size_bytes : {0U, 1U, 65'518U, 65'519U, 65'536U, 200'000U, 9'000'000U, 5U, 1'048'576U}) {
    std::string message(size_bytes, '\0');
    for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<char>(i * 7 + i / 256);
    EXPECT_TRUE(one.send(2, message));
    expected.push_back(std::move(message));
  }
  ASSERT_TRUE(eventually([&] { return two.recorder.notes().messages.size() == expected.size(); }));
  EXPECT_TRUE(two.recorder.notes().messages == expected);
}

TEST_F(Messages, OfBothSidesPassEachOther) {
  open();
  two.transport->set_peers({one.as_peer()});
  ASSERT_TRUE(eventually([&] { return two.is_connected(1); }));
  EXPECT_TRUE(one.send(2, "to two"));
  EXPECT_TRUE(two.send(1, "to one"));
  EXPECT_TRUE(eventually([&] { return two.recorder.notes().messages == std::vector<std::string>{"to two"}; }));
  EXPECT_TRUE(eventually([&] { return one.recorder.notes().messages == std::vector<std::string>{"to one"}; }));
}

TEST_F(Messages, ToWhoIsNotConnectedAreLost) {
  open();
  EXPECT_FALSE(one.send(3, "nobody knows node 3"));
  EXPECT_FALSE(two.send(1, "node 2 has not dialled node 1"));
}

TEST_F(Messages, ThatAreTooLargeAreNotSent) {
  one.options.limits.max_frame_bytes = 1000;
  open();
  EXPECT_FALSE(one.send(2, std::string(1001, 'x')));
  EXPECT_TRUE(one.send(2, std::string(1000, 'x')));
  EXPECT_TRUE(eventually([&] { return two.recorder.notes().messages.size() == 1; }));
}

TEST_F(Messages, TheHandlerMaySendWhenItIsToldOfTheConnection) {
  class Eager final : public Handler {
   public:
    std::function<void(const Identity&)> greets;

   private:
    Result<void> admit(const Identity&) override { return {}; }
    void on_message(const Identity&, std::string_view) override {}
    void on_request(const Identity&, std::uint8_t, std::string_view, Respond) override {}
    void on_read_done() override {}
    void on_connected(const Identity& peer) override { greets(peer); }
    void on_lost(base::NodeId, Lost) override {}
    void on_refused(const std::string&, const Error&, Refuser) override {}
  };
  two.open();
  Eager eager;
  std::unique_ptr<Transport> transport;
  eager.greets = [&](const Identity& peer) { EXPECT_TRUE(transport->send(peer.node, "hello")); };
  auto opened = Transport::open(one.options, eager);
  ASSERT_TRUE(opened.has_value());
  transport = std::move(*opened);
  transport->set_peers({two.as_peer()});
  EXPECT_TRUE(eventually([&] { return two.recorder.notes().messages == std::vector<std::string>{"hello"}; }));
}

// ---------------------------------------------------------------------------------------------------------------------

TEST_F(Messages, ARequestIsAnswered) {
  two.recorder.answers = [](const Identity& from, std::uint8_t method, std::string_view body, Respond respond) {
    respond("node " + std::to_string(from.node.value()) + ", method " + std::to_string(method) + ", " +
            std::string(body));
  };
  open();
  for (const Channel channel : {Channel::control, Channel::bulk}) {
    ASSERT_TRUE(eventually([&] { return ask("", channel).wait().has_value(); }));  // bulk may connect later
    const Result<std::string> answer = ask("body", channel).wait();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(*answer, "node 1, method 4, body");
  }
}

TEST_F(Messages, AnErrorIsAnAnswerToo) {
  two.recorder.answers = [](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    respond(fail(Errc::condition_failed, "revision 5, not 4", true));
  };
  open();
  const Result<std::string> answer = ask("body").wait();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), Errc::condition_failed);
  EXPECT_EQ(answer.error().message(), "revision 5, not 4");
  EXPECT_TRUE(answer.error().maybe_committed());
}

TEST_F(Messages, ARequestMayBeAnsweredLaterFromAnotherThreadAndOutOfOrder) {
  two.recorder.answers = [&](const Identity&, std::uint8_t, std::string_view body, Respond respond) {
    EXPECT_EQ(body, asked == 0 ? "first" : "second");
    kept.push_back(std::move(respond));
    ++asked;
  };
  open();
  const Outcome first = ask("first");
  const Outcome second = ask("second");
  ASSERT_TRUE(eventually([&] { return asked == 2; }));
  EXPECT_EQ(first.calls() + second.calls(), 0);
  std::thread([&] {
    kept[1]("answer to second");
    kept[0]("answer to first");
    kept[0]("another answer, which nobody hears");
  }).join();
  EXPECT_EQ(first.wait().value_or("error"), "answer to first");
  EXPECT_EQ(second.wait().value_or("error"), "answer to second");
  EXPECT_EQ(first.calls() + second.calls(), 2);
}

TEST_F(Messages, ARequestThatIsDroppedIsAnsweredByInternal) {
  two.recorder.answers = [](const Identity&, std::uint8_t, std::string_view, Respond) {};
  open();
  EXPECT_EQ(ask("body").wait_for_code(), static_cast<int>(Errc::internal));
}

TEST_F(Messages, ARequestThatIsNeverAnsweredTimesOut) {
  two.recorder.answers = [&](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    kept.push_back(std::move(respond));
  };
  open();
  const Outcome long_one = ask("body", Channel::control, 60s);
  const Result<std::string> answer = ask("body", Channel::control, 20ms).wait();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), Errc::timeout);
  EXPECT_TRUE(answer.error().maybe_committed());
  EXPECT_EQ(ask("body", Channel::control, 0ms).wait_for_code(), static_cast<int>(Errc::timeout));
  EXPECT_EQ(long_one.calls(), 0);
  two.transport.reset();
}

TEST_F(Messages, ALateAnswerIsForgotten) {
  two.recorder.answers = [&](const Identity&, std::uint8_t, std::string_view body, Respond respond) {
    if (body == "now") return respond("now");
    kept.push_back(std::move(respond));
    ++asked;
  };
  open();
  const Outcome late = ask("later", Channel::control, 1ms);
  EXPECT_EQ(late.wait_for_code(), static_cast<int>(Errc::timeout));
  ASSERT_TRUE(eventually([&] { return asked == 1; }));
  kept.front()("too late");
  EXPECT_EQ(ask("now").wait().value_or("error"), "now");
  EXPECT_EQ(late.calls(), 1);
}

TEST_F(Messages, ARequestUnderALostConnectionTimesOut) {
  two.recorder.answers = [&](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    kept.push_back(std::move(respond));
    ++asked;
  };
  open();
  const Outcome outcome = ask("body");
  ASSERT_TRUE(eventually([&] { return asked == 1; }));
  two.transport.reset();
  const Result<std::string> answer = outcome.wait();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), Errc::timeout);
  EXPECT_TRUE(answer.error().maybe_committed());
  kept.front()("nobody is there any more");
}

TEST_F(Messages, ARequestThatIsNeverSentSaysSo) {
  open();
  Outcome nobody;
  one.transport->request(base::NodeId(3), Channel::control, 4, "body", 60s, nobody.taker());
  EXPECT_EQ(nobody.calls(), 1) << "inside the call";
  EXPECT_EQ(nobody.wait_for_code(), static_cast<int>(Errc::cluster_not_ready));
  two.transport.reset();
  ASSERT_TRUE(eventually([&] { return !one.is_connected(2); }));
  const Result<std::string> answer = ask("body").wait();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), Errc::cluster_not_ready);
  EXPECT_FALSE(answer.error().maybe_committed());
}

TEST_F(Messages, RequestsWithoutAnswersAreBounded) {
  two.recorder.answers = [&](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    kept.push_back(std::move(respond));
    ++asked;
  };
  one.options.limits.max_requests = 3;
  open();
  const std::vector<Outcome> outcomes{ask("1"), ask("2"), ask("3")};
  const Outcome more = ask("4");
  EXPECT_EQ(more.calls(), 1);
  EXPECT_EQ(more.wait_for_code(), static_cast<int>(Errc::overloaded));
  ASSERT_TRUE(eventually([&] { return asked == 3; }));
  kept.front()("1");
  EXPECT_EQ(outcomes.front().wait().value_or("error"), "1");
  (void)ask("5");
  EXPECT_TRUE(eventually([&] { return asked == 4; }));
}

TEST_F(Messages, WhoIsAskedTooMuchSaysSo) {
  two.recorder.answers = [&](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    kept.push_back(std::move(respond));
  };
  two.options.limits.max_requests = 3;
  open();
  const std::vector<Outcome> outcomes{ask("1"), ask("2"), ask("3")};
  EXPECT_EQ(ask("4").wait_for_code(), static_cast<int>(Errc::overloaded));
  EXPECT_EQ(outcomes.front().calls(), 0);
  two.transport.reset();
}

/// Of an answer the request may have been done, so it is as one that was lost.
TEST_F(Messages, RequestsAndAnswersThatAreTooLargeAreNotSent) {
  two.recorder.answers = [](const Identity&, std::uint8_t, std::string_view body, Respond respond) {
    respond(body == "ask for much" ? std::string(1001, 'x') : std::string(body));
  };
  one.options.limits.max_frame_bytes = two.options.limits.max_frame_bytes = 1000;
  open();
  EXPECT_EQ(ask(std::string(1001, 'x')).wait_for_code(), static_cast<int>(Errc::value_too_large));
  EXPECT_EQ(ask("ask for much").wait_for_code(), static_cast<int>(Errc::timeout));
  EXPECT_EQ(ask(std::string(1000, 'x')).wait_for_code(), 0);
}

TEST_F(Messages, AHandlerThatThrowsEndsItsConnectionAlone) {
  two.recorder.hears = [](const Identity&, std::string_view bytes) {
    if (bytes == "bad") throw std::runtime_error("no such thing");
  };
  open();
  EXPECT_TRUE(one.send(2, "bad"));
  ASSERT_TRUE(eventually([&] { return one.recorder.notes().connected.size() == 2; }));
  EXPECT_TRUE(eventually([&] { return one.send(2, "good"); }));
  EXPECT_TRUE(eventually([&] { return two.recorder.notes().messages == std::vector<std::string>{"bad", "good"}; }));
  EXPECT_EQ(two.recorder.lines_with("no such thing"), 1U);
}

}  // namespace
}  // namespace concord::transport
