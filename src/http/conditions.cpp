#include "http/conditions.hpp"

#include <algorithm>
#include <charconv>

#include "http/write_body.hpp"

namespace concord::http {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// `"17"`
std::optional<Revision> revision_of_tag(std::string_view tag) noexcept {
  if (tag.size() < 3 || !tag.starts_with('"') || !tag.ends_with('"')) return std::nullopt;
  tag = tag.substr(1, tag.size() - 2);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), number);
  if (error != std::errc() || end != tag.data() + tag.size()) return std::nullopt;
  return Revision(number);
}

}  // namespace

std::expected<void, Problem> add_header_guards(const Request& request, std::string_view key,
                                               std::vector<command::Guard>& guards) {
  if (request.has(Header::if_match)) {
    const std::string_view tag = trimmed(request.header(Header::if_match));
    if (tag == "*") {
      guards.push_back({.kind = command::GuardKind::exists, .key = key, .value = {}, .revision = {}, .filter = {}});
    } else if (const auto revision = revision_of_tag(tag)) {
      guards.push_back(
          {.kind = command::GuardKind::revision, .key = key, .value = {}, .revision = *revision, .filter = {}});
    } else {
      return std::unexpected(invalid_request("If-Match must be * or one quoted revision, like \"17\""));
    }
  }
  if (request.has(Header::if_none_match)) {
    if (trimmed(request.header(Header::if_none_match)) != "*") {
      return std::unexpected(invalid_request("If-None-Match of a write must be *"));
    }
    guards.push_back({.kind = command::GuardKind::absent, .key = key, .value = {}, .revision = {}, .filter = {}});
  }
  return {};
}

bool client_has(const Request& request, Revision revision) noexcept {
  std::string_view list = request.header(Header::if_none_match);
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view tag = trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (revision_of_tag(tag) == revision) return true;
  }
  return false;
}

bool BodyCondition::take(std::string_view name, std::string_view raw) {
  if (name == "expected") {
    expected_raw_ = raw;
  } else if (name == "expected_encoding") {
    encoding_raw_ = raw;
  } else if (name == "condition") {
    condition_raw_ = raw;
  } else {
    return false;
  }
  return true;
}

std::expected<void, Problem> BodyCondition::read(const Place& place) {
  if (expected_raw_ && condition_raw_) {
    return std::unexpected(Problem(400, error_name(Errc::conflicting_conditions),
                                   place.text() + " has both \"expected\" and \"condition\""));
  }
  if (encoding_raw_ && !expected_raw_) return std::unexpected(missing_field("expected", place));
  if (expected_raw_) {
    auto value = read_encoded_value(*expected_raw_, encoding_raw_, "expected", "expected_encoding", place);
    if (!value) return std::unexpected(std::move(value.error()));
    expected_ = std::move(*value);
  }
  if (condition_raw_) {
    auto filter = read_filter(*condition_raw_, "condition", place);
    if (!filter) return std::unexpected(std::move(filter.error()));
    filter_ = std::move(*filter);
  }
  return {};
}

command::Guard BodyCondition::guard(std::string_view key) const {
  command::Guard guard;
  guard.key = key;
  if (expected_raw_) {
    guard.kind = command::GuardKind::value_equals;
    guard.value = expected_.stored();
  } else {
    guard.kind = command::GuardKind::filter;
    guard.filter = filter_;
  }
  return guard;
}

Problem guard_problem(const command::Outcome& outcome, std::size_t header_guards) {
  if (outcome.failed_guard < header_guards) {
    return {412, "PRECONDITION_FAILED", "the key is not in the state that If-Match or If-None-Match asks for"};
  }
  if (outcome.guard_failure == command::GuardFailure::key_missing) {
    return {404, error_name(Errc::not_found), "the key does not exist"};
  }
  return {409, error_name(Errc::condition_failed), "the condition does not hold; nothing was changed"};
}

}  // namespace concord::http
