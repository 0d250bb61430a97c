#include "http/target.hpp"

#include <algorithm>

#include "value/json_string.hpp"

namespace concord::http {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_letter || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[byte >> 4U];
      encoded += digits[byte & 15U];
    }
  }
  return encoded;
}

Path::Path(std::string_view path) noexcept {
  if (!path.starts_with('/')) return;
  for (std::size_t from = 1;;) {
    const std::size_t slash = std::min(path.find('/', from), path.size());
    if (size_ == max_segments) {
      ++size_;
      return;
    }
    segments_[size_++] = path.substr(from, slash - from);
    if (slash == path.size()) return;
    from = slash + 1;
  }
}

std::expected<void, Problem> Query::parse(std::string_view query) {
  parameters_.clear();
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = percent_decode(part.substr(0, equals), true);
    auto value = percent_decode(part.substr(std::min(equals + 1, part.size())), true);
    if (!name || !value) return std::unexpected(invalid_request("the query has a broken percent-encoding"));
    if (!value::is_utf8(*name) || !value::is_utf8(*value))
      return std::unexpected(invalid_request("the query is not UTF-8"));
    if (find(*name) != nullptr) {
      return std::unexpected(invalid_request("the query parameter \"" + *name + "\" is repeated"));
    }
    parameters_.push_back({std::move(*name), std::move(*value)});
  }
  return {};
}

const std::string* Query::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(parameters_, name, &Parameter::name);
  return found == parameters_.end() ? nullptr : &found->value;
}

std::expected<bool, Problem> Query::flag(std::string_view name) const {
  const std::string* const value = find(name);
  if (value == nullptr || *value == "false" || *value == "0") return false;
  if (value->empty() || *value == "true" || *value == "1") return true;
  return std::unexpected(invalid_request("the query parameter \"" + std::string(name) + "\" is true or false"));
}

std::expected<Target, Problem> split_target(std::string_view target) {
  if (target == "*") return Target{.path = target, .query = {}};
  if (!target.starts_with('/')) {  // absolute form: scheme://authority[/path]
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return std::unexpected(invalid_request("the request target is no path"));
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
    if (target.starts_with('?')) return Target{.path = "/", .query = target.substr(1)};
  }
  if (target.find('#') != std::string_view::npos) {
    return std::unexpected(invalid_request("the request target has a fragment"));
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  return Target{.path = target.substr(0, question), .query = target.substr(std::min(question + 1, target.size()))};
}

}  // namespace concord::http
