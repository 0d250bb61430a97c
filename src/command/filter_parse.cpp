// From a filter document to its program. The document is brought to stored form first, so all walking here is over text
// known to be well formed, at most 16 KiB long and 32 deep; parts are simply read again where that is simpler.
#include <algorithm>
#include <array>
#include <utility>

#include "command/filter.hpp"
#include "command/filter_program.hpp"
#include "command/limits.hpp"
#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"
#include "value/number.hpp"

namespace concord::command {
namespace {

using value::Cursor;
using value::JsonKind;
using value::kind_of;

struct KindName {
  std::string_view name;
  SeenKind kind;
};
constexpr std::array<KindName, 8> kind_names = {{{"null", SeenKind::null},
                                                 {"bool", SeenKind::boolean},
                                                 {"boolean", SeenKind::boolean},
                                                 {"number", SeenKind::number},
                                                 {"string", SeenKind::string},
                                                 {"array", SeenKind::array},
                                                 {"object", SeenKind::object},
                                                 {"bytes", SeenKind::bytes}}};

struct OrderName {
  std::string_view name;
  Test test;
};
constexpr std::array<OrderName, 4> order_names = {
    {{"$gt", Test::greater}, {"$gte", Test::greater_equal}, {"$lt", Test::less}, {"$lte", Test::less_equal}}};

std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  for (Cursor cursor(text); !cursor.finished();) {
    switch (cursor.kind()) {
      case JsonKind::string: cursor.skip(); continue;
      case JsonKind::array:
      case JsonKind::object: deepest = std::max(deepest, ++depth); break;
      default: depth -= text[cursor.offset()] == ']' || text[cursor.offset()] == '}' ? 1 : 0; break;
    }
    cursor.open();
  }
  return deepest;
}

bool is_container(std::string_view text) {
  return kind_of(text) == JsonKind::array || kind_of(text) == JsonKind::object;
}

/// Functions return the node they made. After the first fault the rest is worth nothing: `fault_` decides.
class FilterParser {
 public:
  explicit FilterParser(FilterProgram& program) noexcept : program_(program) {}

  Result<void> run() {
    program_.root = document(program_.text, "the filter");
    if (fault_.empty()) return {};
    return fail(Errc::invalid_request, "filter: " + fault_);
  }

 private:
  using ItemParser = NodeIndex (FilterParser::*)(std::string_view text, std::string_view where, Slot slot);

  NodeIndex wrong(std::string reason) {
    if (fault_.empty()) fault_ = std::move(reason);
    return 0;
  }
  NodeIndex wrong_operand(std::string_view name, std::string_view wanted) {
    return wrong(std::string(name) + " takes " + std::string(wanted));
  }

  NodeIndex add(FilterNode node) {
    program_.nodes.push_back(std::move(node));
    return static_cast<NodeIndex>(program_.nodes.size() - 1);
  }
  NodeIndex group(Test test, std::vector<NodeIndex> children) {
    if (test != Test::none && children.size() == 1) return children.front();
    return add({.test = test, .children = std::move(children)});
  }
  NodeIndex negate(NodeIndex child) { return group(Test::none, {child}); }

  NodeIndex document_item(std::string_view text, std::string_view where, Slot) { return document(text, where); }
  NodeIndex predicate_item(std::string_view text, std::string_view, Slot slot) { return predicate(text, slot); }

  NodeIndex document(std::string_view text, std::string_view where) {
    if (kind_of(text) != JsonKind::object) return wrong(std::string(where) + " must be an object");
    std::vector<NodeIndex> members;
    Cursor cursor(text);
    for (cursor.open(); cursor.more() && fault_.empty();) {
      const std::string_view name = cursor.name();
      members.push_back(member(name, cursor.skip()));
    }
    return group(Test::all, std::move(members));
  }

  NodeIndex member(std::string_view name, std::string_view text) {
    if (!name.starts_with('$')) return predicate(text, path_slot(name));
    if (name == "$not") return negate(document(text, name));
    if (const auto test = group_test(name)) return list(*test, name, text, 0, &FilterParser::document_item);
    if (name == "$key") return predicate(text, place_slot(program_.key));
    if (name == "$ttl") return predicate(text, place_slot(program_.ttl));
    if (name == "$revision") return predicate(text, place_slot(program_.revision));
    if (name == "$value") return predicate(text, step_slot(0));
    if (name.starts_with("$value.")) return predicate(text, path_slot(name.substr(7)));
    return wrong("unknown operator '" + std::string(name) + "'");
  }

  static std::optional<Test> group_test(std::string_view name) {
    if (name == "$and") return Test::all;
    if (name == "$or") return Test::any;
    if (name == "$nor") return Test::none;
    return std::nullopt;
  }

  NodeIndex list(Test test, std::string_view name, std::string_view text, Slot slot, ItemParser item) {
    if (kind_of(text) != JsonKind::array || text == "[]") return wrong_operand(name, "an array of at least one filter");
    std::vector<NodeIndex> items;
    Cursor cursor(text);
    for (cursor.open(); cursor.more() && fault_.empty();) items.push_back((this->*item)(cursor.skip(), name, slot));
    return group(test, std::move(items));
  }

  NodeIndex predicate(std::string_view text, Slot slot) {
    std::size_t operators = 0;
    std::size_t others = 0;
    if (kind_of(text) == JsonKind::object) {
      Cursor names(text);
      for (names.open(); names.more(); names.skip()) ++(names.name().starts_with('$') ? operators : others);
    }
    if (operators == 0) return add({.test = Test::equal, .slot = slot, .operand = text});
    if (others != 0) return wrong("operators and members in one object: " + std::string(text.substr(0, 128)));
    std::vector<NodeIndex> tests;
    Cursor cursor(text);
    for (cursor.open(); cursor.more() && fault_.empty();) {
      const std::string_view name = cursor.name();
      tests.push_back(operation(name, cursor.skip(), slot));
    }
    return group(Test::all, std::move(tests));
  }

