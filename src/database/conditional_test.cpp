// Conditional writes: what each condition means, and that a refused write changes nothing. In every form of the calls.
#include <atomic>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/describe.hpp>

#include "database/testing_store.hpp"

namespace concord::database {

struct Product {
  std::string name;
  int price = 0;
};
BOOST_DESCRIBE_STRUCT(Product, (), (name, price))

namespace {

using namespace std::chrono_literals;

class ConditionalTest : public FormTest {
 protected:
  /// Whether `expected` holds for the value that is there. A refusal must leave no trace.
  bool holds(const Value& there, const Value& expected) {
    EXPECT_TRUE(node_.put("probe", there));
    return accepted({.expected = expected});
  }
  bool accepted(const PutIfOptions& options) {
    const Entry before = node_.get_entry("probe").value();
    const auto done = calls_.put_if("probe", "replaced", options);
    const Entry after = node_.get_entry("probe").value();
    if (done) {
      EXPECT_EQ(after.value, Value("replaced"));
      EXPECT_EQ(after.revision, *done);
      EXPECT_EQ(after.version, before.version + 1);
      return true;
    }
    EXPECT_EQ(outcome(done), "CONDITION_FAILED") << message(done);
    EXPECT_FALSE(done.error().maybe_committed());
    EXPECT_EQ(after.value, before.value);
    EXPECT_EQ(after.revision, before.revision);
    EXPECT_EQ(node_.status().value().storage.revision, before.revision);
    return false;
  }
  bool filter_holds(const Value& there, const char* document) {
    EXPECT_TRUE(node_.put("probe", there));
    return accepted({.condition = Filter(document)});
  }
  bool predicate_holds(const Value& there, Predicate predicate) {
    EXPECT_TRUE(node_.put("probe", there));
    return accepted({.condition = std::move(predicate)});
  }
};

TEST_P(ConditionalTest, ExpectedComparesByValue) {
  EXPECT_TRUE(holds(1, 1));
  EXPECT_TRUE(holds(1, 1.0));
  EXPECT_TRUE(holds(0, -0.0));
  EXPECT_FALSE(holds(1, 2));
  EXPECT_FALSE(holds(1, "1"));
  EXPECT_FALSE(holds(1, true));
  EXPECT_FALSE(holds(9007199254740993, 9007199254740992.0)) << "integers are not rounded";
  EXPECT_TRUE(holds(std::uint64_t{18446744073709551615U}, std::uint64_t{18446744073709551615U}));
  EXPECT_FALSE(holds(std::uint64_t{18446744073709551615U}, -1));
  EXPECT_TRUE(holds(nullptr, nullptr));
  EXPECT_FALSE(holds(nullptr, false));
  EXPECT_TRUE(holds(json(R"({"a":1,"b":{"c":[1,2],"d":"x"}})"), json(R"({"b":{"d":"x","c":[1.0,2]},"a":1})")));
  EXPECT_FALSE(holds(json(R"({"a":1,"b":[1,2]})"), json(R"({"a":1,"b":[2,1]})")));
  EXPECT_FALSE(holds(json(R"({"a":1})"), json(R"({"a":1,"b":null})")));
  EXPECT_TRUE(holds(json(R"("\u00e9")"), "é"));
}

TEST_P(ConditionalTest, BytesEqualTheSameBytesOnly) {
  EXPECT_TRUE(holds(Bytes("\x00\xff", 2), Bytes("\x00\xff", 2)));
  EXPECT_FALSE(holds(Bytes("\x00\xff", 2), Bytes("\x00\xff\x00", 3)));
  EXPECT_FALSE(holds(Bytes("text"), "text"));
  EXPECT_FALSE(holds("text", Bytes("text")));
  EXPECT_FALSE(holds(Bytes("1"), 1));
  EXPECT_TRUE(holds(Bytes(""), Bytes("")));
  EXPECT_FALSE(holds(Bytes(""), ""));
}

TEST_P(ConditionalTest, ARevisionHoldsUntilTheNextChange) {
  const Revision first = node_.put("probe", 1).value();
  EXPECT_TRUE(accepted({.revision = first}));
  EXPECT_FALSE(accepted({.revision = first}));
  EXPECT_FALSE(accepted({.revision = Revision(0)}));
  EXPECT_FALSE(accepted({.revision = Revision(first.value() + 100)}));
  const Revision touched = node_.touch("probe", 100s).value();
  EXPECT_FALSE(accepted({.revision = Revision(touched.value() - 1)})) << "a touch is a change";
  EXPECT_TRUE(node_.put("other", 1));
  EXPECT_TRUE(accepted({.revision = touched})) << "another key's change is not";
}

TEST_P(ConditionalTest, ExistsAsksForTheKeyOnly) {
  EXPECT_EQ(outcome(calls_.put_if("key", 1, {.exists = true})), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.put_if("key", 1, {.exists = false})), "OK");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.exists = false})), "CONDITION_FAILED");
  EXPECT_EQ(node_.get<int>("key").value(), 1);
  EXPECT_EQ(outcome(calls_.put_if("key", 3, {.exists = true})), "OK");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.exists = false})), "CONDITION_FAILED");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.exists = true})), "OK");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.exists = true})), "NOT_FOUND");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.exists = false})), "NOT_FOUND") << "there is nothing to remove";
}

