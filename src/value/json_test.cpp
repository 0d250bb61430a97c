// Goal: nothing but strict JSON becomes a stored value, and what does keeps its meaning. Method: a table of refusals with
// their offsets, random documents in random spellings decoded again, and damage at every byte.
#include "value/json.hpp"

#include <gtest/gtest.h>

#include "value/decode.hpp"
#include "value/json_string.hpp"
#include "value/testing_json.hpp"

namespace concord::value {
namespace {

std::string refusal(std::string_view text) {
  std::string to = "kept";
  const auto done = append_compact_json(to, text);
  EXPECT_EQ(to, done ? "kept" + *compact_json(text) : "kept") << text;
  if (done) return "accepted";
  EXPECT_EQ(done.error().code(), Errc::invalid_request);
  return done.error().message();
}

std::string nested(std::size_t depth, std::string_view open, std::string_view inside, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += inside;
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(Json, TextIsKeptWithoutSpaceAndWithNumbersAsWritten) {
  EXPECT_EQ(*compact_json(" {\t\"b\" : [ 1 , 1.0 , -0 , -0.0, 1E+2 , 1e-999 ] ,\n\"a\":{ } , \"c\":[ ] }\r\n"),
            R"({"b":[1,1.0,-0,-0.0,1E+2,1e-999],"a":{},"c":[]})");
  EXPECT_EQ(*compact_json("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(*compact_json("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(*compact_json("18446744073709551615"), "18446744073709551615");
}

TEST(Json, AStringHasOneSpelling) {
  EXPECT_EQ(*compact_json(R"("\u0041\/\u00e9\u20AC\ud83d\ude00\u000a\u001F\u007f\u0022")"),
            "\"A/é€😀\\n\\u001f\x7f\\\"\"");
  EXPECT_EQ(*compact_json("\"A/é€😀\\n\\u001f\x7f\\\"\""), "\"A/é€😀\\n\\u001f\x7f\\\"\"");
}

TEST(Json, WhatIsNotStrictIsRefusedWithOffsetAndReason) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "offset 0: no value"},
      {" \n", "offset 2: no value"},
      {"1 2", "offset 2: text behind the value"},
      {"{}x", "offset 2: text behind the value"},
      {"nul", "offset 0: unknown word"},
      {"NaN", "offset 0: value expected"},
      {"-Infinity", "offset 1: digit expected"},
      {"+1", "offset 0: value expected"},
      {"01", "offset 1: a number with a leading zero"},
      {"-", "offset 1: the text ends inside a value"},
      {"1.", "offset 2: the text ends inside a value"},
      {".5", "offset 0: value expected"},
      {"1.e5", "offset 2: digit expected"},
      {"1e", "offset 2: the text ends inside a value"},
      {"18446744073709551616", "offset 0: an integer beyond 64 bits"},
      {"[-9223372036854775809]", "offset 1: an integer beyond 64 bits"},
      {"1e999", "offset 0: a number beyond the range of a double"},
      {"-1.7976931348623159e308", "offset 0: a number beyond the range of a double"},
      {"\"abc", "offset 0: a string without end"},
      {"\"a\nb\"", "offset 2: a control character in a string"},
      {R"("\x41")", "offset 1: an unknown escape"},
      {R"("\u12g4")", "offset 1: four hexadecimal digits expected"},
      {R"("a\ud800")", "offset 2: half a surrogate pair"},
      {R"("a\udc00")", "offset 2: half a surrogate pair"},
      {R"("\ud800\u0041")", "offset 1: half a surrogate pair"},
      {"\"\xff\"", "offset 1: not UTF-8"},
      {"\"\xc0\x80\"", "offset 1: not UTF-8"},
      {"\"\xed\xa0\x80\"", "offset 1: not UTF-8"},
      {"\"\xf4\x90\x80\x80\"", "offset 1: not UTF-8"},
      {"\"\xe2\x82\"", "offset 1: not UTF-8"},
      {"[1,]", "offset 3: value expected"},
      {"[1", "offset 2: an array without end"},
      {"[1 2]", "offset 3: ',' or ']' expected"},
      {"{\"a\":1,}", "offset 7: member name expected"},
      {"{\"a\" 1}", "offset 5: ':' expected"},
      {"{a:1}", "offset 1: member name expected"},
      {"{\"a\":1", "offset 6: an object without end"},
      {R"({"a":1,"b":{"a":2},"\u0061":3})", "offset 19: a member twice"},
      {"// no\n1", "offset 0: value expected"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(refusal(text), "malformed JSON at " + std::string(expected)) << text;
  }
}

TEST(Json, AMemberTwiceIsFoundAmongMany) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += "\"member" + std::to_string(i * 7 % 1000) + "\":0,";
  EXPECT_EQ(refusal(text + "\"last\":1}"), "accepted");
  const std::string offset = std::to_string(text.size());
  EXPECT_EQ(refusal(text + "\"member500\":1}"), "malformed JSON at offset " + offset + ": a member twice");
}

TEST(Json, DepthEndsAt256) {
  EXPECT_EQ(refusal(nested(256, "[", "1", "]")), "accepted");
  EXPECT_EQ(refusal(nested(256, "{\"a\":", "1", "}")), "accepted");
  EXPECT_EQ(refusal(nested(257, "[", "1", "]")), "malformed JSON at offset 256: nested deeper than 256");
  EXPECT_NE(refusal(nested(257, "{\"a\":", "1", "}")), "accepted");
  EXPECT_NE(refusal(nested(5'000'000, "[", "", "")), "accepted");
  EXPECT_TRUE(decode_json(*compact_json(nested(256, "[", "1", "]"))));
}

TEST(Json, RangeOfADoubleIsDecidedByTheNumberNotByItsExponent) {
  const std::string zeros(400, '0');
  EXPECT_EQ(refusal("0." + zeros + "1e401"), "accepted");
  EXPECT_EQ(refusal("1" + zeros + ".0e-400"), "accepted");
  EXPECT_NE(refusal("1" + zeros + ".0"), "accepted");
  EXPECT_NE(refusal("0." + zeros + "1e999"), "accepted");
  EXPECT_EQ(refusal("0e99999999999999999999"), "accepted");
  EXPECT_EQ(refusal("1e-99999999999999999999"), "accepted");
  EXPECT_NE(refusal("1e99999999999999999999"), "accepted");
}

TEST(Json, EverySpellingOfADocumentDecodesToIt) {
  constexpr std::uint64_t seed = 20;
  base::Random random(seed);
  RandomJson make(random);
  for (int round = 0; round < 3000; ++round) {
    const boost::json::value document = make.document();
    const std::string text = make.spelling(document, true);
    const auto compact = compact_json(text);
    ASSERT_TRUE(compact) << "seed " << seed << " round " << round << ": " << compact.error().message() << "\n" << text;
    EXPECT_LE(compact->size(), text.size());
    EXPECT_EQ(*compact_json(*compact), *compact);  // compaction is done in one go
    const auto decoded = decode_json(*compact);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, document) << "seed " << seed << " round " << round << "\n" << text;
    std::string written;
    ASSERT_TRUE(append_json(written, document));
    EXPECT_EQ(*compact_json(written), written);
    EXPECT_EQ(*decode_json(written), document) << "seed " << seed << " round " << round;
  }
}

TEST(Json, DamagedTextIsRefusedOrIsStillStrict) {
  base::Random random(21);
  RandomJson make(random);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = make.spelling(make.document(3));
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      const std::uint64_t at = random.below(text.size());
      if (random.one_in(3)) {
        text.resize(at + 1);
      } else {
        text[at] = "{}[]\",:\\u0e-\xff\xc3"[random.below(14)];
      }
    }
    const auto compact = compact_json(text);
    if (!compact) {
      ++refused;
      continue;
    }
    EXPECT_EQ(*compact_json(*compact), *compact) << "seed 21 round " << round;
    EXPECT_TRUE(decode_json(*compact));
  }
  EXPECT_GT(refused, 5000);
}

