// Goal: a Value is an ordinary value: it keeps what it was made from, whatever is copied, moved or shared. Method: the same
// checks over every kind of content, short and long; owners count their references.
#include <concord/value.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include <boost/describe/class.hpp>

#include "base/random.hpp"
#include "value/testing_json.hpp"

namespace concord {
namespace {

using namespace std::string_view_literals;

struct Endpoint {
  std::string host;
  int port = 0;
  std::optional<double> weight;
};
BOOST_DESCRIBE_STRUCT(Endpoint, (), (host, port, weight))

struct Throwing {};
void tag_invoke(boost::json::value_from_tag, boost::json::value&, const Throwing&) {
  throw std::runtime_error("no form today");
}

const std::string long_text(1000, 'x');

std::vector<Value> every_kind() {
  const std::string bytes(500, '\xfe');
  return {nullptr,
          true,
          -7,
          3.25,
          "text",
          long_text,
          Bytes("\x00\xff"sv),
          Bytes(bytes),
          boost::json::value{1, "two", long_text},
          "bad \xff text"};
}

TEST(Value, KeepsWhatItIsMadeFrom) {
  EXPECT_EQ(Value().json_text(), "null");
  EXPECT_EQ(Value(false).json_text(), "false");
  EXPECT_EQ(Value(std::numeric_limits<std::int64_t>::min()).json_text(), "-9223372036854775808");
  EXPECT_EQ(Value(std::numeric_limits<std::uint64_t>::max()).json_text(), "18446744073709551615");
  EXPECT_EQ(Value(2.0).json_text(), "2.0");
  EXPECT_EQ(Value(0.1).json_text(), "0.1");
  EXPECT_EQ(Value(-0.0).json_text(), "-0.0");
  EXPECT_EQ(Value("a\"b\n"sv).json_text(), R"("a\"b\n")");
  EXPECT_EQ(Value(long_text).json_text(), '"' + long_text + '"');
  EXPECT_EQ(Value(Bytes("\x00\xff"sv)).bytes(), "\x00\xff"sv);
  EXPECT_EQ(Value(std::vector<std::byte>{std::byte{1}, std::byte{2}}).bytes(), "\1\2"sv);
  EXPECT_EQ(Value(boost::json::value{{"port", 80}, {"ratio", 1.0}}).json_text(), R"({"port":80,"ratio":1.0})");
  EXPECT_EQ(Value(std::map<std::string, std::vector<int>>{{"a", {1, 2}}}).json_text(), R"({"a":[1,2]})");
  EXPECT_EQ(Value("x").size_bytes(), 3U);
  EXPECT_EQ(Value(Bytes(""sv)).size_bytes(), 0U);
}

TEST(Value, APointerIsNotTakenForABoolean) {
  EXPECT_FALSE((std::is_constructible_v<Value, const int*>));
  EXPECT_TRUE((std::is_constructible_v<Value, const char*>));
}

TEST(Value, WhatHasNoJsonFormIsInvalidAndSaysWhy) {
  boost::json::value deep = 1;
  for (int i = 0; i < 257; ++i) deep = boost::json::array{deep};
  for (const Value& invalid : {Value(std::nan("")), Value(std::numeric_limits<double>::infinity()), Value("\xff"),
                               Value(deep), Value(boost::json::value{"\xc3"}), Value(Throwing())}) {
    EXPECT_FALSE(invalid.valid());
    EXPECT_FALSE(invalid.is_json());
    EXPECT_FALSE(invalid.is_bytes());
    EXPECT_GT(invalid.size_bytes(), 5U);
    EXPECT_FALSE(invalid.json());
    EXPECT_FALSE(invalid.as<int>());
  }
  EXPECT_EQ(Value(Throwing()).stored().substr(1), "no form today");
}

TEST(Value, NumbersAreReadExactlyOrRefused) {
  EXPECT_EQ(*Value(200).as<std::uint8_t>(), 200);
  EXPECT_FALSE(Value(256).as<std::uint8_t>());
  EXPECT_FALSE(Value(-1).as<std::uint64_t>());
  EXPECT_EQ(*Value(-128).as<std::int8_t>(), -128);
  EXPECT_FALSE(Value(128).as<std::int8_t>());
  EXPECT_EQ(*Value(3.0).as<int>(), 3);
  EXPECT_FALSE(Value(3.5).as<int>());
  EXPECT_FALSE(Value(1e300).as<std::int64_t>());
  EXPECT_EQ(*Value(std::numeric_limits<std::uint64_t>::max()).as<std::uint64_t>(),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(Value(std::numeric_limits<std::uint64_t>::max()).as<std::int64_t>());
  EXPECT_EQ(*Value(7).as<double>(), 7.0);
  EXPECT_FALSE(Value((1LL << 53) + 1).as<double>());
  EXPECT_EQ(*Value(0.1).as<float>(), 0.1F);
  EXPECT_FALSE(Value(1e300).as<float>());
  EXPECT_EQ(Value("7").as<int>().error().code(), Errc::invalid_request);
  EXPECT_EQ(Value("7").as<int>().error().message(), "the value is a string, not a whole number");
}

TEST(Value, AWrongTypeIsAnErrorNotAConversion) {
  EXPECT_TRUE(*Value(true).as<bool>());
  EXPECT_FALSE(Value(1).as<bool>());
  EXPECT_FALSE(Value(1).as<std::string>());
  EXPECT_FALSE(Value(true).as<int>());
  EXPECT_FALSE(Value(nullptr).as<std::string>());
  EXPECT_FALSE(Value("x").as<std::vector<std::byte>>());
  EXPECT_FALSE(Value(Bytes("x"sv)).as<std::string>());
  EXPECT_FALSE(Value(Bytes("x"sv)).json());
  EXPECT_FALSE(Value("x").as<Endpoint>());
  EXPECT_EQ(*Value("a\n\0b"sv).as<std::string>(), "a\n\0b"sv);
  EXPECT_EQ(Value(Bytes("ab"sv)).as<std::vector<std::byte>>()->size(), 2U);
}

TEST(Value, DescribedStructsAndContainersComeBack) {
  const Endpoint endpoint{"db.internal", 5432, 0.5};
  const Value value = endpoint;
  EXPECT_EQ(value.json_text(), R"({"host":"db.internal","port":5432,"weight":0.5})");
  const auto back = value.as<Endpoint>();
  ASSERT_TRUE(back);
  EXPECT_EQ(back->host, endpoint.host);
  EXPECT_EQ(back->port, endpoint.port);
  EXPECT_EQ(back->weight, endpoint.weight);
  const std::map<std::string, std::vector<std::uint64_t>> counters = {{"a", {1, ~0ULL}}, {"b", {}}};
  EXPECT_EQ((*Value(counters).as<std::map<std::string, std::vector<std::uint64_t>>>()), counters);
  const std::set<std::string> names = {"x", "y"};
  EXPECT_EQ(*Value(names).as<std::set<std::string>>(), names);
}

TEST(Value, CopiesMovesAndSelfAssignmentsKeepTheContent) {
  for (const Value& original : every_kind()) {
    const std::string stored(original.stored());
    for (Value target : every_kind()) {
      target = original;
      EXPECT_EQ(target.stored(), stored);
      Value& same = target;
      target = same;
      EXPECT_EQ(target.stored(), stored);
      target = std::move(same);
      EXPECT_EQ(target.stored(), stored);
      Value moved = std::move(target);
      EXPECT_EQ(moved.stored(), stored);
      target = std::move(moved);
      EXPECT_EQ(target.stored(), stored);
      EXPECT_EQ(Value::from_stored(stored).stored(), stored);
    }
    EXPECT_EQ(original.stored(), stored);
  }
}

struct CountedOwner {
  int references = 1;
  int released = 0;
  static void retain(void* self) noexcept { ++static_cast<CountedOwner*>(self)->references; }
  static void release(void* self) noexcept {
    --static_cast<CountedOwner*>(self)->references;
    ++static_cast<CountedOwner*>(self)->released;
  }
};

TEST(Value, ALongSharedFormKeepsItsOwnerAliveAsLongAsAnyCopy) {
  const std::string stored = std::string(1, '\1') + long_text;
  CountedOwner owner;
  {
    Value shared = Value::share_stored(stored, {&owner, CountedOwner::retain, CountedOwner::release});
    EXPECT_EQ(shared.stored().data(), stored.data());  // nothing was copied
    EXPECT_EQ(owner.references, 1);
    Value copy = shared;
    EXPECT_EQ(owner.references, 2);
    EXPECT_EQ(copy.bytes(), long_text);
    const Value moved = std::move(shared);
    EXPECT_EQ(owner.references, 2);
    copy = 1;
    EXPECT_EQ(owner.references, 1);
    copy = moved;
    EXPECT_EQ(owner.references, 2);
  }
  EXPECT_EQ(owner.references, 0);
}

TEST(Value, AShortSharedFormIsCopiedAndItsOwnerLetGo) {
  const std::string stored = "\1short";
  CountedOwner owner;
  const Value shared = Value::share_stored(stored, {&owner, CountedOwner::retain, CountedOwner::release});
  EXPECT_EQ(owner.references, 0);
  EXPECT_NE(shared.stored().data(), stored.data());
  EXPECT_EQ(shared.bytes(), "short");
}

TEST(Value, FormsAroundTheInlineCapacityAreAllKept) {
  for (std::size_t size = Value::inline_capacity - 4; size < Value::inline_capacity + 4; ++size) {
    const std::string text(size, 'y');
    EXPECT_EQ(Value(Bytes(text)).bytes(), text);
    EXPECT_EQ(*Value(text).as<std::string>(), text);
    const auto parsed = Value::parse_json('"' + text + '"');
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, Value(text));
    const auto spaced = Value::parse_json(std::string(300, ' ') + "[1 , 2]");
    EXPECT_EQ(spaced->json_text(), "[1,2]");
  }
}

TEST(Value, EqualityIsByValue) {
  EXPECT_EQ(Value(1), Value(1.0));
  EXPECT_EQ(*Value::parse_json(R"({"a":1,"b":2})"), *Value::parse_json(R"({"b":2.0,"a":1})"));
  EXPECT_FALSE(Value("a") == Value(Bytes("\"a\""sv)));
  for (const Value& a : every_kind()) {
    int equal = 0;
    for (const Value& b : every_kind()) equal += a == b ? 1 : 0;
    EXPECT_EQ(equal, 1);
  }
}

TEST(Value, JsonComesBackFromItsText) {
  constexpr std::uint64_t seed = 50;
  base::Random random(seed);
  value::RandomJson make(random);
  for (int round = 0; round < 1000; ++round) {
    const boost::json::value document = make.document();
    const Value from_value = document;
    const auto from_text = Value::parse_json(make.spelling(document, true));
    ASSERT_TRUE(from_text) << "seed " << seed << " round " << round;
    EXPECT_EQ(from_value, *from_text) << "seed " << seed << " round " << round;
    EXPECT_EQ(*from_text->json(), document) << "seed " << seed << " round " << round;
  }
}

TEST(Value, MalformedJsonTextNamesItsOffset) {
  const auto parsed = Value::parse_json(R"({"a":01})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code(), Errc::invalid_request);
  EXPECT_EQ(parsed.error().message(), "malformed JSON at offset 6: a number with a leading zero");
}

}  // namespace
}  // namespace concord
