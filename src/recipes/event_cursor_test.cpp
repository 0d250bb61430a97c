#include <concord/recipes/event_cursor.hpp>

#include <string>
#include <vector>

#include "recipes/testing_store.hpp"

namespace concord::recipes {
namespace {

class EventCursorTest : public WithNode {
 protected:
  EventCursor open(SubscribeOptions events = {.prefix = "orders/"}) {
    auto cursor = EventCursor::open(node(), "billing", std::move(events));
    EXPECT_TRUE(cursor) << cursor.error().message();
    return std::move(cursor.value());
  }
  Revision put(int order) { return node().put("orders/" + std::to_string(order), order).value(); }
  /// The keys of all events there are.
  static std::vector<std::string> rest(EventCursor& cursor, std::vector<Event>* events = nullptr) {
    std::vector<std::string> keys;
    for (;;) {
      auto event = cursor.next(std::chrono::milliseconds(200)).value();
      if (!event) return keys;
      keys.push_back(event->key());
      if (events != nullptr) events->push_back(std::move(*event));
    }
  }
};

TEST_F(EventCursorTest, BeginsWithWhatHappensAfterItWasFirstOpened) {
  put(1);
  {
    EventCursor cursor = open();
  }
  put(2);
  EventCursor cursor = open();
  EXPECT_EQ(rest(cursor), (std::vector<std::string>{"orders/2"}));
}

TEST_F(EventCursorTest, WhatWasAcknowledgedNeverComesAgainAndTheRestDoes) {
  {
    EventCursor cursor = open();
    for (int order = 1; order <= 5; ++order) put(order);
    std::vector<Event> events;
    EXPECT_EQ(rest(cursor, &events).size(), 5U);
    ASSERT_TRUE(cursor.acknowledge(events[2]));
    EXPECT_EQ(cursor.acknowledged(), events[2].revision);
  }
  EventCursor again = open();
  EXPECT_EQ(rest(again), (std::vector<std::string>{"orders/4", "orders/5"}));
}

TEST_F(EventCursorTest, WhoComesLateDoesNotTakeItBack) {
  EventCursor late = open();
  EventCursor quick = open();
  const Revision first = put(1);
  const Revision second = put(2);
  ASSERT_TRUE(quick.acknowledge(second));
  ASSERT_TRUE(late.acknowledge(first));
  EventCursor again = open();
  EXPECT_EQ(again.acknowledged(), second);
  EXPECT_TRUE(rest(again).empty());
}

TEST_F(EventCursorTest, ItsOwnAcknowledgementsAreNoEvents) {
  EventCursor cursor = open({});
  put(1);
  for (int round = 0; round < 3; ++round) {
    std::vector<Event> events;
    (void)rest(cursor, &events);
    ASSERT_EQ(events.size(), round == 0 ? 1U : 0U);
    for (const Event& event : events) ASSERT_TRUE(cursor.acknowledge(event));
  }
}

TEST_F(EventCursorTest, AResetPlacesItAnywhere) {
  const Revision first = put(1);
  put(2);
  {
    EventCursor cursor = open();
  }
  ASSERT_TRUE(EventCursor::reset(node(), "billing", Revision(first.value() - 1)));
  EventCursor cursor = open();
  EXPECT_EQ(rest(cursor), (std::vector<std::string>{"orders/1", "orders/2"}));
}

TEST_F(EventCursorTest, AKeyThatHoldsSomethingElseIsRefusedAndLeftAlone) {
  ASSERT_TRUE(node().put("cursors/billing", "mine"));
  const auto cursor = EventCursor::open(node(), "billing");
  ASSERT_FALSE(cursor);
  EXPECT_EQ(cursor.error().code(), Errc::invalid_request);
  EXPECT_EQ(node().get<std::string>("cursors/billing").value(), "mine");
}

TEST_F(EventCursorTest, AnAcknowledgementWhoseAnswerIsLostMayBeRepeated) {
  LossyStore lossy(node());
  auto cursor = EventCursor::open(lossy, "billing", {.prefix = "orders/"});
  ASSERT_TRUE(cursor) << cursor.error().message();
  const Revision revision = put(1);
  lossy.lose_next(Fate::done_unanswered);
  EXPECT_FALSE(cursor->acknowledge(revision));
  EXPECT_TRUE(cursor->acknowledge(revision));
  EXPECT_EQ(open().acknowledged(), revision);
}

}  // namespace
}  // namespace concord::recipes
