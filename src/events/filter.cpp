#include "events/filter.hpp"

#include <algorithm>
#include <utility>

namespace concord::events {
namespace {

constexpr std::string_view special = R"(\^$.|?*+()[]{})";

/// What every text has at its beginning that a pattern matches: the plain characters behind `^`. Empty: nothing, or not easy to tell.
std::string literal_prefix(std::string_view pattern) {
  // An alternative anywhere may begin otherwise; flags may mean other letters.
  if (!pattern.starts_with('^') || pattern.find('|') != std::string_view::npos ||
      pattern.find("(?") != std::string_view::npos) {
    return {};
  }
  pattern.remove_prefix(1);
  std::size_t size = std::min(pattern.find_first_of(special), pattern.size());
  // The last one may be repeated, or left out.
  if (size > 0 && size < pattern.size() && std::string_view("?*{").find(pattern[size]) != std::string_view::npos)
    --size;
  // Not within a character of several bytes.
  while (size > 0 && size < pattern.size() && (static_cast<unsigned char>(pattern[size]) & 0xc0U) == 0x80U) --size;
  return std::string(pattern.substr(0, size));
}

}  // namespace

Result<Filter> Filter::make(const SubscribeOptions& options, MayShow may_show) {
  Filter filter;
  filter.prefix_ = options.prefix;
  if (!options.key_pattern.empty()) {
    auto pattern = command::Pattern::compile(options.key_pattern);
    if (!pattern) return fail(pattern.error().code(), "key_pattern: " + pattern.error().message());
    const std::string literal = literal_prefix(options.key_pattern);
    // One that is nothing but its prefix need not be searched.
    if (options.key_pattern.size() != literal.size() + 1) filter.pattern_ = std::move(*pattern);
    if (filter.pattern_ == std::nullopt && !options.prefix.empty() && !literal.starts_with(options.prefix) &&
        !options.prefix.starts_with(literal)) {
      filter.pattern_ = std::move(*pattern);  // nothing matches both; the pattern still has to say so
    }
    if (literal.size() > filter.prefix_.size() && literal.starts_with(filter.prefix_)) filter.prefix_ = literal;
  }
  filter.may_show_ = std::move(may_show);
  for (const EventType type : options.event_types) filter.types_ |= bit(type);
  const std::uint32_t reads = bit(EventType::get) | bit(EventType::get_many);
  if (options.event_types.empty()) filter.types_ = ~reads;
  filter.takes_all_ =
      filter.prefix_.empty() && !filter.pattern_ && !filter.may_show_ && (filter.types_ | reads) == ~std::uint32_t{0};
  filter.keys_only_ = options.keys_only;
  filter.with_previous_ = options.with_previous;
  return filter;
}

bool Filter::matches_key(std::string_view key) const {
  return key.starts_with(prefix_) && (!pattern_ || pattern_->search(key)) && (!may_show_ || may_show_(key));
}

bool Filter::matches(const store::KeptEvent& kept) const {
  store::HistoryEvent event(kept);
  if (event.type() == EventType::restored) return true;
  if (takes_all_) return event.count() > 0;
  store::HistoryEvent::Change change;
  while (event.next(change)) {
    if (wants(event.type(), type_of(change.op)) && matches_key(change.key)) return true;
  }
  return false;
}

}  // namespace concord::events