  NodeIndex operation(std::string_view name, std::string_view text, Slot slot) {
    if (name == "$eq") return add({.test = Test::equal, .slot = slot, .operand = text});
    if (name == "$ne") return negate(add({.test = Test::equal, .slot = slot, .operand = text}));
    if (name == "$in") return choices(name, text, slot);
    if (name == "$nin") return negate(choices(name, text, slot));
    if (name == "$exists") return existence(text, slot);
    if (name == "$type") return kind_test(text, slot);
    if (name == "$regex") return regex(text, slot);
    if (name == "$size") return size(text, slot);
    if (name == "$not") return negate(predicate(text, slot));
    if (const auto test = group_test(name)) return list(*test, name, text, slot, &FilterParser::predicate_item);
    for (const OrderName& order : order_names) {
      if (name != order.name) continue;
      if (is_container(text)) return wrong_operand(name, "a number, a string, a boolean or null");
      return add({.test = order.test, .slot = slot, .operand = text});
    }
    return wrong("unknown operator '" + std::string(name) + "'");
  }

  NodeIndex choices(std::string_view name, std::string_view text, Slot slot) {
    if (kind_of(text) != JsonKind::array) return wrong_operand(name, "an array of values");
    FilterNode node{.test = Test::in, .slot = slot};
    Cursor cursor(text);
    for (cursor.open(); cursor.more();) node.choices.push_back(cursor.skip());
    return add(std::move(node));
  }

  NodeIndex existence(std::string_view text, Slot slot) {
    if (kind_of(text) != JsonKind::boolean) return wrong_operand("$exists", "true or false");
    const NodeIndex exists = add({.test = Test::exists, .slot = slot});
    return text == "true" ? exists : negate(exists);
  }

  NodeIndex kind_test(std::string_view text, Slot slot) {
    if (kind_of(text) == JsonKind::string) {
      for (const KindName& known : kind_names) {
        if (value::inside_quotes(text) == known.name)
          return add({.test = Test::kind, .slot = slot, .kind = known.kind});
      }
    }
    return wrong_operand("$type", "one of null, bool, boolean, number, string, array, object, bytes");
  }

  NodeIndex regex(std::string_view text, Slot slot) {
    if (kind_of(text) != JsonKind::string) return wrong_operand("$regex", "a string");
    if (++patterns_ > max_filter_patterns) {
      return wrong("more than " + std::to_string(max_filter_patterns) + " patterns in one filter");
    }
    auto pattern = Pattern::compile(value::unescape(value::inside_quotes(text)));
    if (!pattern) return wrong("$regex: " + pattern.error().message());
    return add({.test = Test::regex, .slot = slot, .pattern = std::move(*pattern)});
  }

  NodeIndex size(std::string_view text, Slot slot) {
    const auto size = kind_of(text) == JsonKind::number ? value::Number::from_text(text).exact_unsigned()
                                                        : std::optional<std::uint64_t>();
    if (!size) return wrong_operand("$size", "a whole number from 0");
    return add({.test = Test::size, .slot = slot, .size = *size});
  }

  Slot place_slot(std::optional<Slot>& place) {
    if (!place) place = program_.slot_count++;
    return *place;
  }

  Slot step_slot(std::uint32_t step) {
    std::optional<Slot>& slot = program_.steps[step].slot;
    if (!slot) {
      slot = program_.slot_count++;
      ++program_.value_slot_count;
    }
    return *slot;
  }

  Slot path_slot(std::string_view path) {
    std::uint32_t at = 0;
    for (bool more = true; more;) {
      const std::size_t dot = path.find('.');
      more = dot != std::string_view::npos;
      at = child_step(at, path.substr(0, dot));
      if (more) path.remove_prefix(dot + 1);
    }
    return step_slot(at);
  }

  std::uint32_t child_step(std::uint32_t at, std::string_view name) {
    const auto fresh = static_cast<std::uint32_t>(program_.steps.size());
    auto& children = program_.steps[at].children;
    const auto place = std::ranges::lower_bound(children, name, {}, &PathStep::Child::name);
    if (place != children.end() && place->name == name) return place->step;
    children.insert(place, {name, fresh});
    program_.steps.emplace_back();
    return fresh;
  }

  FilterProgram& program_;
  std::string fault_;
  std::size_t patterns_ = 0;
};

}  // namespace

Result<Filter> Filter::parse(std::string_view json_text) {
  if (json_text.size() > max_filter_bytes) {
    return fail(Errc::invalid_request, "the filter has " + std::to_string(json_text.size()) + " bytes, at most " +
                                           std::to_string(max_filter_bytes) + " are allowed");
  }
  auto program = std::make_shared<FilterProgram>();
  if (auto done = value::append_compact_json(program->text, json_text); !done) {
    return fail(Errc::invalid_request, "filter: " + done.error().message());
  }
  if (const std::size_t depth = depth_of(program->text); depth > max_filter_depth) {
    return fail(Errc::invalid_request, "the filter is nested " + std::to_string(depth) + " deep, at most " +
                                           std::to_string(max_filter_depth) + " are allowed");
  }
  if (auto done = FilterParser(*program).run(); !done) return std::unexpected(std::move(done.error()));
  return Filter(std::move(program));
}

}  // namespace concord::command