TEST_P(ConditionalTest, FilterDocumentsSeeTheEntry) {
  const Value product = json(R"({"name":"lamp","price":80,"tags":["new"],"maker":{"city":"Oslo"}})");
  EXPECT_TRUE(filter_holds(product, R"({"price":{"$gte":80}})"));
  EXPECT_FALSE(filter_holds(product, R"({"price":{"$gt":80}})"));
  EXPECT_TRUE(filter_holds(product, R"({"maker.city":"Oslo","tags.0":{"$in":["old","new"]}})"));
  EXPECT_FALSE(filter_holds(product, R"({"missing":{"$lt":1}})"));
  EXPECT_TRUE(filter_holds(product, R"({"missing":{"$exists":false}})"));
  EXPECT_TRUE(filter_holds(5, R"({"$value":{"$gt":4}})"));
  EXPECT_FALSE(filter_holds(5, R"({"price":5})"));
  EXPECT_TRUE(filter_holds(Bytes("b"), R"({"$value":{"$type":"bytes"}})"));
  EXPECT_TRUE(filter_holds(5, R"({"$key":"probe"})"));
  EXPECT_FALSE(filter_holds(5, R"({"$key":{"$regex":"^other"}})"));
  const Revision now = node_.put("probe", 5).value();
  EXPECT_TRUE(accepted({.condition = Filter(R"({"$revision":)" + std::to_string(now.value()) + "}")}));
  EXPECT_TRUE(node_.put("probe", 5, {.ttl = 100s}));
  EXPECT_TRUE(accepted({.condition = Filter(R"({"$ttl":{"$gt":10,"$lte":100}})")}));
}

bool is_cheap(const Product& product) { return product.price < 50; }

TEST_P(ConditionalTest, PredicatesTakeTheValueInManyShapes) {
  const Value lamp = Product{"lamp", 80};
  EXPECT_TRUE(predicate_holds(7, [](const Value& value) { return value == Value(7); }));
  EXPECT_FALSE(predicate_holds(7, [](const Value& value) { return value == Value(8); }));
  EXPECT_TRUE(predicate_holds(7, [](int value) { return value == 7; }));
  EXPECT_TRUE(predicate_holds(lamp, [](const Product& product) { return product.price == 80; }));
  EXPECT_TRUE(predicate_holds(lamp, [](Product product) { return product.name == "lamp"; }));
  EXPECT_FALSE(predicate_holds(lamp, is_cheap));
  EXPECT_TRUE(predicate_holds(lamp, [](std::string_view key, const Product&) { return key == "probe"; }));
  EXPECT_FALSE(predicate_holds(lamp, [](std::string_view key, const Value&) { return key != "probe"; }));
  EXPECT_TRUE(predicate_holds(lamp, [](const auto& value) { return value.is_json(); }));
  EXPECT_TRUE(predicate_holds(
      "text", std::function<bool(const std::string&)>([](const std::string& text) { return text == "text"; })));
  EXPECT_TRUE(predicate_holds(lamp, [calls = 0](const Value&) mutable { return ++calls > 0; }));
  EXPECT_TRUE(predicate_holds(Bytes("\x01", 1), [](const std::vector<std::byte>& bytes) { return bytes.size() == 1; }));
  EXPECT_TRUE(predicate_holds(lamp, [](const boost::json::value& value) { return value.at("price") == 80; }));
}

