// A filter document, compiled: which places of the subject it looks at, and the tests on them.
//
// All texts are views into `text`, the document in stored form; so are names, still escaped, which have one spelling and are
// compared as they stand. A program never moves once built.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command/pattern.hpp"

namespace concord::command {

/// What may be seen at a place. The JSON kinds stand in the order of value::JsonKind.
enum class SeenKind : std::uint8_t { null, boolean, number, string, array, object, bytes, missing };

/// Places besides those in the value.
enum class Place : std::uint8_t { key, ttl, revision };

enum class Test : std::uint8_t {
  all,
  any,
  none,  // of `children`
  equal,
  greater,
  greater_equal,
  less,
  less_equal,
  in,
  exists,
  kind,
  regex,
  size,
};

using NodeIndex = std::uint32_t;
using Slot = std::uint32_t;

struct FilterNode {
  Test test = Test::all;
  Slot slot = 0;                               ///< what a leaf looks at
  std::vector<NodeIndex> children = {};        ///< all, any, none
  std::string_view operand = {};               ///< equal, greater ...: JSON text
  std::vector<std::string_view> choices = {};  ///< in: JSON texts
  SeenKind kind = SeenKind::null;              ///< kind
  std::uint64_t size = 0;                      ///< size
  std::optional<Pattern> pattern = {};         ///< regex
};

/// One step of the paths a filter names: they share their beginnings, so one walk over a value finds them all.
struct PathStep {
  struct Child {
    std::string_view name;
    std::uint32_t step;
  };
  std::optional<Slot> slot = {};     ///< set when a path ends here
  std::vector<Child> children = {};  ///< sorted by name
};

struct FilterProgram {
  std::string text;
  std::vector<FilterNode> nodes;
  NodeIndex root = 0;
  std::vector<PathStep> steps = {PathStep{}};  ///< the first is the value itself
  Slot slot_count = 0;
  Slot value_slot_count = 0;  ///< of them, places in the value
  std::optional<Slot> key = {};
  std::optional<Slot> ttl = {};
  std::optional<Slot> revision = {};
};

}  // namespace concord::command
