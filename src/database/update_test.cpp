// `update`: what a function may be and give back, what it does to the ttl, and what happens when somebody comes between.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/describe.hpp>

#include "database/testing_store.hpp"

namespace concord::database {

struct Cart {
  std::vector<std::string> items;
  bool closed = false;
};
BOOST_DESCRIBE_STRUCT(Cart, (), (items, closed))

namespace {

using namespace std::chrono_literals;

class UpdateTest : public FormTest {};

int doubled(int n) { return 2 * n; }

TEST_P(UpdateTest, AFunctionOfTheValueChangesIt) {
  EXPECT_TRUE(node_.put("n", 7));
  const Updated updated = calls_.update("n", [](int n) { return n + 1; }).value();
  EXPECT_EQ(updated.revision, Revision(2));
  EXPECT_EQ(updated.value, Value(8));
  EXPECT_EQ(node_.get_entry("n").value().revision, Revision(2));
  EXPECT_EQ(calls_.update("n", doubled).value().value, Value(16));
  EXPECT_EQ(calls_.update("n", [](const Value& v) { return Value(v == Value(16)); }).value().value, Value(true));
  EXPECT_EQ(calls_.update("n", [](const auto& v) { return v == Value(true) ? "yes" : "no"; }).value().value,
            Value("yes"));
  EXPECT_EQ(calls_.update("n", [](std::string text) { return text + "!"; }).value().value, Value("yes!"));
  EXPECT_EQ(calls_.update("n", [](const std::string&) { return nullptr; }).value().value, Value(nullptr));
  EXPECT_EQ(calls_.update("n", [](const Value&) { return Bytes("b"); }).value().value, Value(Bytes("b")));
}

TEST_P(UpdateTest, ADescribedStructGoesInAndOut) {
  EXPECT_TRUE(node_.put("cart", Cart{{"lamp"}, false}));
  const auto add = [](Cart cart) -> std::optional<Cart> {
    if (cart.closed) return std::nullopt;
    cart.items.push_back("chair");
    cart.closed = true;
    return cart;
  };
  EXPECT_EQ(outcome(calls_.update("cart", add)), "OK");
  EXPECT_EQ(node_.get<Cart>("cart").value().items, (std::vector<std::string>{"lamp", "chair"}));
  const auto left_alone = calls_.update("cart", add);
  ASSERT_EQ(outcome(left_alone), "OK");
  EXPECT_EQ(left_alone->revision, Revision(2)) << "nothing was written";
  EXPECT_EQ(left_alone->value.as<Cart>().value().items.size(), 2U);
  EXPECT_EQ(node_.status().value().storage.revision, Revision(2));
}

TEST_P(UpdateTest, AMissingKeyIsNotFoundUnlessTheFunctionTakesOne) {
  bool ran = false;
  EXPECT_EQ(outcome(calls_.update("n", [&ran](int n) { return ran = true, n; })), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.update("n", [&ran](const Value& value) { return ran = true, value; })), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.update("n", [&ran](const auto& value) { return ran = true, value; })), "NOT_FOUND");
  EXPECT_FALSE(ran);
  const auto count = [](std::optional<int> n) { return n.value_or(0) + 1; };
  EXPECT_EQ(calls_.update("n", count).value().value, Value(1));
  EXPECT_EQ(calls_.update("n", count).value().value, Value(2));
  EXPECT_EQ(node_.get_entry("n").value().version, 2U);
  EXPECT_TRUE(node_.put("null", nullptr));
  bool was_there = false;
  EXPECT_TRUE(calls_.update("null", [&](const std::optional<Value>& value) { return was_there = value.has_value(); }));
  EXPECT_TRUE(was_there) << "null is a value";
}

TEST_P(UpdateTest, NothingLeavesAMissingKeyMissing) {
  const auto nothing = calls_.update("n", [](std::optional<int>) { return std::optional<int>(); });
  EXPECT_EQ(outcome(node_.get("n")), "NOT_FOUND");
  EXPECT_EQ(node_.status().value().storage.revision, Revision(0));
  EXPECT_EQ(nothing.value().revision, Revision(0)) << "of no change";
  EXPECT_TRUE(node_.put("n", 1));
  EXPECT_EQ(calls_.update("n", [](int) { return std::nullopt; }).value().value, Value(1));
}

TEST_P(UpdateTest, AnErrorOfTheFunctionIsTheResult) {
  EXPECT_TRUE(node_.put("n", 7));
  const auto refused = calls_.update("n", [](int n) -> Result<int> {
    if (n > 5) return fail(Errc::forbidden, "over five");
    return n + 1;
  });
  EXPECT_EQ(outcome(refused), "FORBIDDEN");
  EXPECT_EQ(message(refused), "over five");
  EXPECT_EQ(calls_.update("n", [](int n) -> Result<int> { return n - 3; }).value().value, Value(4));
  EXPECT_EQ(calls_.update("n", [](int n) -> Result<std::optional<Value>> { return Value(n); }).value().value, Value(4));
  const auto nothing = calls_.update("n", [](int) -> Result<std::optional<int>> { return std::nullopt; });
  EXPECT_EQ(nothing.value().value, Value(4));
  EXPECT_EQ(nothing.value().revision, Revision(3));
}