TEST_P(ConditionalTest, AValueOfAnotherTypeDoesNotMatch) {
  EXPECT_FALSE(predicate_holds("seven", [](int) { return true; }));
  EXPECT_FALSE(predicate_holds(3.5, [](int) { return true; }));
  EXPECT_TRUE(predicate_holds(3.0, [](int) { return true; }));
  EXPECT_FALSE(predicate_holds(300, [](std::int8_t) { return true; }));
  EXPECT_FALSE(predicate_holds(1, [](const Product&) { return true; }));
  EXPECT_FALSE(predicate_holds(json(R"({"name":"lamp"})"), [](std::string_view, const Product&) { return true; }));
  EXPECT_FALSE(predicate_holds(Bytes("7"), [](const boost::json::value&) { return true; }));
  EXPECT_FALSE(predicate_holds("text", [](const std::vector<std::byte>&) { return true; }));
}

TEST_P(ConditionalTest, APredicateThatThrowsIsReportedAndNothingChanges) {
  const Revision before = node_.put("key", 1).value();
  const Predicate throws_error = [](int) -> bool { throw std::runtime_error("no idea"); };
  const Predicate throws_number = [](const Value&) -> bool { throw 7; };
  const auto put = calls_.put_if("key", 2, {.condition = throws_error});
  EXPECT_EQ(outcome(put), "INVALID_REQUEST");
  EXPECT_NE(message(put).find("no idea"), std::string::npos) << message(put);
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.condition = throws_number})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.condition = throws_error})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.condition = throws_number})), "INVALID_REQUEST");
  EXPECT_EQ(node_.get_entry("key").value().revision, before);
}

TEST_P(ConditionalTest, ExactlyOneConditionIsNeeded) {
  EXPECT_TRUE(node_.put("key", 1));
  const Predicate predicate = [](int) { return true; };
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {})), "MISSING_CONDITION");
  EXPECT_EQ(outcome(calls_.delete_if("key", {})), "MISSING_CONDITION");
  EXPECT_EQ(outcome(calls_.put_if("missing", 2, {})), "MISSING_CONDITION");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = 1, .condition = predicate})), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = 1, .condition = Filter("{}")})), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = 1, .revision = Revision(1)})), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.revision = Revision(1), .exists = true})), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.condition = predicate, .exists = true})), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.expected = 1, .condition = predicate})), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.condition = Filter("{}"), .exists = true})), "CONFLICTING_CONDITIONS");
  EXPECT_EQ(node_.get<int>("key").value(), 1);
}

