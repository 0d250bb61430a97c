// What other stores export: whatever an input holds, what comes of it can be stored; it does not matter how it is cut into pieces on
// its way; and what is cut off gives the same entries up to there, and no others.
// Input: a line of letters (format, what values become, prefixes, how it is cut), and the export.
#include <sstream>

#include "base/base64.hpp"
#include "base/check.hpp"
#include "command/limits.hpp"
#include "import/entry_reader.hpp"
#include "input.hpp"
#include "target.hpp"
#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"

namespace concord::fuzz {
namespace {

using app::ElementForm;
using app::Entry;
using app::EntryReader;
using app::ImportFormat;
using app::ImportSettings;

std::vector<Entry> read(std::string_view text, const ImportSettings& settings) {
  std::istringstream input{std::string(text)};
  EntryReader reader(input, settings);
  std::vector<Entry> entries;
  while (true) {
    auto entry = reader.next();
    CONCORD_CHECK(reader.bytes_read() <= text.size(), "no more is read than there is");
    if (entry ? !*entry : entry.error().is_final) return entries;
    if (entry) entries.push_back(std::move(**entry));
  }
}

void check_entry(const Entry& entry, const ImportSettings& settings) {
  CONCORD_CHECK(!entry.key.empty() && entry.key.size() <= command::max_key_bytes, "a key that may be stored");
  CONCORD_CHECK(entry.key.starts_with(settings.prefix), "with the prefix that was asked for");
  const auto json = value::compact_json(entry.value_json);
  CONCORD_CHECK(json && *json == entry.value_json, "a value in stored form");
  const auto text = value::inside_quotes(entry.value_json);
  CONCORD_CHECK(!entry.is_bytes || base::decode_base64(value::unescape(text)), "bytes as base64");
  CONCORD_CHECK(entry.ttl_s <= command::max_ttl_s && (entry.ttl_s == 0 || !entry.has_expired),
                "a ttl that may be stored");
}

bool is_same(const Entry& one, const Entry& other) {
  return one.key == other.key && one.value_json == other.value_json && one.is_bytes == other.is_bytes &&
         one.ttl_s == other.ttl_s && one.place.element == other.place.element && one.place.line == other.place.line &&
         one.place.column == other.place.column;
}

std::vector<std::string> elements(std::string_view text, ElementForm form, std::size_t buffer_bytes) {
  std::istringstream input{std::string(text)};
  app::ElementReader reader(
      input, {.form = form, .list_name = "kvs", .proof_name = "header", .of_what = "it", .buffer_bytes = buffer_bytes});
  std::vector<std::string> found;
  for (auto element = reader.next(); element && *element; element = reader.next()) found.push_back((*element)->json);
  return found;
}

}  // namespace

void run(std::string_view input) {
  const auto [letters, text] = split_line(input);
  const auto letter = [&letters](std::size_t i) {
    return i < letters.size() ? static_cast<unsigned char>(letters[i]) : 0U;
  };
  static const app::Leases leases = {{"1", 5}, {"2", -1}};
  const ImportSettings settings = {.format = static_cast<ImportFormat>(letter(0) % 4),
                                   .values = static_cast<app::ValueForm>(letter(1) % 3),
                                   .strip_prefix = letter(2) % 4 == 3 ? "a" : "",
                                   .prefix = letter(2) % 4 == 2 ? "p/" : "",
                                   .leases = letter(2) % 2 == 1 ? &leases : nullptr};
  const std::vector<Entry> whole = read(text, settings);
  std::uint64_t before = 0;
  for (const Entry& entry : whole) {
    check_entry(entry, settings);
    CONCORD_CHECK(entry.place.element > before, "entries are counted");
    before = entry.place.element;
  }
  const std::vector<Entry> cut = read(text.substr(0, text.size() * letter(3) / 256), settings);
  CONCORD_CHECK(cut.size() <= whole.size(), "what is cut off gives no more entries");
  for (std::size_t i = 0; i < cut.size(); ++i) CONCORD_CHECK(is_same(cut[i], whole[i]), "and the same");
  for (const ElementForm form : {ElementForm::lines, ElementForm::list, ElementForm::member}) {
    CONCORD_CHECK(elements(text, form, 4) == elements(text, form, 1000), "pieces don't matter");
  }
}

std::vector<std::string> seeds() {
  const std::string etcd =
      R"({"header":{"revision":9},"kvs":[{"key":"YS8x","version":1,"value":"eyJhIjogMX0=","lease":1},{"key":"AP8="},)"
      R"({"key":"Yg==","value":"AP8=","lease":"2"}],"more":true,"count":3})";
  return {
      "0000\n{\"key\":\"a/"
      "b\",\"value\":{\"a\":[1]},\"ttl\":5}\n{\"key_b64\":\"AP8=\",\"value\":\"AP8=\",\"encoding\":\"base64\",\"ttl\":"
      "null}\n",
      "1001\n" + etcd,
      "1110\n" + etcd + "\n" + etcd,
      "12\n{\"kvs\":null}",
      "2020\n[ {\"key\": \"a/\", \"flags\": 0, \"value\": \"\"},\n {\"key\": \"ab\", \"flags\": 42, \"value\": "
      "\"AP8=\"} ]",
      "2100\n[{\"LockIndex\":0,\"Key\":\"a\",\"Flags\":0,\"Value\":null}]",
      "30 "
      "\n{\"key\":\"a\",\"value\":\"1\",\"pttl\":1500,\"type\":\"string\"}\n{\"key\":\"b\",\"value\":[\"x\"],\"ttl\":-"
      "2}\n",
      "3030\n\xef\xbb\xbf{\"key\":\"a\\u00e9\",\"value\":\"\\ud83d\\ude00\",\"pttl\":-1}"};
}

}  // namespace concord::fuzz
