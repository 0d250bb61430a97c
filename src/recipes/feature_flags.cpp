#include <concord/recipes/feature_flags.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace concord {
namespace {

constexpr std::uint64_t places = 10'000;

/// The subject's place among `places`. The rule stands in the header and is a promise: it decides who sees what.
std::uint64_t place_of(std::string_view name, std::string_view subject) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](unsigned char byte) {
    hash ^= byte;
    hash *= 0x100000001b3;
  };
  for (const char c : name) add(static_cast<unsigned char>(c));
  add(0);
  for (const char c : subject) add(static_cast<unsigned char>(c));
  hash ^= hash >> 33U;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33U;
  return hash % places;
}

bool is_in(const std::vector<std::string>& subjects, std::string_view subject) {
  return std::ranges::find(subjects, subject) != subjects.end();
}

Result<void> check(const FeatureFlag& flag) {
  if (flag.percent >= 0 && flag.percent <= 100) return {};
  return fail(Errc::invalid_request, "the percentage of a flag is to be 0 to 100");
}

FeatureFlag from_object(const boost::json::object& object) {
  FeatureFlag flag;
  const auto read = [&](std::string_view name, auto& member) {
    if (const auto* found = object.if_contains(name)) {
      member = boost::json::value_to<std::decay_t<decltype(member)>>(*found);
    }
  };
  read("enabled", flag.enabled);
  read("percent", flag.percent);
  read("allow", flag.allow);
  read("deny", flag.deny);
  if (const auto valid = check(flag); !valid) throw std::invalid_argument(valid.error().message());
  return flag;
}

}  // namespace

void tag_invoke(boost::json::value_from_tag, boost::json::value& json, const FeatureFlag& flag) {
  json = {{"enabled", flag.enabled},
          {"percent", flag.percent},
          {"allow", boost::json::value_from(flag.allow)},
          {"deny", boost::json::value_from(flag.deny)}};
}

// Throws where Boost.JSON's conversions do: `Value::as` makes an error of it.
FeatureFlag tag_invoke(boost::json::value_to_tag<FeatureFlag>, const boost::json::value& json) {
  if (json.is_bool()) return {.enabled = json.get_bool()};
  if (json == "enabled") return {.enabled = true};
  if (json == "disabled") return {.enabled = false};
  if (json.is_object()) return from_object(json.get_object());
  throw std::invalid_argument("a flag is an object, true, false, \"enabled\" or \"disabled\"");
}

bool FeatureFlag::is_on(std::string_view name, std::string_view subject) const {
  if (!enabled) return false;
  if (subject.empty()) return percent >= 100;
  if (is_in(deny, subject)) return false;
  if (is_in(allow, subject)) return true;
  return static_cast<double>(place_of(name, subject)) < std::round(percent * 100);
}

FeatureFlags::FeatureFlags(Store& store, FeatureFlagsOptions options) : store_(&store), options_(std::move(options)) {}

std::string FeatureFlags::key_of(std::string_view name) const { return options_.prefix + std::string(name); }

ReadOptions FeatureFlags::for_read() const {
  return {.consistency = options_.consistency, .timeout = options_.timeout, .token = options_.token};
}

Result<FeatureFlag> FeatureFlags::get(std::string_view name) const {
  return store_->get<FeatureFlag>(key_of(name), for_read());
}

FeatureFlag FeatureFlags::get_or(std::string_view name, FeatureFlag fallback) const {
  return get(name).value_or(std::move(fallback));
}

Result<bool> FeatureFlags::is_enabled(std::string_view name, std::string_view subject) const {
  const auto flag = get(name);
  if (!flag) return std::unexpected(flag.error());
  return flag->is_on(name, subject);
}

bool FeatureFlags::is_enabled_or(std::string_view name, std::string_view subject, bool fallback) const {
  return is_enabled(name, subject).value_or(fallback);
}

Result<Revision> FeatureFlags::set(std::string_view name, const FeatureFlag& flag) {
  if (auto valid = check(flag); !valid) return std::unexpected(std::move(valid.error()));
  return store_->put(key_of(name), flag, {.timeout = options_.timeout, .token = options_.token});
}

Result<FeatureFlag> FeatureFlags::update(std::string_view name, const std::function<FeatureFlag(FeatureFlag)>& change) {
  const auto updated = store_->update(key_of(name),
                                      [&](FeatureFlag flag) -> Result<FeatureFlag> {
                                        flag = change(std::move(flag));
                                        if (auto valid = check(flag); !valid)
                                          return std::unexpected(std::move(valid.error()));
                                        return flag;
                                      },
                                      {.timeout = options_.timeout, .token = options_.token});
  if (!updated) return std::unexpected(updated.error());
  return updated->value.as<FeatureFlag>();
}

Result<FeatureFlag> FeatureFlags::turn(std::string_view name, bool enabled) {
  const auto updated = store_->update(key_of(name),
                                      [&](std::optional<FeatureFlag> flag) {
                                        FeatureFlag turned = std::move(flag).value_or(FeatureFlag());
                                        turned.enabled = enabled;
                                        return turned;
                                      },
                                      {.timeout = options_.timeout, .token = options_.token});
  if (!updated) return std::unexpected(updated.error());
  return updated->value.as<FeatureFlag>();
}

Result<FeatureFlag> FeatureFlags::enable(std::string_view name) { return turn(name, true); }
Result<FeatureFlag> FeatureFlags::disable(std::string_view name) { return turn(name, false); }

Result<void> FeatureFlags::remove(std::string_view name) {
  const auto removed = store_->del(key_of(name), {.timeout = options_.timeout, .token = options_.token});
  if (!removed) return std::unexpected(removed.error());
  return {};
}

Result<std::map<std::string, FeatureFlag, std::less<>>> FeatureFlags::list() const {
  std::map<std::string, FeatureFlag, std::less<>> flags;
  const auto done = store_->scan(
      {.prefix = options_.prefix},
      [&](const Item& item) {
        if (auto flag = item.entry.value.as<FeatureFlag>()) {
          flags.emplace(item.key.substr(options_.prefix.size()), std::move(*flag));
        }
        return true;
      },
      for_read());
  if (!done) return std::unexpected(done.error());
  return flags;
}

}  // namespace concord
