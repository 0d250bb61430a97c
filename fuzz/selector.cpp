// Selectors: compiled, they find the keys that their parts say one by one, and their bounds lose none of these.
#include "command/selector.hpp"

#include "base/check.hpp"
#include "command/pattern.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using command::CompiledSelector;
using command::Selector;

constexpr std::size_t most_part_bytes = 16;
constexpr std::size_t most_keys = 24;

Selector read_selector(Input& input) {
  Selector selector;
  const unsigned present = input.byte();
  const auto part = [&](unsigned bit) {
    return (present >> bit & 1U) != 0 ? std::optional(input.text(most_part_bytes)) : std::nullopt;
  };
  selector.prefix = part(0);
  selector.suffix = part(1);
  selector.contains = part(2);
  selector.pattern = part(3);
  selector.start = part(4);
  selector.end = part(5);
  selector.limit = present >> 6U;
  return selector;
}

/// What the parts say, each by itself.
bool says(const Selector& selector, std::string_view key) {
  return (!selector.prefix || key.starts_with(*selector.prefix)) &&
         (!selector.suffix || key.ends_with(*selector.suffix)) &&
         (!selector.contains || key.find(*selector.contains) != std::string_view::npos) &&
         (!selector.pattern || command::Pattern::compile(*selector.pattern)->search(key)) &&
         (!selector.start || key >= *selector.start) && (!selector.end || key <= *selector.end);
}

/// Keys near the edges of the selector's parts, then arbitrary ones.
std::vector<std::string> keys_around(const Selector& selector, Input& input) {
  std::vector<std::string> keys;
  for (const auto& part :
       {selector.prefix, selector.suffix, selector.contains, selector.pattern, selector.start, selector.end}) {
    if (!part) continue;
    keys.emplace_back(*part);
    keys.emplace_back(*part) += '\0';
    keys.emplace_back(*part) += '\xff';
    if (!part->empty()) keys.emplace_back(part->substr(0, part->size() - 1));
  }
  while (keys.size() < most_keys && !input.empty()) {
    std::string& key = keys.emplace_back(input.flag() ? selector.prefix.value_or("") : "");
    key += input.text(most_part_bytes);
    if (input.flag()) key += selector.contains.value_or("");
    if (input.flag()) key += selector.suffix.value_or("");
  }
  return keys;
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  const Selector selector = read_selector(input);
  const auto compiled = CompiledSelector::compile(selector);
  if (!compiled) {
    CONCORD_CHECK(compiled.error().code() == Errc::invalid_request, "a selector is refused as the caller's mistake");
    CONCORD_CHECK(selector.pattern || (selector.start && selector.end && *selector.start > *selector.end),
                  "only a bad pattern or an empty range is refused");
    return;
  }
  CONCORD_CHECK(compiled->limit() == selector.limit && !compiled->has_filter(), "nothing is lost");
  const command::KeyBounds prefix = command::prefix_bounds(selector.prefix.value_or(""));
  for (const std::string& key : keys_around(selector, input)) {
    CONCORD_CHECK(compiled->matches_key(key) == says(selector, key), "a compiled selector means what its parts say");
    CONCORD_CHECK(!compiled->matches_key(key) || compiled->bounds().contain(key), "a match lies within the bounds");
    CONCORD_CHECK(!compiled->bounds().empty() || !compiled->matches_key(key), "empty bounds hold nothing");
    CONCORD_CHECK(prefix.contain(key) == key.starts_with(selector.prefix.value_or("")), "a prefix is a range of keys");
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds = {
      std::string("\x01\x03"
                  "abc"
                  "\x01\x02"
                  "xy",
                  8),
      std::string("\x01\x02\xff\xff"
                  "\x01\x02\xff\xff",
                  8),
      std::string("\x07\x02"
                  "ab"
                  "\x01"
                  "c"
                  "\x01"
                  "b"
                  "\x01\x02"
                  "dd\x01\x01",
                  14),
      std::string("\x08\x06"
                  "^a.*z$"
                  "\x00\x03"
                  "abz",
                  13),
      std::string("\x30\x01"
                  "b"
                  "\x01"
                  "y"
                  "\x00\x02"
                  "mm",
                  9),
      std::string("\x08\x03"
                  "(a|",
                  5),
  };
  for (std::string& seed : arbitrary_inputs(5)) seeds.push_back(std::move(seed));
  return seeds;
}

}  // namespace concord::fuzz
