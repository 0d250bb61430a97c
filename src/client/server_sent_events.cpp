#include "client/server_sent_events.hpp"

#include <algorithm>

namespace concord::client {
namespace {

constexpr std::string_view end_of_event = "\n\n";

ServerSentEvent parse(std::string_view lines) {
  ServerSentEvent event;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name.empty()) event.comment = value;
    if (name == "id") event.id = value;
    if (name == "event") event.event = value;
    if (name == "data") event.data = value;
  }
  return event;
}

}  // namespace

bool ServerSentEvents::add(std::string_view bytes, const std::function<void(const ServerSentEvent&)>& visit) {
  rest_.append(bytes);
  std::size_t begin = 0;
  for (std::size_t from = looked_at_;;) {
    const std::size_t end = rest_.find(end_of_event, from);
    if (end == std::string::npos) break;
    visit(parse(std::string_view(rest_).substr(begin, end - begin)));
    begin = from = end + end_of_event.size();
  }
  rest_.erase(0, begin);
  looked_at_ = rest_.empty() ? 0 : rest_.size() - 1;  // half of an end may stand there
  return rest_.size() <= most_bytes;
}

}  // namespace concord::client