TEST_P(ConditionalTest, MissingAndExpiredKeysAreNotFound) {
  EXPECT_TRUE(node_.put("expired", 1, {.ttl = 1s}));
  while (node_.get("expired")) std::this_thread::sleep_for(5ms);
  bool ran = false;
  const Predicate predicate = [&ran](const Value&) { return ran = true; };
  for (const char* key : {"missing", "expired"}) {
    EXPECT_EQ(outcome(calls_.put_if(key, 2, {.expected = 1})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.put_if(key, 2, {.expected = nullptr})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.put_if(key, 2, {.condition = predicate})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.put_if(key, 2, {.condition = Filter("{}")})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.put_if(key, 2, {.condition = Filter(R"({"a":{"$exists":false}})")})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.put_if(key, 2, {.revision = Revision(1)})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.put_if(key, 2, {.exists = true})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.delete_if(key, {.expected = 1})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.delete_if(key, {.condition = predicate})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.delete_if(key, {.condition = Filter("{}")})), "NOT_FOUND");
    EXPECT_EQ(outcome(calls_.delete_if(key, {.revision = Revision(1)})), "NOT_FOUND");
    EXPECT_EQ(outcome(node_.get(key)), "NOT_FOUND");
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(outcome(calls_.create("expired", 2)), "OK");
  EXPECT_EQ(node_.get_entry("expired").value().version, 1U);
}

TEST_P(ConditionalTest, DeleteIfRemovesWhatMatches) {
  EXPECT_TRUE(node_.put("key", json(R"({"n":5})")));
  EXPECT_EQ(outcome(calls_.delete_if("key", {.expected = json(R"({"n":6})")})), "CONDITION_FAILED");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.condition = Filter(R"({"n":6})")})), "CONDITION_FAILED");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.condition = [](int) { return true; }})), "CONDITION_FAILED");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.revision = Revision(99)})), "CONDITION_FAILED");
  EXPECT_EQ(calls_.delete_if("key", {.expected = json(R"({"n":5.0})")}).value(), Revision(2));
  EXPECT_EQ(outcome(node_.get("key")), "NOT_FOUND");
  EXPECT_TRUE(node_.put("key", 7));
  EXPECT_EQ(outcome(calls_.delete_if("key", {.condition = [](int n) { return n == 7; }})), "OK");
  EXPECT_EQ(node_.status().value().storage.size, 0U);
}

TEST_P(ConditionalTest, BadArgumentsAreRefusedBeforeTheConditionIsAsked) {
  EXPECT_TRUE(node_.put("key", 1));
  EXPECT_EQ(outcome(calls_.put_if("", 2, {.expected = 1})), "INVALID_KEY");
  EXPECT_EQ(outcome(calls_.put_if(std::string(1025, 'k'), 2, {.expected = 1})), "INVALID_KEY");
  EXPECT_EQ(outcome(calls_.delete_if("", {.exists = true})), "INVALID_KEY");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = 1, .ttl = 0s})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = 1, .ttl = std::chrono::seconds::max()})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = 1, .ttl = std::chrono::seconds::min()})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = 1, .ttl = 9s, .keep_ttl = true})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.put_if("key", "\xff", {.expected = 1})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = "\xff"})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.expected = std::nan("")})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.condition = Filter("{")})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.put_if("key", 2, {.condition = Filter(R"({"a":{"$near":1}})")})), "INVALID_REQUEST");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.condition = Filter(R"({"a":{"$regex":"("}})")})), "INVALID_REQUEST");
  const Value large = std::string((8U << 20U) + 1, 'v');
  EXPECT_EQ(outcome(calls_.put_if("key", large, {.expected = 1})), "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(outcome(calls_.put_if("key", large, {.condition = [](int) { return true; }})), "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(node_.get_entry("key").value().revision, Revision(1));
}

TEST_P(ConditionalTest, ThePutOfAConditionSetsTheTtlLikeAnyPut) {
  const auto ttl = [&] { return node_.ttl("key").value(); };
  EXPECT_TRUE(node_.put("key", 1, {.ttl = 500s}));
  EXPECT_EQ(outcome(calls_.put_if("key", 1, {.expected = 1, .keep_ttl = true})), "OK");
  EXPECT_TRUE(ttl());
  EXPECT_EQ(outcome(calls_.put_if("key", 1, {.condition = [](int) { return true; }, .keep_ttl = true})), "OK");
  EXPECT_TRUE(ttl());
  EXPECT_EQ(outcome(calls_.put_if("key", 1, {.condition = Filter("{}"), .ttl = 900s})), "OK");
  EXPECT_GT(ttl().value(), 500s);
  EXPECT_EQ(outcome(calls_.put_if("key", 1, {.expected = 1})), "OK");
  EXPECT_FALSE(ttl()) << "a put without ttl removes it";
  EXPECT_EQ(outcome(calls_.put_if("key", 1, {.exists = true, .ttl = 700s})), "OK");
  EXPECT_TRUE(ttl());
  EXPECT_EQ(outcome(calls_.put_if("key", 1, {.condition = [](int) { return true; }})), "OK");
  EXPECT_FALSE(ttl());
}

