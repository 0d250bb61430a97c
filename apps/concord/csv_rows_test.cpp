#include "csv_rows.hpp"

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <concord/value.hpp>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "csv.hpp"
#include "json_text.hpp"
#include "value/json_string.hpp"

namespace concord::app {
namespace {

using testing::HasSubstr;

std::string base64_of(std::string_view bytes) {
  std::string text;
  base::append_base64(text, bytes);
  return text;
}

/// Anything that a form could trip over, and anything else.
std::string random_bytes(base::Random& random) {
  static constexpr std::string_view pieces[] = {"\"",   ",",           "\n",   "\r\n", "\r", " ",  "null",
                                                "42",   "{\"a\":[1]}", "'",    "é",    "\t", "{",  "-1e5",
                                                "true", "\\",          "\xff", "\xc3", "",   "key"};
  std::string bytes;
  for (std::uint64_t left = random.below(6); left > 0; --left) {
    if (random.one_in(4)) {
      bytes += static_cast<char>(random.below(256));
    } else {
      bytes.append(pieces[random.below(std::size(pieces))]);
    }
  }
  return bytes;
}

/// As a listing shows it, and, in the same form, as a load stores it.
struct Stored {
  std::string key_json;  ///< the member
  std::string value_json;
  std::string encoding_json;
  std::string ttl_json;

  [[nodiscard]] std::string row() const {
    return "{" + key_json + "," + value_json + encoding_json + ",\"ttl\":" + (ttl_json.empty() ? "null" : ttl_json) +
           "}";
  }
  [[nodiscard]] std::string operation() const {
    return "{" + key_json + "," + value_json + encoding_json + (ttl_json.empty() ? "" : ",\"ttl\":" + ttl_json) + "}";
  }
};

std::string random_json(base::Random& random) {
  static constexpr std::string_view values[] = {
      "null", "true", "18446744073709551615", "-0.5", "{}", R"({"a,b":["\"",{"c":"d\r\n"}]})", R"([1,"two",null])"};
  if (random.one_in(2)) return std::string(values[random.below(std::size(values))]);
  std::string text;
  do {
    text = random_bytes(random);
  } while (!value::is_utf8(text));
  return *json_string(text);
}

Stored random_stored(base::Random& random) {
  Stored made;
  const std::string key = "k" + random_bytes(random);
  made.key_json = value::is_utf8(key) ? "\"key\":" + *json_string(key) : "\"key_b64\":\"" + base64_of(key) + "\"";
  if (random.one_in(3)) {
    made.value_json = "\"value\":\"" + base64_of(random_bytes(random)) + "\"";
    made.encoding_json = R"(,"encoding":"base64")";
  } else {
    made.value_json = "\"value\":" + random_json(random);
  }
  if (random.one_in(3)) made.ttl_json = std::to_string(1 + random.below(1'000'000));
  return made;
}

TEST(CsvRows, WhatIsWrittenIsReadAsItWas) {
  constexpr std::uint64_t seed = 61;
  base::Random random(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<Stored> all(1 + random.below(8));
    for (Stored& each : all) each = random_stored(random);
    const bool needs_all = std::ranges::any_of(all, [](const Stored& each) { return needs_all_columns(each.row()); });
    const CsvColumns columns = needs_all ? CsvColumns::all : CsvColumns::plain;
    std::string file = csv_heading(columns);
    for (const Stored& each : all) file += csv_row(each.row(), columns);
    std::istringstream input(file);
    CsvReader reader(input);
    ASSERT_TRUE(is_csv_heading(reader.next().value()));
    for (const Stored& each : all) {
      const auto fields = reader.next();
      ASSERT_TRUE(fields) << "seed " << seed << " round " << round << "\n" << file;
      EXPECT_EQ(operation_of(*fields).value_or("none"), each.operation())
          << "seed " << seed << " round " << round << "\n"
          << file;
    }
    EXPECT_EQ(reader.next(), std::nullopt);
  }
}

TEST(CsvRows, AFileOfTextHasThreeColumns) {
  const std::string row = R"({"key":"a","value":"one, two","ttl":null})";
  EXPECT_FALSE(needs_all_columns(row));
  EXPECT_EQ(csv_heading(CsvColumns::plain), "key,value,ttl\n");
  EXPECT_EQ(csv_row(row, CsvColumns::plain), "a,\"one, two\",\n");
}

TEST(CsvRows, BytesAndOtherKeysNeedFive) {
  EXPECT_TRUE(needs_all_columns(R"({"key":"a","value":"AP8=","encoding":"base64","ttl":null})"));
  const std::string row = R"({"key_b64":"/w==","value":"1234","encoding":"base64","ttl":60})";
  EXPECT_TRUE(needs_all_columns(row));
  EXPECT_EQ(csv_heading(CsvColumns::all), "key,value,ttl,encoding,key_b64\n");
  EXPECT_EQ(csv_row(row, CsvColumns::all), ",1234,60,base64,/w==\n");
  EXPECT_EQ(csv_row(R"({"key":"a","value":1,"ttl":null})", CsvColumns::all), "a,1,,,\n");
  EXPECT_EQ(operation_of({"", "1234", "60", "base64", "/w=="}),
            R"({"key_b64":"/w==","value":"1234","encoding":"base64","ttl":60})");
}

TEST(CsvRows, WhatIsNoRowIsNamed) {
  const std::pair<std::vector<std::string>, const char*> refused[] = {
      {{"alone"}, "columns"},
      {{"a", "b", "c", "d", "e", "f"}, "columns"},
      {{"a", "b", "soon"}, "ttl"},
      {{"a", "b", "-1"}, "ttl"},
      {{"a", "b", "", "hex"}, "encoding"},
      {{"a", "b", "", "", "YQ=="}, "both"},
      {{"\xff", "b"}, "UTF-8"},
      {{"a", "\xff"}, "UTF-8"},
  };
  for (const auto& [fields, reason] : refused) {
    const auto operation = operation_of(fields);
    ASSERT_FALSE(operation) << *operation;
    EXPECT_THAT(operation.error(), HasSubstr(reason));
  }
}

}  // namespace
}  // namespace concord::app
