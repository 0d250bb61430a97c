#include "http/parameters.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "http/schemas.hpp"

namespace concord::http {
namespace {

constexpr std::int64_t max_timeout_ms = 3'600'000;
constexpr std::array<std::string_view, 3> consistencies = {"eventual", "leader", "strong"};
constexpr std::array<std::string_view, 1> key_encodings = {"base64url"};
constexpr Schema timeout_schema = {.shape = Shape::integer, .minimum = 1, .maximum = max_timeout_ms};
constexpr Schema consistency_schema = {.shape = Shape::text, .values = consistencies};
constexpr Schema key_encoding_schema = {.shape = Shape::text, .values = key_encodings};

constexpr Parameter timeout = {
    .name = "timeout_ms", .schema = &timeout_schema, .description = "The call's deadline; 5000 unless said."};
constexpr Parameter consistency = {
    .name = "consistency",
    .schema = &consistency_schema,
    .description = "`eventual`: any node's state; `leader`: the leader's; `strong`: linearizable."};
constexpr Parameter key_encoding = {.name = "key_encoding",
                                    .schema = &key_encoding_schema,
                                    .description = "How the key in the path is given, for one that is not UTF-8."};

std::optional<std::uint64_t> number_in(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Problem must_be(std::string_view name, std::string_view seen, const std::string& wanted) {
  return invalid_request("the query parameter \"" + std::string(name) + "\" is " + std::string(seen.substr(0, 100)) +
                         "; it must be " + wanted);
}

std::expected<void, Problem> check_number(const Parameter& parameter, std::string_view text) {
  const auto number = number_in(text);
  const auto least = static_cast<std::uint64_t>(parameter.schema->minimum);
  const auto most = static_cast<std::uint64_t>(parameter.schema->maximum);
  if (number && *number >= least && *number <= most) return {};
  std::string wanted = "a whole number, at least " + std::to_string(least);
  if (parameter.schema->maximum != Schema().maximum) wanted += " and at most " + std::to_string(most);
  return std::unexpected(must_be(parameter.name, text, wanted));
}

std::expected<void, Problem> check_word(const Parameter& parameter, std::string_view text) {
  const auto words = parameter.schema->values;
  if (words.empty() || std::ranges::find(words, text) != words.end()) return {};
  std::string wanted;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) wanted += i + 1 == words.size() ? " or " : ", ";
    wanted.append(words[i]);
  }
  return std::unexpected(must_be(parameter.name, text, wanted));
}

std::expected<void, Problem> check_one(const Parameter& parameter, const Query& query, std::string_view text) {
  if (parameter.schema->shape == Shape::integer) return check_number(parameter, text);
  if (parameter.schema->shape == Shape::text) return check_word(parameter, text);
  if (auto flag = query.flag(parameter.name); !flag) return std::unexpected(std::move(flag.error()));
  return {};
}

}  // namespace

const Parameter& common_parameter(CommonParameter which) noexcept {
  if (which == CommonParameter::timeout) return timeout;
  return which == CommonParameter::consistency ? consistency : key_encoding;
}

const Parameter* ParameterSet::find(std::string_view name) const noexcept {
  if (name == timeout.name) return &timeout;
  if (consistency && name == http::consistency.name) return &http::consistency;
  if (key_encoding && name == http::key_encoding.name) return &http::key_encoding;
  const auto found = std::ranges::find(own, name, &Parameter::name);
  return found == own.end() ? nullptr : &*found;
}

std::expected<void, Problem> check_parameters(const ParameterSet& taken, const Query& query) {
  for (const Query::Parameter& given : query.parameters()) {
    const Parameter* const parameter = taken.find(given.name);
    if (parameter == nullptr) {
      return std::unexpected(invalid_request("the query parameter \"" + given.name.substr(0, 200) + "\" is not known"));
    }
    if (auto done = check_one(*parameter, query, given.value); !done) return done;
  }
  return {};
}

std::uint64_t number_of(const Query& query, std::string_view name, std::uint64_t otherwise) noexcept {
  const std::string* const text = query.find(name);
  return text == nullptr ? otherwise : number_in(*text).value_or(otherwise);
}

}  // namespace concord::http