TEST_P(ConditionalTest, CreateSucceedsOnce) {
  EXPECT_EQ(calls_.create("lock", "me", {.ttl = 100s}).value(), Revision(1));
  const auto second = calls_.create("lock", "you");
  EXPECT_EQ(outcome(second), "CONDITION_FAILED");
  EXPECT_FALSE(second.error().maybe_committed());
  EXPECT_EQ(node_.get<std::string>("lock").value(), "me");
  EXPECT_TRUE(node_.ttl("lock").value());
  EXPECT_TRUE(node_.del("lock"));
  EXPECT_EQ(outcome(calls_.create("lock", "you")), "OK");
  EXPECT_EQ(outcome(calls_.create("", 1)), "INVALID_KEY");
  EXPECT_EQ(outcome(calls_.create("new", 1, {.ttl = 0s})), "INVALID_REQUEST");
}

TEST_P(ConditionalTest, APredicateIsAskedAgainWhenSomebodyWasQuicker) {
  EXPECT_TRUE(node_.put("key", 1));
  int asked = 0;
  EXPECT_EQ(outcome(calls_.put_if("key", "mine",
                                  {.condition =
                                       [&](int value) {
                                         if (++asked == 1) {
                                           EXPECT_TRUE(node_.put("key", 2));
                                         }
                                         return value > 0;
                                       }})),
            "OK");
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(node_.put("key", 1));
  EXPECT_EQ(outcome(calls_.put_if("key", "mine",
                                  {.condition =
                                       [&](int value) {
                                         EXPECT_TRUE(node_.put("key", 2));
                                         return value == 1;
                                       }})),
            "CONDITION_FAILED");
  EXPECT_EQ(outcome(calls_.delete_if("key", {.condition = [&](int) { return node_.del("key").has_value(); }})),
            "NOT_FOUND");
}

std::string owner_of(const Value& lock) { return lock.as<std::string>().value_or(""); }

TEST_P(ConditionalTest, ManyThreadsIncrementWithoutLosingOne) {
  constexpr int threads = 4;
  constexpr int each = 60;
  EXPECT_TRUE(node_.put("guarded", 0));
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        EXPECT_TRUE(calls_.update("updated", [](std::optional<int> n) { return n.value_or(0) + 1; }));
        Result<Revision> done = fail(Errc::condition_failed, "not tried yet");
        while (!done) {
          ASSERT_EQ(outcome(done), "CONDITION_FAILED") << message(done);
          const int seen = node_.get<int>("guarded").value();
          done = calls_.put_if("guarded", seen + 1, {.condition = [seen](int now) { return now == seen; }});
        }
        done = fail(Errc::condition_failed, "not tried yet");
        while (!done) done = calls_.create("lock", "held");
        EXPECT_EQ(owner_of(node_.get("lock").value()), "held");
        const int plain = node_.get<int>("plain").value_or(0);
        EXPECT_TRUE(node_.put("plain", plain + 1));
        EXPECT_TRUE(calls_.delete_if("lock", {.expected = "held"}));
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  EXPECT_EQ(node_.get<int>("updated").value(), threads * each);
  EXPECT_EQ(node_.get<int>("guarded").value(), threads * each);
  EXPECT_EQ(node_.get<int>("plain").value(), threads * each) << "the lock was held by one at a time";
}

INSTANTIATE_TEST_SUITE_P(Forms, ConditionalTest, testing::Values(Form::plain, Form::completion, Form::awaited),
                         form_name);

}  // namespace
}  // namespace concord::database
