// JSON text: what is read is kept, whatever way it goes; what is not JSON is walked without leaving it.
// Input: two texts, one a line; the second may be empty.
#include <compare>
#include <concord/value.hpp>

#include "base/check.hpp"
#include "input.hpp"
#include "target.hpp"
#include "value/compare.hpp"
#include "value/cursor.hpp"
#include "value/equal.hpp"
#include "value/json_string.hpp"

namespace concord::fuzz {
namespace {

using value::Cursor;
using value::JsonKind;

void check_inside(std::string_view text, std::string_view part) {
  CONCORD_CHECK(part.empty() || (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size()),
                "a cursor stays inside its text");
}

/// A walk into every container, as a recursive reader does it. Each turn steps on, so there are at most as many as bytes,
/// and once more for each container's end.
void walk_everything(std::string_view text) {
  Cursor cursor(text);
  std::vector<JsonKind> open;
  std::size_t turns = 0;
  const auto enter_or_skip = [&] {
    const JsonKind kind = cursor.kind();
    if (kind != JsonKind::array && kind != JsonKind::object) return check_inside(text, cursor.skip());
    open.push_back(kind);
    cursor.open();
  };
  for (enter_or_skip(); !open.empty();) {
    CONCORD_CHECK(++turns <= 2 * text.size() + 2, "every walk ends");
    if (!cursor.more()) {
      open.pop_back();
      continue;
    }
    if (open.back() == JsonKind::object) check_inside(text, cursor.name());
    enter_or_skip();
  }
  CONCORD_CHECK(cursor.offset() <= text.size(), "a cursor stays inside its text");
}

void check_conversions(const Value& value) {
  const auto decoded = value.json();
  CONCORD_CHECK(decoded.has_value(), "what was read can be decoded");
  const Value again(*decoded);
  CONCORD_CHECK(again.valid() && again == value && value == again, "decoding and encoding keep the value");
  if (const auto number = value.as<std::int64_t>()) CONCORD_CHECK(Value(*number) == value, "an integer is exact");
  if (const auto number = value.as<std::uint64_t>()) CONCORD_CHECK(Value(*number) == value, "an integer is exact");
  if (const auto text = value.as<std::string>()) {
    CONCORD_CHECK(Value(*text).stored() == value.stored(), "a string has one spelling");
  }
  if (const auto number = value.as<double>(); number && value.json_text().find_first_of(".eE") != std::string::npos) {
    CONCORD_CHECK(Value(*number) == value, "a double is the nearest to what was written");
  }
}

void check_parsed(std::string_view text, const Value& value) {
  const std::string_view stored = value.json_text();
  CONCORD_CHECK(value.is_json() && stored.size() <= text.size(), "stored text is never longer than what was read");
  const auto again = Value::parse_json(stored);
  CONCORD_CHECK(again && again->json_text() == stored, "reading stored text gives the same text");
  CONCORD_CHECK(*again == value && value == value, "a value equals itself");
  Cursor cursor(stored);
  CONCORD_CHECK(cursor.skip() == stored && cursor.finished(), "a cursor steps over the whole");
  check_conversions(value);
}

/// Equality and order are asked of text that may mean anything: values in the log are not read again before they are compared.
void check_pair(std::string_view a, std::string_view b, bool both_stored) {
  const bool equal = value::equal_json(a, b);
  const std::partial_ordering order = value::compare_json(a, b);
  CONCORD_CHECK(value::equal_json(a, a), "everything equals itself");
  if (!both_stored) return;
  CONCORD_CHECK(equal == value::equal_json(b, a), "equality has no direction");
  CONCORD_CHECK(order == 0 <=> value::compare_json(b, a), "order turns round with its sides");
  const JsonKind kind = value::kind_of(a);
  const bool ordered = kind == value::kind_of(b) && kind != JsonKind::array && kind != JsonKind::object;
  CONCORD_CHECK(ordered == (order != std::partial_ordering::unordered), "scalars of a kind are ordered, nothing else");
  if (ordered) CONCORD_CHECK(equal == (order == 0), "order and equality agree");
}

void check_string(std::string_view text) {
  const Value value(text);
  CONCORD_CHECK(value.valid() == value::is_utf8(text), "a string is valid when it is UTF-8");
  if (!value.valid()) return;
  CONCORD_CHECK(value.as<std::string>() == text, "a string comes back");
  CONCORD_CHECK(value.json_text().size() == value::json_string_size(text), "the size is foreseen");
  const auto parsed = Value::parse_json(value.json_text());
  CONCORD_CHECK(parsed && parsed->stored() == value.stored(), "a written string is in stored form");
}

}  // namespace

void run(std::string_view input) {
  const auto [first, second] = split_line(input);
  check_string(input);
  (void)value::unescape(input);
  walk_everything(input);
  walk_everything(first);
  const auto whole = Value::parse_json(input);
  if (whole) check_parsed(input, *whole);
  const auto a = Value::parse_json(first);
  const auto b = Value::parse_json(second);
  if (a) check_parsed(first, *a);
  if (b) check_parsed(second, *b);
  check_pair(first, second, false);
  if (a && b) check_pair(a->json_text(), b->json_text(), true);
}

std::vector<std::string> seeds() {
  return {"null",
          "true\nfalse",
          "-12\n-12.0",
          "18446744073709551615\n1.8446744073709552e19",
          "9007199254740993\n9007199254740992.0",
          "5e-324\n1E400",
          "0.1\n1e-1",
          R"("a\u00e9\ud83d\ude00\n\u0001")"
          "\n\"a\xc3\xa9\"",
          R"([1,[2,{"a":[]}],"]"])"
          "\n[1]",
          R"({"a":1,"b":{"c":[1,2],"d":{}}})"
          "\n"
          R"({"b":{"d":{},"c":[1.0,2e0]},"a":1})",
          R"({"a":[[[[]]]],"a\"b":"}"})"
          "\n{}",
          " { \"a\" : [ 1 , 2 ] } \n\t[ ]",
          "[[[[[[[[\n{{{{",
          "{\"a\":1,\"a\":2}\n\"\\ud800\""};
}

}  // namespace concord::fuzz
