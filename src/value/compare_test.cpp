// Goal: two spellings of one value are equal, two values are not. Method: random documents spelled twice, then changed in one
// place; Boost's own equality of decoded values is the reference.
#include "value/compare.hpp"

#include <gtest/gtest.h>

#include <span>

#include "value/cursor.hpp"
#include "value/decode.hpp"
#include "value/equal.hpp"
#include "value/json.hpp"
#include "value/testing_json.hpp"

namespace concord::value {
namespace {

std::string compact(std::string_view text) { return *compact_json(text); }
bool equal(std::string_view a, std::string_view b) { return equal_json(compact(a), compact(b)); }

/// Changes one leaf, or the size of one container, somewhere in `json`.
void change(boost::json::value& json, base::Random& random) {
  if (json.is_array() && !json.get_array().empty() && !random.one_in(4)) {
    return change(json.get_array()[random.below(json.get_array().size())], random);
  }
  if (json.is_object() && !json.get_object().empty() && !random.one_in(4)) {
    auto member = json.get_object().begin() + random.below(json.get_object().size());
    return change(member->value(), random);
  }
  if (json.is_array()) {
    json.get_array().emplace_back(nullptr);
  } else if (json.is_object()) {
    json.get_object()["a name no document draws"] = 1;
  } else {
    json =
        json.is_string() ? boost::json::value("another string no document draws") : boost::json::value("a string now");
  }
}

TEST(Equal, IsByValueWhateverTheSpellingAndOrder) {
  EXPECT_TRUE(equal("1", "1.0"));
  EXPECT_TRUE(equal("100", "1e2"));
  EXPECT_TRUE(equal(R"({"a":1,"b":[{"x":1,"y":2}]})", R"({"b":[{"y":2.0,"x":1}],"a":1.0})"));
  EXPECT_FALSE(equal("9223372036854775807", "9223372036854775808.0"));
  EXPECT_TRUE(equal("9223372036854775808", "9223372036854775808.0"));
  EXPECT_FALSE(equal("[1,2]", "[2,1]"));
  EXPECT_FALSE(equal("1", "\"1\""));
  EXPECT_FALSE(equal("{}", "[]"));
  EXPECT_FALSE(equal("null", "false"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(equal(R"({"b":1,"a":1})", R"({"a":1,"c":1})"));
}

TEST(Equal, TwoSpellingsOfOneDocumentAreEqualAndOneChangeMakesThemDiffer) {
  constexpr std::uint64_t seed = 40;
  base::Random random(seed);
  RandomJson make(random);
  for (int round = 0; round < 3000; ++round) {
    boost::json::value document = make.document(5);
    const std::string a = compact(make.spelling(document));
    const std::string b = compact(make.spelling(document));
    EXPECT_TRUE(equal_json(a, b)) << "seed " << seed << " round " << round << "\n" << a << "\n" << b;
    EXPECT_TRUE(equal_json(b, a)) << "seed " << seed << " round " << round;
    change(document, random);
    const std::string c = compact(make.spelling(document));
    EXPECT_FALSE(equal_json(a, c)) << "seed " << seed << " round " << round << "\n" << a << "\n" << c;
    EXPECT_FALSE(equal_json(c, a)) << "seed " << seed << " round " << round;
  }
}

TEST(Equal, DeepDocumentsInAnotherOrderCostNoMoreThanTheirSize) {
  // 250 levels, the big member on top of each: re-reading it at every level would be 250 times the work.
  const std::string ballast = '"' + std::string(1U << 20U, 'x') + '"';
  std::string a = ballast;
  std::string b = ballast;
  for (int level = 0; level < 250; ++level) {
    std::string wrapped_a = R"({"n":1,"m":)";
    a = std::move(wrapped_a.append(a).append("}"));
    std::string wrapped_b = R"({"m":)";
    b = std::move(wrapped_b.append(b).append(R"(,"n":1.0})"));
  }
  EXPECT_TRUE(equal_json(a, b));
  a[a.find("1")] = '2';
  EXPECT_FALSE(equal_json(a, b));
}

TEST(Equal, BytesEqualOnlyTheSameBytes) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(equal_stored("\1ab"sv, "\1ab"sv));
  EXPECT_FALSE(equal_stored("\1ab"sv, "\1ac"sv));
  EXPECT_FALSE(equal_stored("\0001"sv, "\1001"sv));
  EXPECT_TRUE(
      equal_stored("\0"
                   "1"sv,
                   "\0"
                   "1.0"sv));
  EXPECT_FALSE(
      equal_stored("\1"
                   "1"sv,
                   "\1"
                   "1.0"sv));
}

TEST(Equal, EndsWhateverTheBytes) {
  EXPECT_FALSE(equal_json(R"({"x":1,"y":[]})", R"({"y":{"a":{"^)"));     // a container that is never closed
  EXPECT_FALSE(equal_json(R"({"x":1,"y":[]})", R"({"y":1"],"x":{}})"));  // a quote inside a scalar
  base::Random random(43);
  const auto draw = [&] {
    std::string text(1 + random.below(40), '{');
    for (char& c : std::span(text).subspan(1)) c = "{}[]\",:ab1"[random.below(11)];
    return text;
  };
  for (int round = 0; round < 20000; ++round) {
    const std::string text = draw();
    EXPECT_TRUE(equal_json(text, text));
    (void)equal_json(text, draw());
    (void)equal_json("{\"x\":1," + text.substr(1), "{" + text.substr(1) + ",\"x\":1");
  }
}

TEST(Equal, TakesNoMoreStackThanTheDeepestValueNeeds) {
  const auto nested = [](char open, std::string_view inside) {
    std::string text;
    for (int i = 0; i < 1'000'000; ++i) text.append(1, open).append(open == '{' ? "\"a\":" : "");
    return text.append(inside);
  };
  EXPECT_FALSE(equal_json(nested('[', "1"), nested('[', "2")));
  EXPECT_FALSE(equal_json(nested('{', "1"), nested('{', "2")));
  EXPECT_FALSE(equal_json(R"({"x":1,"y":)" + nested('[', "1"), R"({"y":)" + nested('[', "2")));
  const std::string deepest = std::string(max_json_depth, '[') + "1" + std::string(max_json_depth, ']');
  const std::string deepest_too = std::string(max_json_depth, '[') + "1.0" + std::string(max_json_depth, ']');
  EXPECT_TRUE(equal(deepest, deepest_too));
}

TEST(Compare, EndsOnWhatIsNoNumber) {
  EXPECT_EQ(compare_json("-nan", "-5"), std::partial_ordering::greater);  // taken for -0
  EXPECT_EQ(compare_json("-inf", "-5"), std::partial_ordering::greater);
}

TEST(Compare, OrdersWithinAKindOnly) {
  const auto order = [](std::string_view a, std::string_view b) { return compare_json(compact(a), compact(b)); };
  EXPECT_EQ(order("1", "1.5"), std::partial_ordering::less);
  EXPECT_EQ(order("18446744073709551615", "-1"), std::partial_ordering::greater);
  EXPECT_EQ(order("2", "2.0"), std::partial_ordering::equivalent);
  EXPECT_EQ(order(R"("a")", R"("b")"), std::partial_ordering::less);
  EXPECT_EQ(order(R"("a")", R"("a\n")"), std::partial_ordering::less);
  EXPECT_EQ(order(R"("\n")", R"("A")"), std::partial_ordering::less);  // by text, not by its escaped form
  EXPECT_EQ(order(R"("é")", R"("z")"), std::partial_ordering::greater);
  EXPECT_EQ(order("false", "true"), std::partial_ordering::less);
  EXPECT_EQ(order("null", "null"), std::partial_ordering::equivalent);
  for (const auto& [a, b] :
       {std::pair("1", "\"1\""), {"null", "0"}, {"true", "1"}, {"[1]", "[1]"}, {"{}", "{}"}, {"[1]", "1"}}) {
    EXPECT_EQ(order(a, b), std::partial_ordering::unordered) << a << " " << b;
  }
}

TEST(Cursor, StaysInsideWhateverTheBytes) {
  base::Random random(41);
  for (int round = 0; round < 20000; ++round) {
    std::string text(random.below(30), '\0');
    for (char& c : text) c = "{}[]\",:\\1tn"[random.below(11)];
    Cursor cursor(text);
    std::size_t steps = 0;
    while (!cursor.finished() && ++steps < 100) {
      cursor.open();
      while (cursor.more() && ++steps < 100) {
        (void)cursor.name();
        (void)cursor.skip();
      }
    }
    EXPECT_LE(cursor.offset(), text.size());
    EXPECT_LT(steps, 100U) << "seed 41 round " << round << ": " << text;
  }
}

}  // namespace
}  // namespace concord::value
