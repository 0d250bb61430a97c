#include "import/element_reader.hpp"

#include <cstdint>
#include <istream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const ElementSettings lines = {.form = ElementForm::lines, .of_what = "lines"};
const ElementSettings list = {.form = ElementForm::list, .of_what = "a list"};
const ElementSettings member = {
    .form = ElementForm::member, .list_name = "kvs", .proof_name = "header", .of_what = "an object with kvs"};

struct Outcome {
  std::vector<std::string> elements = {};
  std::vector<InputPlace> places = {};
  InputPlace problem_place = {};
  std::string problem = {};
};

Outcome read(std::istream& input, const ElementSettings& settings) {
  Outcome outcome;
  ElementReader reader(input, settings);
  while (true) {
    auto element = reader.next();
    if (!element) {
      outcome.problem_place = element.error().place;
      outcome.problem = element.error().message;
      return outcome;
    }
    if (!*element) return outcome;
    outcome.places.push_back((*element)->place);
    outcome.elements.push_back(std::move((*element)->json));
  }
}

Outcome read(const std::string& text, const ElementSettings& settings) {
  std::istringstream input(text);
  return read(input, settings);
}

TEST(ElementReader, GivesTheItemsOfEachFormInStoredForm) {
  EXPECT_THAT(read(" {\"a\" : 1}\n[1, 2]\r\n\n\"x\" 7", lines).elements,
              ElementsAre(R"({"a":1})", "[1,2]", "\"x\"", "7"));
  EXPECT_THAT(read("[ {\"a\":\"]}\\\"\"} , 2 ,[ ] ]\n[3]", list).elements,
              ElementsAre(R"({"a":"]}\""})", "2", "[]", "3"));
  EXPECT_THAT(read(R"({"header":{"kvs":[0]},"kvs":[1,{"kvs":[2]}],"count":2} {"kvs":[3]})", member).elements,
              ElementsAre("1", R"({"kvs":[2]})", "3"));
}

TEST(ElementReader, AListMayBeEmptyMissingOrNull) {
  for (const std::string text : {R"({"header":{}})", R"({"kvs":null})", R"({"kvs":[]})", R"({"header":1,"kvs":[ ]})"}) {
    const Outcome outcome = read(text, member);
    EXPECT_THAT(outcome.elements, IsEmpty());
    EXPECT_EQ(outcome.problem, "") << text;
  }
  EXPECT_EQ(read("[]", list).problem, "");
  EXPECT_EQ(read("", lines).problem, "");
  EXPECT_THAT(read("", list).problem, HasSubstr("empty"));
  EXPECT_THAT(read(" \n", member).problem, HasSubstr("empty"));
}

TEST(ElementReader, TellsTheOtherMembers) {
  std::vector<std::pair<std::string, std::string>> told;
  ElementSettings settings = member;
  settings.on_member = [&told](std::string_view name, std::string_view json) { told.emplace_back(name, json); };
  read(R"({"header":{"a" : 1},"kvs":[1],"mor\u0065":true})", settings);
  EXPECT_THAT(told, ElementsAre(std::pair("header", R"({"a":1})"), std::pair("more", "true")));
}

TEST(ElementReader, WhereAnEntryBeginsIsCountedInLinesAndBytes) {
  const Outcome outcome = read("[\"\xc3\xa9\", 2,\n  3]", list);
  ASSERT_EQ(outcome.places.size(), 3U);
  EXPECT_EQ(outcome.places[1].text(), "line 1, column 8, entry 2");
  EXPECT_EQ(outcome.places[2].text(), "line 2, column 3, entry 3");
}

struct Refused {
  const ElementSettings& settings;
  std::string text;
  std::string message;
  std::string place;
};

