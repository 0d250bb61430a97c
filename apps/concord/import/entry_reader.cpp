#include "import/entry_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.hpp"
#include "command/limits.hpp"
#include "json_text.hpp"
#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"

namespace concord::app {
namespace {

/// The error is for people.
template <class T = void>
using Read = std::expected<T, std::string>;

using Member = std::optional<std::string_view>;

std::unexpected<std::string> wrong(std::string_view name, std::string_view what) {
  return std::unexpected("\"" + std::string(name) + "\" " + std::string(what));
}

Read<std::string> read_text(std::string_view name, std::string_view json) {
  if (value::kind_of(json) != value::JsonKind::string) return wrong(name, "is not a string");
  return json_to_plain(json);
}

Read<std::string> read_base64(std::string_view name, std::string_view json) {
  auto text = read_text(name, json);
  if (!text) return text;
  auto bytes = base::decode_base64(*text);
  if (!bytes) return wrong(name, "is not base64");
  return std::move(*bytes);
}

/// Of `key` and `key_b64` the one that is there.
Read<std::string> read_key(const Member& text, const Member& base64) {
  if (text.has_value() == base64.has_value()) {
    return std::unexpected(text ? R"(both a "key" and a "key_b64")" : R"(there is no "key")");
  }
  return text ? read_text("key", *text) : read_base64("key_b64", *base64);
}

void set_bytes(Entry& entry, std::string_view bytes) {
  entry.value_json = "\"";
  base::append_base64(entry.value_json, bytes);
  entry.value_json += '"';
  entry.is_bytes = true;
}

/// What was bytes over there.
void set_value(Entry& entry, const std::string& bytes, ValueForm form) {
  if (form == ValueForm::bytes) return set_bytes(entry, bytes);
  auto json = form == ValueForm::text ? json_string(bytes) : json_of(bytes);
  if (!json) return set_bytes(entry, bytes);
  entry.value_json = std::move(*json);
}

void set_ttl(Entry& entry, std::int64_t ttl_s) {
  entry.ttl_s = static_cast<std::uint32_t>(std::min<std::int64_t>(ttl_s, command::max_ttl_s));
}

// JSON lines ---------------------------------------------------------------------------------------------------------

struct LineMembers {
  Member key;
  Member key_b64;
  Member value;
  Member encoding;
  Member ttl;
  Member pttl;
};

constexpr std::array<std::pair<std::string_view, Member LineMembers::*>, 6> line_members = {
    {{"key", &LineMembers::key},
     {"key_b64", &LineMembers::key_b64},
     {"value", &LineMembers::value},
     {"encoding", &LineMembers::encoding},
     {"ttl", &LineMembers::ttl},
     {"pttl", &LineMembers::pttl}}};

/// Says nothing that is to be stored: of a listing with its metadata, of a key of Redis.
bool says_nothing(std::string_view name, ImportFormat format) noexcept {
  if (format == ImportFormat::redis) return name == "type";
  return name == "revision" || name == "create_revision" || name == "version";
}

/// A name that is mistyped would lose what it stands for: only what says nothing is passed over.
Read<LineMembers> read_members(std::string_view object, ImportFormat format) {
  const value::JsonKind kind = value::kind_of(object);
  if (kind == value::JsonKind::array) return std::unexpected("an array: an export of Consul needs --format consul");
  if (kind != value::JsonKind::object) return std::unexpected("not an object with a key and a value");
  LineMembers members;
  value::Cursor cursor(object);
  for (cursor.open(); cursor.more();) {
    const std::string_view name = cursor.name();
    const std::string_view json = cursor.skip();
    const auto known = std::ranges::find(line_members, name, [](const auto& each) { return each.first; });
    if (known != line_members.end() && (name != "pttl" || format == ImportFormat::redis)) {
      members.*known->second = json;
    } else if (name == "kvs" || name == "header") {
      return wrong(name, "has no place here: an export of etcd needs --format etcd");
    } else if (!says_nothing(name, format)) {
      return wrong(name, "has no place here");
    }
  }
  if (!members.value) return std::unexpected(R"(there is no "value")");
  return members;
}

Read<bool> has_base64(const Member& encoding) {
  if (!encoding) return false;
  if (*encoding != R"("base64")") return wrong("encoding", R"(is not "base64")");
  return true;
}

Read<Entry> read_own(std::string_view json) {
  const auto members = read_members(json, ImportFormat::json);
  if (!members) return std::unexpected(members.error());
  auto key = read_key(members->key, members->key_b64);
  if (!key) return std::unexpected(std::move(key.error()));
  const auto is_bytes = has_base64(members->encoding);
  if (!is_bytes) return std::unexpected(is_bytes.error());
  if (*is_bytes) {
    if (const auto bytes = read_base64("value", *members->value); !bytes) return std::unexpected(bytes.error());
  }
  Entry entry{.key = std::move(*key), .value_json = std::string(*members->value), .is_bytes = *is_bytes};
  if (members->ttl && *members->ttl != "null") {
    const auto ttl_s = whole_number(*members->ttl);
    if (!ttl_s || *ttl_s < 1) return wrong("ttl", "is no whole number of seconds, 1 or more");
    set_ttl(entry, *ttl_s);
  }
  return entry;
}

/// Redis: -1: none; -2, and 0 which it may round to: gone.
Read<> read_redis_ttl(Entry& entry, std::string_view name, std::string_view json, std::int64_t units_in_a_second) {
  const auto ttl = whole_number(json);
  if (!ttl || *ttl < -2) return wrong(name, "is no whole number, -2 or more");
  entry.has_expired = *ttl == 0 || *ttl == -2;
  if (*ttl > 0) set_ttl(entry, (*ttl - 1) / units_in_a_second + 1);
  return {};
}

Read<Entry> read_redis(std::string_view json, ValueForm form) {
  const auto members = read_members(json, ImportFormat::redis);
  if (!members) return std::unexpected(members.error());
  auto key = read_key(members->key, members->key_b64);
  if (!key) return std::unexpected(std::move(key.error()));
  const auto is_base64 = has_base64(members->encoding);
  if (!is_base64) return std::unexpected(is_base64.error());
  if (members->ttl && members->pttl) return std::unexpected(R"(both a "ttl" and a "pttl")");
  Entry entry{.key = std::move(*key)};
  if (!*is_base64 && value::kind_of(*members->value) != value::JsonKind::string) {
    entry.value_json = *members->value;  // a hash, a list, a set: JSON already
  } else {
    const auto bytes = *is_base64 ? read_base64("value", *members->value) : read_text("value", *members->value);
    if (!bytes) return std::unexpected(bytes.error());
    set_value(entry, *bytes, form);
  }
  Read<> read;
  if (members->ttl && *members->ttl != "null") read = read_redis_ttl(entry, "ttl", *members->ttl, 1);
  if (members->pttl && *members->pttl != "null") read = read_redis_ttl(entry, "pttl", *members->pttl, 1000);
  if (!read) return std::unexpected(std::move(read.error()));
  return entry;
}

// etcd ---------------------------------------------------------------------------------------------------------------

std::optional<std::int64_t> left_of(const Leases* leases, const std::string& id) {
  if (leases == nullptr) return std::nullopt;
  const auto found = leases->find(id);
  return found == leases->end() ? std::nullopt : std::optional(found->second);
}

Read<> read_lease(Entry& entry, std::string_view json, const ImportSettings& settings) {
  const auto id = whole_number(json);
  if (!id) return wrong("lease", "is no whole number");
  if (*id == 0) return {};
  if (const auto left_s = left_of(settings.leases, std::to_string(*id))) {
    entry.has_expired = *left_s < 1;
    if (!entry.has_expired) set_ttl(entry, *left_s);
  } else if (settings.lease_ttl_s > 0) {
    entry.ttl_s = settings.lease_ttl_s;
  } else {
    entry.lost_lease = true;
  }
  return {};
}

Read<Entry> read_etcd(std::string_view json, const ImportSettings& settings) {
  const Member key_json = json_member(json, "key");
  if (!key_json) return std::unexpected(R"(there is no "key")");
  auto key = read_base64("key", *key_json);
  if (!key) return std::unexpected(std::move(key.error()));
  const Member value_json = json_member(json, "value");  // left out when it is empty
  const auto bytes = value_json ? read_base64("value", *value_json) : Read<std::string>();
  if (!bytes) return std::unexpected(bytes.error());
  Entry entry{.key = std::move(*key)};
  set_value(entry, *bytes, settings.values);
  if (const Member lease = json_member(json, "lease")) {
    if (auto read = read_lease(entry, *lease, settings); !read) return std::unexpected(std::move(read.error()));
  }
  return entry;
}

// Consul -------------------------------------------------------------------------------------------------------------

Read<Entry> read_consul(std::string_view json, ValueForm form) {
  const auto either = [json](std::string_view exported, std::string_view answered) {
    const Member member = json_member(json, exported);
    return member ? member : json_member(json, answered);
  };
  const Member key_json = either("key", "Key");
  if (!key_json) return std::unexpected(R"(there is no "key")");
  auto key = read_text("key", *key_json);
  if (!key) return std::unexpected(std::move(key.error()));
  const Member value_json = either("value", "Value");
  if (!value_json) return std::unexpected(R"(there is no "value")");
  const auto bytes = *value_json == "null" ? Read<std::string>() : read_base64("value", *value_json);
  if (!bytes) return std::unexpected(bytes.error());
  Entry entry{.key = std::move(*key), .lost_flags = either("flags", "Flags").value_or("0") != "0"};
  set_value(entry, *bytes, form);
  return entry;
}

// All of them --------------------------------------------------------------------------------------------------------

Read<Entry> read_entry(std::string_view json, const ImportSettings& settings) {
  switch (settings.format) {
    case ImportFormat::json: return read_own(json);
    case ImportFormat::etcd: return read_etcd(json, settings);
    case ImportFormat::consul: return read_consul(json, settings.values);
    case ImportFormat::redis: break;
  }
  return read_redis(json, settings.values);
}

Read<> rename(Entry& entry, const ImportSettings& settings) {
  if (!entry.key.starts_with(settings.strip_prefix))
    return std::unexpected("the key does not begin with --strip-prefix");
  entry.key = settings.prefix + entry.key.substr(settings.strip_prefix.size());
  if (entry.key.empty()) return std::unexpected("the key is empty");
  if (entry.key.size() > command::max_key_bytes) {
    return std::unexpected("the key has " + std::to_string(entry.key.size()) + " bytes; " +
                           std::to_string(command::max_key_bytes) + " are allowed");
  }
  return {};
}

ElementSettings elements_of(ImportFormat format, bool& is_cut_short) {
  switch (format) {
    case ImportFormat::etcd:
      return {.form = ElementForm::member,
              .list_name = "kvs",
              .proof_name = "header",
              .of_what = "what `etcdctl get -w json` prints: an object with \"kvs\"",
              .on_member = [&is_cut_short](std::string_view name, std::string_view json) {
                if (name == "more") is_cut_short = json == "true";
              }};
    case ImportFormat::consul:
      return {.form = ElementForm::list, .of_what = "what `consul kv export` prints: an array"};
    case ImportFormat::json:
    case ImportFormat::redis: break;
  }
  return {.form = ElementForm::lines, .of_what = "JSON lines"};
}

}  // namespace

EntryReader::EntryReader(std::istream& input, const ImportSettings& settings)
    : settings_(settings), elements_(input, elements_of(settings.format, is_cut_short_)) {}

std::expected<std::optional<Entry>, EntryProblem> EntryReader::next() {
  auto element = elements_.next();
  if (!element) return std::unexpected(EntryProblem{.problem = std::move(element.error()), .is_final = true});
  if (!*element) return std::nullopt;
  const InputPlace place = (*element)->place;
  auto entry = read_entry((*element)->json, settings_);
  auto named = entry ? rename(*entry, settings_) : Read<>();
  if (!entry || !named) {
    return std::unexpected(EntryProblem{{place, std::move(entry ? named.error() : entry.error())}});
  }
  entry->place = place;
  return std::move(*entry);
}

}  // namespace concord::app
