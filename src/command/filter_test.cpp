// Goal: filter documents mean what filter.hpp says. Method: a table of examples; then random filters over random values,
// against a plain reference here that works on decoded values, one path at a time.
#include "command/filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <concord/value.hpp>

#include "base/random.hpp"
#include "command/limits.hpp"
#include "value/compare.hpp"
#include "value/decode.hpp"
#include "value/equal.hpp"

namespace concord::command {
namespace {

namespace json = boost::json;

std::string fault(std::string_view filter) {
  const auto parsed = Filter::parse(filter);
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code(), Errc::invalid_request);
  return parsed.error().message();
}

bool matches(std::string_view filter, const Value& value) {
  const auto parsed = Filter::parse(filter);
  EXPECT_TRUE(parsed) << filter << ": " << fault(filter);
  return parsed && parsed->matches({.value = value.stored()});
}

struct Example {
  std::string_view filter;
  bool expected;
};

TEST(Filter, ExamplesOverAnObject) {
  const Value value = *Value::parse_json(
      R"({"name":"Ada\n","age":36,"big":18446744073709551615,"zero":0.0,"active":true,"none":null,"empty":{},
          "tags":["red","green",{"x":1}],"address":{"city":"London","geo":{"lat":51.5}},"":7,"m":{"0":"zero"}})");
  const Example examples[] = {
      {"{}", true},
      {R"({"age":36})", true},
      {R"({"age":36.0})", true},
      {R"({"age":"36"})", false},
      {R"({"age":36,"active":false})", false},
      {R"({"age":{"$gt":35,"$lt":37}})", true},
      {R"({"age":{"$gt":36}})", false},
      {R"({"age":{"$gte":36,"$lte":36}})", true},
      {R"({"age":{"$gt":"1"}})", false},
      {R"({"age":{"$lt":"1"}})", false},
      {R"({"age":{"$not":{"$gt":"1"}}})", true},
      {R"({"big":{"$gt":18446744073709551614}})", true},
      {R"({"big":18446744073709551616.0})", false},
      {R"({"zero":-0})", true},
      {R"({"active":{"$gt":false}})", true},
      {R"({"none":null})", true},
      {R"({"none":{"$gte":null}})", true},
      {R"({"none":{"$exists":true}})", true},
      {R"({"absent":null})", false},
      {R"({"absent":{"$exists":false}})", true},
      {R"({"absent":{"$exists":true}})", false},
      {R"({"absent":{"$ne":1}})", true},
      {R"({"absent":{"$nin":[1,null]}})", true},
      {R"({"absent":{"$in":[null]}})", false},
      {R"({"absent":{"$lte":null}})", false},
      {R"({"absent":{"$type":"null"}})", false},
      {R"({"absent":{"$not":{"$eq":1}}})", true},
      {R"({"absent":{"$not":{"$exists":false}}})", false},
      {R"({"absent":{"$nor":[{"$gt":1},5]}})", true},
      {R"({"$not":{"absent":1}})", true},
      {R"({"address.city":"London"})", true},
      {R"({"address.geo.lat":{"$gt":51}})", true},
      {R"({"address.city.x":{"$exists":false}})", true},
      {R"({"address":{"geo":{"lat":51.50},"city":"London"}})", true},
      {R"({"address":{"city":"London"}})", false},
      {R"({"address.city":"London","address":{"$type":"object"},"address.geo":{"$type":"object"}})", true},
      {R"({"tags":"red"})", false},
      {R"({"tags.0":"red"})", true},
      {R"({"tags.2.x":1})", true},
      {R"({"tags.00":"red"})", false},
      {R"({"tags.3":{"$exists":false}})", true},
      {R"({"tags.-1":{"$exists":false}})", true},
      {R"({"m.0":"zero"})", true},
      {R"({"tags":["red","green",{"x":1.0}]})", true},
      {R"({"tags":{"$size":3}})", true},
      {R"({"tags":{"$size":3.0}})", true},
      {R"({"tags":{"$size":2}})", false},
      {R"({"tags":{"$size":4}})", false},
      {R"({"name":{"$size":4}})", false},
      {R"({"":7})", true},
      {R"({"empty":{}})", true},
      {R"({"name":{"$regex":"^A.a$"}})", false},
      {R"({"name":{"$regex":"^A.a\\n$"}})", true},
      {R"({"name":{"$regex":"da"}})", true},
      {R"({"age":{"$regex":"36"}})", false},
      {R"({"\u006eame":{"$eq":"\u0041da\u000a"}})", true},
      {R"({"name":{"$gt":"Ada"}})", true},
      {R"({"name":{"$lt":"Ada "}})", true},
      {R"({"age":{"$in":[1,36.0]}})", true},
      {R"({"age":{"$in":[]}})", false},
      {R"({"age":{"$nin":[36]}})", false},
      {R"({"age":{"$or":[{"$lt":10},{"$gt":30}]}})", true},
      {R"({"age":{"$and":[{"$gt":10},36]}})", true},
      {R"({"age":{"$or":[1,2]}})", false},
      {R"({"$or":[{"age":1},{"active":true}]})", true},
      {R"({"$and":[{"age":36},{"active":false}]})", false},
      {R"({"$nor":[{"age":1},{"active":false}]})", true},
      {R"({"$nor":[{"age":36}]})", false},
      {R"({"$value":{"$type":"object"}})", true},
      {R"({"$value.address.city":"London"})", true},
      {R"({"$value":{"age":36}})", false},
      {R"({"none":{"$type":"null"},"active":{"$type":"boolean"},"age":{"$type":"number"},"name":{"$type":"string"},
           "tags":{"$type":"array"},"empty":{"$type":"object"}})",
       true},
      {R"({"active":{"$type":"bool"}})", true},
      {R"({"address":{"$eq":{"$city":1}}})", false},
  };
  for (const Example& example : examples) EXPECT_EQ(matches(example.filter, value), example.expected) << example.filter;
}

