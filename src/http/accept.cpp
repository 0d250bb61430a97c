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

}  // namespace

bool wants_bytes(std::string_view accept) noexcept {
  double bytes = 0;
  double json = 0;
  while (!accept.empty()) {
    const std::size_t comma = std::min(accept.find(','), accept.size());
    std::string_view range = accept.substr(0, comma);
    accept.remove_prefix(std::min(comma + 1, accept.size()));
    while (range.starts_with(' ') || range.starts_with('\t')) range.remove_prefix(1);
    if (is_media_type(range, Reply::bytes)) {
      bytes = weight_of(range);
    } else if (is_media_type(range, Reply::json)) {
      json = weight_of(range);
    }
  }
  return bytes > json;
}

}  // namespace concord::http