TEST_P(UpdateTest, WhatThrowsIsInvalidRequest) {
  EXPECT_TRUE(node_.put("n", 7));
  const auto thrown = calls_.update("n", [](int) -> int { throw std::runtime_error("no idea"); });
  EXPECT_EQ(outcome(thrown), "INVALID_REQUEST");
  EXPECT_NE(message(thrown).find("no idea"), std::string::npos) << message(thrown);
  EXPECT_EQ(outcome(calls_.update("n", [](const Value&) -> int { throw 7; })), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.update("missing", [](std::optional<int>) -> int { throw 7; })), "INVALID_REQUEST");
  EXPECT_EQ(node_.status().value().storage.revision, Revision(1));
}

TEST_P(UpdateTest, BadValuesAndArgumentsAreRefused) {
  EXPECT_TRUE(node_.put("n", "text"));
  EXPECT_EQ(outcome(calls_.update("n", [](int n) { return n; })), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.update("n", [](std::optional<int>) { return 1; })), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.update("n", [](const Value&) { return "\xff"; })), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.update("n", [](const Value&) { return std::string((8U << 20U) + 1, 'v'); })),
            "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(outcome(calls_.update("", [](std::optional<int>) { return 1; })), "INVALID_KEY");
  EXPECT_EQ(outcome(calls_.update("n", [](const Value&) { return 1; }, {.ttl = 0s})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.update("n", [](const Value&) { return 1; }, {.ttl = std::chrono::seconds::max()})),
            "INVALID_REQUEST");
  EXPECT_EQ(node_.get_entry("n").value().revision, Revision(1));
}

TEST_P(UpdateTest, TheTtlGoesOnUnlessTheOptionsSetOne) {
  const auto change = [](int n) { return n + 1; };
  EXPECT_TRUE(node_.put("n", 1, {.ttl = 500s}));
  EXPECT_EQ(outcome(calls_.update("n", change)), "OK");
  EXPECT_LE(node_.ttl("n").value().value(), 500s);
  EXPECT_EQ(outcome(calls_.update("n", change, {.ttl = 900s})), "OK");
  EXPECT_GT(node_.ttl("n").value().value(), 500s);
  EXPECT_TRUE(node_.put("n", 1));
  EXPECT_EQ(outcome(calls_.update("n", change)), "OK");
  EXPECT_FALSE(node_.ttl("n").value());
  EXPECT_EQ(outcome(calls_.update("new", [](std::optional<int>) { return 1; }, {.ttl = 500s})), "OK");
  EXPECT_TRUE(node_.ttl("new").value());
  EXPECT_EQ(outcome(calls_.update("other", [](std::optional<int>) { return 1; })), "OK");
  EXPECT_FALSE(node_.ttl("other").value());
}

TEST_P(UpdateTest, WhoComesBetweenIsSeenByTheNextTry) {
  EXPECT_TRUE(node_.put("n", 1));
  int tries = 0;
  const auto interrupted = [&](int n) {
    if (++tries == 1) {
      EXPECT_TRUE(node_.put("n", 100));
    }
    return n + 1;
  };
  EXPECT_EQ(calls_.update("n", interrupted).value().value, Value(101));
  EXPECT_EQ(tries, 2);

  tries = 0;
  const auto created_between = [&](std::optional<int> n) {
    if (++tries == 1) {
      EXPECT_TRUE(node_.put("new", 100));
    }
    return n.value_or(0) + 1;
  };
  EXPECT_EQ(calls_.update("new", created_between).value().value, Value(101));

  const auto removed_between = [&](int n) {
    EXPECT_TRUE(node_.del("n"));
    return n + 1;
  };
  EXPECT_EQ(outcome(calls_.update("n", removed_between)), "NOT_FOUND");
  EXPECT_EQ(outcome(node_.get("n")), "NOT_FOUND");

  tries = 0;
  const auto created_anew = [&](std::optional<int> n) {
    if (++tries == 1) {
      EXPECT_TRUE(node_.del("new"));
      EXPECT_TRUE(node_.put("new", 101));
    }
    return n.value_or(0) + 1;
  };
  EXPECT_EQ(calls_.update("new", created_anew).value().value, Value(102));
  EXPECT_EQ(tries, 2) << "the same value again is another revision";
}

TEST_P(UpdateTest, WhoeverIsAlwaysTooSlowEndsWithTimeout) {
  EXPECT_TRUE(node_.put("n", 1));
  const auto never = [&](int n) {
    EXPECT_TRUE(node_.put("n", n + 1));
    return -1;
  };
  EXPECT_EQ(outcome(calls_.update("n", never, {.timeout = 50ms})), "TIMEOUT");
  EXPECT_GT(node_.get<int>("n").value(), 1);
}

INSTANTIATE_TEST_SUITE_P(Forms, UpdateTest, testing::Values(Form::plain, Form::completion, Form::awaited), form_name);

}  // namespace
}  // namespace concord::database