TEST(Filter, ValuesThatAreNoObject) {
  EXPECT_TRUE(matches(R"({"$value":{"$gt":4}})", 5));
  EXPECT_TRUE(matches(R"({"$value":5.0})", 5));
  EXPECT_TRUE(matches(R"({"a":{"$exists":false}})", 5));
  EXPECT_TRUE(matches(R"({"1":"b"})", *Value::parse_json(R"(["a","b"])")));
  const std::string text("\x00{", 2);
  const Value bytes = Bytes(text);
  EXPECT_TRUE(matches(R"({"$value":{"$type":"bytes"}})", bytes));
  EXPECT_TRUE(matches(R"({"$value":{"$exists":true}})", bytes));
  EXPECT_TRUE(matches(R"({"$value":{"$ne":"x"}})", bytes));
  EXPECT_FALSE(matches(R"({"$value":{"$eq":"x"}})", bytes));
  EXPECT_FALSE(matches(R"({"$value":{"$regex":""}})", bytes));
  EXPECT_FALSE(matches(R"({"$value":{"$gte":""}})", bytes));
  EXPECT_FALSE(matches(R"({"a":{"$exists":true}})", bytes));
}

TEST(Filter, KeyTtlAndRevisionAreSeen) {
  const Value value = 1;
  FilterSubject subject{.value = value.stored(), .key = "user:\"7\"", .ttl_s = 60, .revision = Revision(1ULL << 63U)};
  const auto holds = [&](std::string_view filter) { return Filter::parse(filter).value().matches(subject); };
  EXPECT_TRUE(holds(R"({"$key":"user:\"7\""})"));
  EXPECT_TRUE(
      holds(R"({"$key":{"$regex":"^user:\"[0-9]\"$"},"$ttl":{"$gte":60},"$revision":9223372036854775808,"$value":1})"));
  EXPECT_FALSE(holds(R"({"$ttl":null})"));
  EXPECT_TRUE(holds(R"({"$or":[{"$key":"x"},{"$not":{"$ttl":{"$gt":60}}}]})"));
  subject.ttl_s.reset();
  EXPECT_TRUE(holds(R"({"$ttl":null})"));
  EXPECT_FALSE(holds(R"({"$ttl":{"$gte":0}})"));
  subject.key = "\xff";
  EXPECT_TRUE(holds(R"({"$key":{"$type":"bytes"}})"));
}

