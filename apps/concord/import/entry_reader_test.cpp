#include "import/entry_reader.hpp"

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "value/cursor.hpp"
#include "value/json_string.hpp"

namespace concord::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string base64_of(std::string_view bytes) {
  std::string text;
  base::append_base64(text, bytes);
  return text;
}

struct Outcome {
  std::vector<Entry> entries = {};
  std::vector<std::string> problems = {};
  bool is_cut_short = false;
};

Outcome read(const std::string& text, const ImportSettings& settings) {
  std::istringstream input(text);
  EntryReader reader(input, settings);
  Outcome outcome;
  while (true) {
    auto entry = reader.next();
    if (!entry) {
      outcome.problems.push_back(entry.error().problem.place.text() + ": " + entry.error().problem.message);
      if (entry.error().is_final) return outcome;
    } else if (!*entry) {
      outcome.is_cut_short = reader.is_cut_short();
      return outcome;
    } else {
      outcome.entries.push_back(std::move(**entry));
    }
  }
}

/// An entry in a line: key=value, with a b in front of a value that is bytes, and what else there is to say.
std::vector<std::string> shown(const std::vector<Entry>& entries) {
  std::vector<std::string> lines;
  for (const Entry& entry : entries) {
    std::string line = entry.key + "=" + (entry.is_bytes ? "b" : "") + entry.value_json;
    if (entry.ttl_s > 0) line += " ttl " + std::to_string(entry.ttl_s);
    if (entry.has_expired) line += " expired";
    if (entry.lost_lease) line += " lease";
    if (entry.lost_flags) line += " flags";
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> entries_of(const std::string& text, const ImportSettings& settings) {
  const Outcome outcome = read(text, settings);
  EXPECT_THAT(outcome.problems, IsEmpty());
  return shown(outcome.entries);
}

std::string only_problem(const std::string& text, const ImportSettings& settings) {
  const Outcome outcome = read(text, settings);
  EXPECT_THAT(outcome.entries, IsEmpty()) << text;
  return outcome.problems.size() == 1 ? outcome.problems.front() : "not one problem";
}

// As etcdctl 3.4 printed it.
constexpr std::string_view etcd_export =
    R"({"header":{"cluster_id":324952591200643719,"member_id":3319814642761637952,"revision":9,"raft_term":2},"kvs":[)"
    R"({"key":"Y29uZmlnL2FwcA==","create_revision":3,"mod_revision":3,"version":1,"value":"eyAibmFtZSI6ICJzaG9wIiB9"},)"
    R"({"key":"Y29uZmlnL2VtcHR5","create_revision":6,"mod_revision":6,"version":1},)"
    R"({"key":"Y29uZmlnL3JhdGU=","create_revision":2,"mod_revision":2,"version":1,"value":"MTAw"},)"
    R"({"key":"Y29uZmlnL3Jhdw==","create_revision":5,"mod_revision":5,"version":1,"value":"AP/+"},)"
    R"({"key":"cy8x","create_revision":7,"mod_revision":7,"version":1,"value":"YWRh","lease":2324035727443678730},)"
    R"({"key":"cy8y","create_revision":8,"mod_revision":8,"version":1,"value":"Z3JhY2U=","lease":2324035727443678734})"
    R"(],"count":6})";

TEST(EntryReader, EtcdsExportKeepsBytesAndEmptyValues) {
  EXPECT_THAT(entries_of(std::string(etcd_export), {.format = ImportFormat::etcd}),
              ElementsAre(R"(config/app={"name":"shop"})", R"(config/empty="")", "config/rate=100",
                          R"(config/raw=b"AP/+")", R"(s/1="ada" lease)", R"(s/2="grace" lease)"));
  EXPECT_THAT(entries_of(std::string(etcd_export), {.format = ImportFormat::etcd, .values = ValueForm::text}),
              ElementsAre(R"(config/app="{ \"name\": \"shop\" }")", R"(config/empty="")", R"(config/rate="100")",
                          R"(config/raw=b"AP/+")", R"(s/1="ada" lease)", R"(s/2="grace" lease)"));
  EXPECT_THAT(entries_of(std::string(etcd_export), {.format = ImportFormat::etcd, .values = ValueForm::bytes})[2],
              R"(config/rate=b"MTAw")");
}

TEST(EntryReader, LeasesBecomeTtlsWhenSomebodyTellsHowLongTheyLast) {
  const Leases leases = {{"2324035727443678730", 3599}, {"2324035727443678734", -1}};
  const ImportSettings told = {.format = ImportFormat::etcd, .strip_prefix = "", .leases = &leases};
  const auto entries = entries_of(std::string(etcd_export), told);
  EXPECT_EQ(entries[4], R"(s/1="ada" ttl 3599)");
  EXPECT_EQ(entries[5], R"(s/2="grace" expired)");
  const ImportSettings guessed = {.format = ImportFormat::etcd, .lease_ttl_s = 60};
  EXPECT_EQ(entries_of(std::string(etcd_export), guessed)[5], R"(s/2="grace" ttl 60)");
}

TEST(EntryReader, EtcdMayBeAskedInPartsAndThroughItsGateway) {
  const std::string gateway =
      R"({"header":{"revision":"9"},"kvs":[{"key":"YQ==","version":"1","value":"MQ==","lease":"77"}],"count":"1"})";
  const Leases leases = {{"77", 5}};
  EXPECT_THAT(entries_of(gateway + "\n" + gateway, {.format = ImportFormat::etcd, .leases = &leases}),
              ElementsAre("a=1 ttl 5", "a=1 ttl 5"));
  EXPECT_TRUE(read(R"({"header":{},"kvs":[{"key":"YQ=="}],"more":true,"count":8})", {.format = ImportFormat::etcd})
                  .is_cut_short);
  EXPECT_FALSE(read(gateway, {.format = ImportFormat::etcd}).is_cut_short);
}

TEST(EntryReader, ConsulsExportAndWhatItsApiAnswers) {
  const ImportSettings consul = {.format = ImportFormat::consul};
  EXPECT_THAT(
      entries_of(
          R"([ {"key": "config/", "flags": 0, "value": ""}, {"key": "config/a", "flags": 42, "value": "AP8="} ])",
          consul),
      ElementsAre(R"(config/="")", R"(config/a=b"AP8=" flags)"));
  EXPECT_THAT(
      entries_of(R"([{"LockIndex":0,"Key":"f/","Flags":0,"Value":null,"CreateIndex":1,"ModifyIndex":1},)"
                 R"({"LockIndex":1,"Key":"f/x","Flags":0,"Value":"eyJhIjogMX0=","CreateIndex":2,"ModifyIndex":2}])",
                 consul),
      ElementsAre(R"(f/="")", R"(f/x={"a":1})"));
}

TEST(EntryReader, LinesOfRedisHaveItsTtls) {
  EXPECT_THAT(entries_of("{\"key\":\"a\",\"value\":\"1\",\"pttl\":-1,\"type\":\"string\"}\n"
                         "{\"key\":\"b\",\"value\":\"x\",\"pttl\":1001}\n"
                         "{\"key\":\"c\",\"value\":\"x\",\"pttl\":1}\n"
                         "{\"key\":\"d\",\"value\":\"x\",\"ttl\":7}\n"
                         "{\"key\":\"e\",\"value\":\"x\",\"ttl\":-2}\n"
                         "{\"key_b64\":\"Zg==\",\"value\":\"AP8=\",\"encoding\":\"base64\",\"pttl\":null}\n"
                         "{\"key\":\"g\",\"value\":{\"f\":\"1\"}}\n"
                         "{\"key\":\"h\",\"value\":\"eA==\",\"encoding\":\"base64\"}\n",
                         {.format = ImportFormat::redis}),
              ElementsAre("a=1", R"(b="x" ttl 2)", R"(c="x" ttl 1)", R"(d="x" ttl 7)", R"(e="x" expired)",
                          R"(f=b"AP8=")", R"(g={"f":"1"})", R"(h="x")"));
}

TEST(EntryReader, OwnLinesAreStoredAsTheyAre) {
  EXPECT_THAT(
      entries_of(
          "{\"key\":\"a\",\"value\":\"1\",\"ttl\":null}\n"
          "{\"key_b64\":\"YQ==\",\"value\":\"AP8=\",\"encoding\":\"base64\",\"ttl\":5,\"revision\":7,\"version\":1}\n",
          {}),
      ElementsAre(R"(a="1")", R"(a=b"AP8=" ttl 5)"));
}

TEST(EntryReader, PrefixesAreTakenOffAndPutInFront) {
  const ImportSettings settings = {.strip_prefix = "old/", .prefix = "new/"};
  const Outcome outcome =
      read("{\"key\":\"old/a\",\"value\":1}\n{\"key\":\"b\",\"value\":1}\n{\"key\":\"old/\",\"value\":1}\n", settings);
  EXPECT_THAT(shown(outcome.entries), ElementsAre("new/a=1", "new/=1"));
  EXPECT_THAT(outcome.problems, ElementsAre(HasSubstr("line 2, column 1, entry 2: the key does not begin with")));
  EXPECT_THAT(only_problem(R"({"key":"old/","value":1})", {.strip_prefix = "old/"}), HasSubstr("the key is empty"));
  const std::string long_key = "{\"key\":\"" + std::string(1020, 'k') + "\",\"value\":1}";
  EXPECT_THAT(only_problem(long_key, {.prefix = "12345"}), HasSubstr("1025 bytes"));
  EXPECT_EQ(read(long_key, {.prefix = "1234"}).entries.size(), 1U);
}

struct Refused {
  ImportFormat format;
  std::string text;
  std::string message;
};

TEST(EntryReader, WhatIsNoEntryIsNamedWithItsPlace) {
  const Refused cases[] = {
      {ImportFormat::json, "[]", "--format consul"},
      {ImportFormat::json, "7", "not an object with a key and a value"},
      {ImportFormat::json, std::string(etcd_export), "--format etcd"},
      {ImportFormat::json, R"({"key":"a","value":1,"tll":5})", "\"tll\" has no place here"},
      {ImportFormat::json, R"({"key":"a","value":1,"pttl":5})", "\"pttl\" has no place here"},
      {ImportFormat::json, R"({"value":1})", "there is no \"key\""},
      {ImportFormat::json, R"({"key":"a","key_b64":"YQ==","value":1})", "both"},
      {ImportFormat::json, R"({"key":"a"})", "there is no \"value\""},
      {ImportFormat::json, R"({"key":7,"value":1})", "\"key\" is not a string"},
      {ImportFormat::json, R"({"key_b64":"YQ","value":1})", "\"key_b64\" is not base64"},
      {ImportFormat::json, R"({"key":"a","value":"AP8","encoding":"base64"})", "\"value\" is not base64"},
      {ImportFormat::json, R"({"key":"a","value":"x","encoding":"hex"})", "\"encoding\""},
      {ImportFormat::json, R"({"key":"a","value":1,"ttl":0})", "\"ttl\""},
      {ImportFormat::json, R"({"key":"a","value":1,"ttl":1.5})", "\"ttl\""},
      {ImportFormat::json, R"({"key":"a","value":1,"ttl":-1})", "\"ttl\""},
      {ImportFormat::redis, R"({"key":"a","value":"x","ttl":-3})", "\"ttl\""},
      {ImportFormat::redis, R"({"key":"a","value":"x","ttl":1,"pttl":1})", "both"},
      {ImportFormat::redis, R"({"key":"a","value":1,"encoding":"base64"})", "\"value\" is not a string"},
      {ImportFormat::etcd, R"({"kvs":[{"value":"MQ=="}]})", "there is no \"key\""},
      {ImportFormat::etcd, R"({"kvs":[{"key":"a b"}]})", "\"key\" is not base64"},
      {ImportFormat::etcd, R"({"kvs":[{"key":"YQ==","value":7}]})", "\"value\" is not a string"},
      {ImportFormat::etcd, R"({"kvs":[{"key":"YQ==","lease":"x"}]})", "\"lease\""},
      {ImportFormat::etcd, R"({"kvs":[{"key":""}]})", "the key is empty"},
      {ImportFormat::etcd, R"({"kvs":[7]})", "there is no \"key\""},
      {ImportFormat::consul, R"([{"key":"a"}])", "there is no \"value\""},
      {ImportFormat::consul, R"([{"key":"a","value":"%"}])", "\"value\" is not base64"},
  };
  for (const Refused& each : cases) {
    const std::string problem = only_problem(each.text, {.format = each.format});
    EXPECT_THAT(problem, HasSubstr(each.message)) << each.text;
    EXPECT_THAT(problem, HasSubstr("entry 1: ")) << each.text;
  }
}

TEST(EntryReader, ATtlBeyondWhatIsAllowedIsTheLongestThatIs) {
  EXPECT_THAT(entries_of(R"({"key":"a","value":1,"ttl":9000000000000000000})", {}), ElementsAre("a=1 ttl 3153600000"));
  EXPECT_THAT(entries_of(R"({"key":"a","value":"1","pttl":9223372036854775807})", {.format = ImportFormat::redis}),
              ElementsAre("a=1 ttl 3153600000"));
}

std::string random_bytes(base::Random& random) {
  static constexpr std::string_view pieces[] = {"\"",       "\\",   "\n",   "42", "{\"a\": [1]}",
                                                "\xc3\xa9", "\xff", "null", "",   "key"};
  std::string bytes;
  for (std::uint64_t left = random.below(5); left > 0; --left) {
    if (random.one_in(4)) {
      bytes += static_cast<char>(random.below(256));
    } else {
      bytes.append(pieces[random.below(std::size(pieces))]);
    }
  }
  return bytes;
}

/// What is stored, as bytes again.
std::string bytes_of(const Entry& entry) {
  const std::string text = value::unescape(value::inside_quotes(entry.value_json));
  return entry.is_bytes ? base::decode_base64(text).value_or("no base64") : text;
}

TEST(EntryReader, EveryStoreTellsTheSameOfTheSameBytes) {
  constexpr std::uint64_t seed = 73;
  base::Random random(seed);
  for (int round = 0; round < 500; ++round) {
    const std::string key = "k" + random_bytes(random);
    const std::string bytes = random_bytes(random);
    const ValueForm form = random.one_in(2) ? ValueForm::text : ValueForm::bytes;
    const std::string members = R"("value":")" + base64_of(bytes) + "\"";
    const auto of_etcd = read(R"({"kvs":[{"key":")" + base64_of(key) + "\"," + members + "}]}",
                              {.format = ImportFormat::etcd, .values = form});
    const auto of_redis = read(R"({"key_b64":")" + base64_of(key) + "\"," + members + R"(,"encoding":"base64"})",
                               {.format = ImportFormat::redis, .values = form});
    ASSERT_EQ(of_etcd.entries.size(), 1U);
    ASSERT_EQ(of_redis.entries.size(), 1U);
    EXPECT_EQ(of_etcd.entries[0].key, key);
    EXPECT_EQ(of_redis.entries[0].key, key);
    EXPECT_EQ(bytes_of(of_etcd.entries[0]), bytes);
    EXPECT_EQ(bytes_of(of_redis.entries[0]), bytes);
    EXPECT_EQ(of_etcd.entries[0].is_bytes, form == ValueForm::bytes || !value::is_utf8(bytes));
  }
}

}  // namespace
}  // namespace concord::app