TEST(ElementReader, WhatIsWrongIsNamedWithItsPlace) {
  const Refused cases[] = {
      {lines, "{\"a\":1}\n{\"a\":1,}", "offset 7: member name expected", "line 2, column 1, entry 2"},
      {lines, "1\n}", "an entry expected", "line 2, column 1, entry 2"},
      {lines, "{\"a\":1,\"a\":2}", "a member twice", "line 1, column 1, entry 1"},
      {lines, "\xff\xfe{", "UTF-16", "line 1, column 1"},
      {lines, "\x1f\x8b\b", "compressed", "line 1, column 1"},
      {list, "{}", "not a list", "line 1, column 1"},
      {list, "[1 2]", "',' or ']' expected", "line 1, column 4"},
      {list, "[1,]", "an entry expected", "line 1, column 4, entry 2"},
      {list, "[1,2", "the input ends here, within a list", "line 1, column 5"},
      {list, "[1,{\"a\":[", "within this entry", "line 1, column 4, entry 2"},
      {list, "[1] x", "not a list", "line 1, column 5"},
      {member, "[]", "not an object with kvs", "line 1, column 1"},
      {member, "{}", "there is no \"kvs\"", "line 1, column 2"},
      {member, "{\"kvs\":7}", "\"kvs\" is not an array", "line 1, column 8"},
      {member, "{\"kvs\":[],\"kvs\":[]}", "a second time", "line 1, column 17"},
      {member, "{\"kvs\":[]", "ends here", "line 1, column 10"},
      {member, "{\"kvs\":[] \"a\":1}", "',' or '}' expected", "line 1, column 11"},
      {member, "{\"kvs\" []}", "':' expected", "line 1, column 8"},
      {member, "{kvs:[]}", "member name expected", "line 1, column 2"},
      {member, "{\"a\":tru}", "unknown word", "line 1, column 6"},
  };
  for (const Refused& each : cases) {
    const Outcome outcome = read(each.text, each.settings);
    EXPECT_THAT(outcome.problem, HasSubstr(each.message)) << each.text;
    EXPECT_EQ(outcome.problem_place.text(), each.place) << each.text;
  }
}

TEST(ElementReader, AByteOrderMarkIsPassedOver) {
  EXPECT_THAT(read("\xef\xbb\xbf[1]", list).elements, ElementsAre("1"));
}

TEST(ElementReader, AnEntryWithoutEndIsRefusedBeforeItFillsTheMemory) {
  ElementSettings small = lines;
  small.max_element_bytes = 1000;
  EXPECT_EQ(read("\"" + std::string(998, 'x') + "\"", small).elements.size(), 1U);
  const Outcome outcome = read("1 \"" + std::string(1'000'000, 'x') + "\"", small);
  EXPECT_THAT(outcome.elements, ElementsAre("1"));
  EXPECT_THAT(outcome.problem, HasSubstr("without an end"));
  EXPECT_EQ(outcome.problem_place.text(), "line 1, column 3, entry 2");
}

std::string random_json(base::Random& random, int depth) {
  static const std::string scalars[] = {
      "null", "true", "-1.5e3", "18446744073709551615", "\"\"", R"("\\\"]},[{")", "\"\xc3\xa9\\u00e9\""};
  if (depth == 0 || random.one_in(3)) return scalars[random.below(std::size(scalars))];
  const bool is_array = random.one_in(2);
  std::string text = is_array ? "[" : "{";
  for (std::uint64_t i = 0, count = random.below(4); i < count; ++i) {
    if (i > 0) text += " ,\n";
    if (!is_array) text += "\"m" + std::to_string(i) + "\" : ";
    text += random_json(random, depth - 1);
  }
  return text + (is_array ? " ]" : "}");
}

TEST(ElementReader, AnyDocumentCutAnywhereGivesItsWholeItemsAndAProblem) {
  constexpr std::uint64_t seed = 71;
  base::Random random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> items;
    std::string text = R"({"header":{"a":[]} , "kvs" : [)";
    std::vector<std::size_t> ends;
    for (std::uint64_t i = 0, count = random.below(6); i < count; ++i) {
      if (i > 0) text += ", ";
      const std::string item = "{\"i\":" + random_json(random, 4) + "}";
      text += item;
      items.push_back(*value::compact_json(item));
      ends.push_back(text.size());
    }
    text += "],\"more\":false}";
    ElementSettings settings = member;
    settings.buffer_bytes = 4 + random.below(64);  // whatever lies at the end of one
    EXPECT_EQ(read(text, settings).elements, items);
    EXPECT_EQ(read(text, settings).problem, "");
    const std::size_t cut = random.below(text.size());
    const Outcome outcome = read(text.substr(0, cut), settings);
    std::size_t whole = 0;
    while (whole < ends.size() && ends[whole] <= cut) ++whole;
    EXPECT_EQ(outcome.elements, std::vector(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(whole)));
    EXPECT_NE(outcome.problem, "") << "cut at " << cut << " of " << text;
  }
}

}  // namespace
}  // namespace concord::app
