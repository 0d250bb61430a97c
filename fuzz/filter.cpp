// Filter documents: any text is read or refused, what was read answers about any value, and $not, $and and their like mean
// what logic says. Input: the document, the key, and the value, one a line; a value that begins with '!' is bytes.
#include "command/filter.hpp"

#include <concord/value.hpp>

#include "base/check.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using command::Filter;
using command::FilterSubject;

/// Text that is no JSON stays as it is: a value of the log is not read again before a filter looks at it.
std::string stored_form(std::string_view text) {
  if (text.starts_with('!')) return std::string(Value(Bytes(text.substr(1))).stored());
  if (const auto value = Value::parse_json(text)) return std::string(value->stored());
  return std::string(1, static_cast<char>(Value::json_tag)).append(text);
}

/// A document around `document`, asked about the same subject; nothing when it is too long, too deep or has too many
/// patterns for a filter.
std::optional<bool> asked(const std::string& document, const FilterSubject& subject) {
  const auto filter = Filter::parse(document);
  if (!filter) return std::nullopt;
  return filter->matches(subject);
}

void expect(const std::optional<bool>& answer, bool expected) {
  CONCORD_CHECK(!answer || *answer == expected, "a filter means what logic says");
}

void check_logic(const std::string& document, const FilterSubject& subject, bool matches) {
  expect(asked("{\"$not\":" + document + "}", subject), !matches);
  expect(asked("{\"$nor\":[" + document + "]}", subject), !matches);
  expect(asked("{\"$and\":[" + document + "]}", subject), matches);
  expect(asked("{\"$and\":[{}," + document + "]}", subject), matches);
  expect(asked("{\"$or\":[" + document + "]}", subject), matches);
  expect(asked("{\"$or\":[" + document + ",{\"$not\":{}}]}", subject), matches);
  expect(asked("{\"$or\":[" + document + ",{\"$not\":" + document + "}]}", subject), true);
  expect(asked("{\"$and\":[" + document + ",{\"$not\":" + document + "}]}", subject), false);
}

}  // namespace

void run(std::string_view input) {
  const auto [document, behind] = split_line(input);
  const auto [key, value_text] = split_line(behind);
  const auto filter = Filter::parse(document);
  if (!filter) {
    CONCORD_CHECK(filter.error().code() == Errc::invalid_request, "a document is refused as the caller's mistake");
    return;
  }
  const std::string stored = stored_form(value_text);
  FilterSubject subject{.value = stored, .key = key, .ttl_s = std::nullopt, .revision = Revision(key.size())};
  if (key.starts_with('t')) subject.ttl_s = key.size() - 1;
  const bool matches = filter->matches(subject);
  CONCORD_CHECK(filter->matches(subject) == matches, "asked twice, a filter answers the same");
  const auto again = Filter::parse(document);
  CONCORD_CHECK(again && again->matches(subject) == matches, "read twice, a filter answers the same");
  check_logic(std::string(document), subject, matches);
}

std::vector<std::string> seeds() {
  return {
      "{}\nkey\nnull",
      R"({"a":1})"
      "\nkey\n"
      R"({"a":1.0})",
      R"({"a.b":{"$gt":1,"$lte":9},"a.c.0":"x"})"
      "\nkey\n"
      R"({"a":{"b":5,"c":["x"]}})",
      R"({"$or":[{"a":{"$exists":false}},{"a":{"$type":"string"}}]})"
      "\nkey\n"
      R"({"b":[1,2,{"a":null}]})",
      R"({"$nor":[{"$value":{"$regex":"^a.*z$"}},{"tags":{"$size":2}}]})"
      "\nkey\n\"a\\nz\"",
      R"({"$value":{"$in":[1,"a",null,[1],{"b":1}]}})"
      "\nkey\n[1]",
      R"({"$value":{"$nin":[true],"$ne":"a"}})"
      "\n\xff\xfe\ntrue",
      R"({"$key":{"$regex":"k"},"$ttl":{"$gte":0},"$revision":{"$lt":10}})"
      "\ntk\n1",
      R"({"$not":{"$value":{"$type":"bytes"}}})"
      "\nkey\n!\x01\x02",
      R"({"a":{"$and":[{"$gt":1},{"$or":[{"$lt":5},{"$not":{"$eq":7}}]}]}})"
      "\nkey\n"
      R"({"a":3})",
      R"({"$value.a.b":{"x":1,"y":[]}})"
      "\nkey\n"
      R"({"a":{"b":{"y":[],"x":1e0}}})",
  };
}

}  // namespace concord::fuzz