TEST(Json, Utf8IsToldFromOtherBytesAtEveryOffset) {
  for (std::size_t offset = 0; offset < 20; ++offset) {
    const std::string front(offset, 'x');
    EXPECT_TRUE(is_utf8(front + "é€😀\xf4\x8f\xbf\xbf\xee\x80\x80" + front));
    for (const char* bad :
         {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xe2\x82", "\xed\xbf\xbf"}) {
      EXPECT_FALSE(is_utf8(front + bad)) << offset;
      EXPECT_FALSE(is_utf8(front + bad + front + "yyyyyyyyyy")) << offset;
    }
  }
}

TEST(Json, AStringComesBackFromItsJsonForm) {
  base::Random random(22);
  for (int round = 0; round < 5000; ++round) {
    std::string text(random.below(40), '\0');
    for (char& c : text)
      c = random.one_in(4) ? "\"\\\n\t\x1f\x7f"[random.below(6)] : static_cast<char>(random.below(128));
    std::string json;
    append_json_string(json, text);
    EXPECT_EQ(json.size(), json_string_size(text));
    EXPECT_EQ(*compact_json(json), json);
    EXPECT_EQ(unescape(std::string_view(json).substr(1, json.size() - 2)), text);
  }
}

}  // namespace
}  // namespace concord::value