TEST(Filter, WhatIsWrongIsNamed) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"[]", "filter: the filter must be an object"},
      {"5", "filter: the filter must be an object"},
      {"{", "filter: malformed JSON at offset 1: an object without end"},
      {R"({"a":1,"a":2})", "filter: malformed JSON at offset 7: a member twice"},
      {R"({"$foo":1})", "filter: unknown operator '$foo'"},
      {R"({"a":{"$near":1}})", "filter: unknown operator '$near'"},
      {R"({"a":{"$value":1}})", "filter: unknown operator '$value'"},
      {R"({"$eq":1})", "filter: unknown operator '$eq'"},
      {R"({"a":{"$gt":1,"b":2}})", "filter: operators and members in one object: {\"$gt\":1,\"b\":2}"},
      {R"({"a":{"$gt":[1]}})", "filter: $gt takes a number, a string, a boolean or null"},
      {R"({"a":{"$in":1}})", "filter: $in takes an array of values"},
      {R"({"a":{"$exists":1}})", "filter: $exists takes true or false"},
      {R"({"a":{"$type":"int"}})",
       "filter: $type takes one of null, bool, boolean, number, string, array, object, bytes"},
      {R"({"a":{"$size":-1}})", "filter: $size takes a whole number from 0"},
      {R"({"a":{"$size":1.5}})", "filter: $size takes a whole number from 0"},
      {R"({"a":{"$regex":5}})", "filter: $regex takes a string"},
      {R"({"$and":[]})", "filter: $and takes an array of at least one filter"},
      {R"({"$or":{}})", "filter: $or takes an array of at least one filter"},
      {R"({"$or":[1]})", "filter: $or must be an object"},
      {R"({"$not":[]})", "filter: $not must be an object"},
  };
  for (const auto& [filter, expected] : cases) EXPECT_EQ(fault(filter), expected);
  EXPECT_TRUE(fault(R"({"a":{"$regex":"a("}})").starts_with("filter: $regex: not a regular expression: a("));
}

TEST(Filter, SizeDepthAndPatternsAreBounded) {
  const auto nested = [](int depth) {
    std::string text = "1";
    for (int i = 0; i < depth; ++i) text = R"({"a":)" + text + "}";
    return text;
  };
  EXPECT_EQ(fault(nested(32)), "accepted");
  EXPECT_EQ(fault(nested(33)), "the filter is nested 33 deep, at most 32 are allowed");
  EXPECT_EQ(fault(R"({"a":"}]}]"})"), "accepted");
  const auto sized = [](std::size_t size) { return R"({"a":")" + std::string(size - 8, 'x') + "\"}"; };
  EXPECT_EQ(fault(sized(max_filter_bytes)), "accepted");
  EXPECT_EQ(fault(sized(max_filter_bytes + 1)), "the filter has 16385 bytes, at most 16384 are allowed");
  const auto patterns = [](std::size_t count) {
    std::string text = R"({"$or":[)";
    for (std::size_t i = 0; i < count; ++i) text += std::string(i == 0 ? "" : ",") + R"({"a":{"$regex":"x"}})";
    return text + "]}";
  };
  EXPECT_EQ(fault(patterns(max_filter_patterns)), "accepted");
  EXPECT_EQ(fault(patterns(max_filter_patterns + 1)), "filter: more than 32 patterns in one filter");
}

// The reference: decoded values, recursion, no compilation.

