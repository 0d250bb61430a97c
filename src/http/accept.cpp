#include "http/accept.hpp"

#include <algorithm>
#include <charconv>

#include "http/reply.hpp"
#include "http/route.hpp"

namespace concord::http {
namespace {

/// The `q` of one media range, 1 when it has none.
double weight_of(std::string_view range) noexcept {
  for (std::size_t semicolon = range.find(';'); semicolon != std::string_view::npos; semicolon = range.find(';')) {
    range.remove_prefix(semicolon + 1);
    while (range.starts_with(' ')) range.remove_prefix(1);
    if (!range.starts_with("q=") && !range.starts_with("Q=")) continue;
    double weight = 0;
    std::from_chars(range.data() + 2, range.data() + range.size(), weight);
    return weight;
  }
  return 1;
}

/// Takes the first element off a list.
std::string_view next_element(std::string_view& list) noexcept {
  const std::size_t comma = std::min(list.find(','), list.size());
  std::string_view element = list.substr(0, comma);
  list.remove_prefix(std::min(comma + 1, list.size()));
  while (element.starts_with(' ') || element.starts_with('\t')) element.remove_prefix(1);
  return element;
}

}  // namespace

bool wants_bytes(std::string_view accept) noexcept {
  double bytes = 0;
  double json = 0;
  while (!accept.empty()) {
    const std::string_view range = next_element(accept);
    if (is_media_type(range, Reply::bytes)) {
      bytes = weight_of(range);
    } else if (is_media_type(range, Reply::json)) {
      json = weight_of(range);
    }
  }
  return bytes > json;
}

bool takes_gzip(std::string_view accept_encoding) noexcept {
  double everything = 0;
  while (!accept_encoding.empty()) {
    const std::string_view coding = next_element(accept_encoding);
    if (is_media_type(coding, "gzip") || is_media_type(coding, "x-gzip")) return weight_of(coding) > 0;
    if (is_media_type(coding, "*")) everything = weight_of(coding);
  }
  return everything > 0;
}

}  // namespace concord::http