const json::value* find(const json::value& value, std::string_view path) {
  const json::value* at = &value;
  for (bool more = true; more && at != nullptr;) {
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    more = dot != std::string_view::npos;
    if (more) path.remove_prefix(dot + 1);
    if (const json::object* object = at->if_object()) {
      at = object->if_contains(name);
    } else if (const json::array* array = at->if_array()) {
      const bool is_index = name.size() == 1 && name[0] >= '0' && name[0] <= '9';
      at = is_index ? array->if_contains(static_cast<std::size_t>(name[0] - '0')) : nullptr;
    } else {
      at = nullptr;
    }
  }
  return at;
}

std::string text_of(const json::value& value) {
  std::string text;
  EXPECT_TRUE(value::append_json(text, value));
  return text;
}

std::string type_of(const json::value& value) {
  if (value.is_number()) return "number";
  if (value.is_bool()) return "bool";
  if (value.is_string()) return "string";
  if (value.is_array()) return "array";
  return value.is_object() ? "object" : "null";
}

bool reference_predicate(const json::value& predicate, const json::value* seen);

bool reference_operator(std::string_view name, const json::value& operand, const json::value* seen) {
  const auto equal = [&](const json::value& other) {
    return seen != nullptr && value::equal_json(text_of(*seen), text_of(other));
  };
  const auto order = [&] {
    return seen == nullptr ? std::partial_ordering::unordered : value::compare_json(text_of(*seen), text_of(operand));
  };
  const auto each = [&](const json::value& item) { return reference_predicate(item, seen); };
  if (name == "$eq") return equal(operand);
  if (name == "$ne") return !equal(operand);
  if (name == "$gt") return order() > 0;
  if (name == "$gte") return order() >= 0;
  if (name == "$lt") return order() < 0;
  if (name == "$lte") return order() <= 0;
  if (name == "$in") return std::ranges::any_of(operand.as_array(), equal);
  if (name == "$nin") return std::ranges::none_of(operand.as_array(), equal);
  if (name == "$exists") return operand.as_bool() == (seen != nullptr);
  if (name == "$type") return seen != nullptr && type_of(*seen) == operand.as_string();
  if (name == "$size")
    return seen != nullptr && seen->is_array() && seen->get_array().size() == operand.to_number<std::size_t>();
  if (name == "$regex")
    return seen != nullptr && seen->is_string() && seen->get_string().find(operand.as_string()) != json::string::npos;
  if (name == "$and") return std::ranges::all_of(operand.as_array(), each);
  if (name == "$or") return std::ranges::any_of(operand.as_array(), each);
  if (name == "$nor") return std::ranges::none_of(operand.as_array(), each);
  return !reference_predicate(operand, seen);  // $not
}

bool reference_predicate(const json::value& predicate, const json::value* seen) {
  const json::object* object = predicate.if_object();
  if (object == nullptr || object->empty() || object->begin()->key()[0] != '$') {
    return reference_operator("$eq", predicate, seen);
  }
  return std::ranges::all_of(
      *object, [&](const auto& member) { return reference_operator(member.key(), member.value(), seen); });
}

bool reference_document(const json::value& document, const json::value& value) {
  const auto each = [&](const json::value& item) { return reference_document(item, value); };
  return std::ranges::all_of(document.as_object(), [&](const auto& member) {
    const std::string_view name = member.key();
    if (name == "$and") return std::ranges::all_of(member.value().as_array(), each);
    if (name == "$or") return std::ranges::any_of(member.value().as_array(), each);
    if (name == "$nor") return std::ranges::none_of(member.value().as_array(), each);
    if (name == "$not") return !reference_document(member.value(), value);
    if (name == "$value") return reference_predicate(member.value(), &value);
    return reference_predicate(member.value(), find(value, name));
  });
}

/// Draws values and filters over few names and few scalars, so that they often meet.
class Draw {
 public:
  explicit Draw(base::Random& random) : random_(random) {}

  json::value value(int depth) {
    switch (random_.below(depth > 0 ? 4 : 2)) {
      case 0:
      case 1: return scalar();
      case 2: {
        json::array items;
        for (std::uint64_t n = random_.below(4); n > 0; --n) items.push_back(value(depth - 1));
        return items;
      }
      default: {
        json::object members;
        for (std::uint64_t n = random_.below(5); n > 0; --n) members[name()] = value(depth - 1);
        return members;
      }
    }
  }

  json::value document(int depth) {
    json::object members;
    for (std::uint64_t n = random_.below(3) + (random_.one_in(8) ? 0 : 1); n > 0; --n) {
      if (depth > 0 && random_.one_in(3)) {
        const std::string_view group = pick({"$and", "$or", "$nor", "$not"});
        if (group == "$not") {
          members[group] = document(depth - 1);
        } else {
          members[group] = list([&] { return document(depth - 1); });
        }
      } else {
        members[random_.one_in(6) ? "$value" : path()] = predicate(depth);
      }
    }
    return members;
  }

 private:
  std::string_view pick(std::initializer_list<std::string_view> choices) {
    return choices.begin()[random_.below(choices.size())];
  }
  std::string_view name() { return pick({"a", "b", "c", "0", "1", ""}); }
  json::value scalar() {
    switch (random_.below(6)) {
      case 0: return nullptr;
      case 1: return random_.one_in(2);
      case 2: return static_cast<double>(random_.below(4)) / 2;
      case 3: return json::value(pick({"x", "y", "xy", "a\n"}));
      default: return random_.below(3);
    }
  }
  std::string path() {
    std::string path(name());
    while (random_.one_in(2)) (path += '.') += name();
    return path;
  }
  json::value list(auto draw) {
    json::array items;
    for (std::uint64_t n = 1 + random_.below(3); n > 0; --n) items.push_back(draw());
    return items;
  }
  json::value predicate(int depth) {
    if (random_.one_in(4)) return value(2);
    json::object operators;
    for (std::uint64_t n = 1 + random_.below(2); n > 0; --n) {
      const std::string_view name = pick({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$type",
                                          "$regex", "$size", "$and", "$or", "$nor", "$not"});
      operators[name] = operand(name, depth);
    }
    return operators;
  }
  json::value operand(std::string_view name, int depth) {
    if (name == "$eq" || name == "$ne") return value(2);
    if (name == "$in" || name == "$nin") return list([&] { return value(1); });
    if (name == "$exists") return random_.one_in(2);
    if (name == "$type") return json::value(pick({"null", "bool", "number", "string", "array", "object"}));
    if (name == "$regex") return json::value(pick({"x", "y", "xy", "\n", ""}));
    if (name == "$size") return random_.below(3);
    if (name == "$not") return depth > 0 ? predicate(depth - 1) : scalar();
    if (name == "$and" || name == "$or" || name == "$nor") {
      return list([&] { return depth > 0 ? predicate(depth - 1) : scalar(); });
    }
    return scalar();
  }

  base::Random& random_;
};

TEST(Filter, AgreesWithAPlainReference) {
  constexpr std::uint64_t seed = 80;
  base::Random random(seed);
  Draw draw(random);
  int matched = 0;
  constexpr int rounds = 20000;
  for (int round = 0; round < rounds; ++round) {
    const json::value value = draw.value(3);
    const json::value document = draw.document(3);
    const auto filter = Filter::parse(text_of(document));
    ASSERT_TRUE(filter) << "seed " << seed << " round " << round << ": " << filter.error().message();
    const bool expected = reference_document(document, value);
    ASSERT_EQ(filter->matches({.value = Value(value).stored()}), expected)
        << "seed " << seed << " round " << round << "\n"
        << text_of(document) << "\n"
        << text_of(value);
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, rounds / 10);
  EXPECT_LT(matched, rounds - rounds / 10);
}

}  // namespace
}  // namespace concord::command
