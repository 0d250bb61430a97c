// Evaluates a filter program: one walk over the value collects what its paths name, then the tests run on that.
#include <algorithm>
#include <charconv>

#include <boost/container/small_vector.hpp>

#include <concord/value.hpp>

#include "command/filter.hpp"
#include "command/filter_program.hpp"
#include "value/compare.hpp"
#include "value/cursor.hpp"
#include "value/equal.hpp"
#include "value/json_string.hpp"
#include "value/number.hpp"

namespace concord::command {
namespace {

using value::Cursor;
using value::JsonKind;

/// What stands at a place: JSON text in stored form, or the bytes.
struct Seen {
  SeenKind kind = SeenKind::missing;
  std::string_view text = {};
};

static_assert(static_cast<int>(JsonKind::null) == static_cast<int>(SeenKind::null) &&
              static_cast<int>(JsonKind::object) == static_cast<int>(SeenKind::object));

Seen seen_json(std::string_view text) { return {static_cast<SeenKind>(value::kind_of(text)), text}; }

class Evaluation {
 public:
  Evaluation(const FilterProgram& program, const FilterSubject& subject)
      : program_(program), seen_(program.slot_count) {
    look_at_value(subject.value);
    if (program.key) look_at_key(subject.key);
    if (program.ttl) {
      seen_[*program.ttl] = subject.ttl_s ? seen_natural(*subject.ttl_s, ttl_digits_) : seen_json("null");
    }
    if (program.revision) seen_[*program.revision] = seen_natural(subject.revision.value(), revision_digits_);
  }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  [[nodiscard]] bool holds(NodeIndex index) const {
    const FilterNode& node = program_.nodes[index];
    const auto child_holds = [this](NodeIndex child) { return holds(child); };
    switch (node.test) {
      case Test::all: return std::ranges::all_of(node.children, child_holds);
      case Test::any: return std::ranges::any_of(node.children, child_holds);
      case Test::none: return std::ranges::none_of(node.children, child_holds);
      default: return leaf_holds(node, seen_[node.slot]);
    }
  }

 private:
  static bool equals(const Seen& seen, std::string_view operand) {
    return seen.kind < SeenKind::bytes && value::equal_json(seen.text, operand);
  }

  static bool leaf_holds(const FilterNode& node, const Seen& seen) {
    if (seen.kind == SeenKind::missing) return false;
    switch (node.test) {
      case Test::equal: return equals(seen, node.operand);
      case Test::in:
        return std::ranges::any_of(node.choices, [&](std::string_view choice) { return equals(seen, choice); });
      case Test::exists: return true;
      case Test::kind: return seen.kind == node.kind;
      case Test::regex: return seen.kind == SeenKind::string && regex_holds(*node.pattern, seen.text);
      case Test::size: return seen.kind == SeenKind::array && has_size(seen.text, node.size);
      default:
        return seen.kind != SeenKind::bytes && order_holds(node.test, value::compare_json(seen.text, node.operand));
    }
  }

  static bool order_holds(Test test, std::partial_ordering order) {
    switch (test) {
      case Test::greater: return order > 0;
      case Test::greater_equal: return order >= 0;
      case Test::less: return order < 0;
      default: return order <= 0;
    }
  }

  static bool regex_holds(const Pattern& pattern, std::string_view text) {
    const std::string_view inside = value::inside_quotes(text);
    if (inside.find('\\') == std::string_view::npos) return pattern.search(inside);
    return pattern.search(value::unescape(inside));
  }

  static bool has_size(std::string_view array, std::uint64_t size) {
    std::uint64_t count = 0;
    Cursor cursor(array);
    for (cursor.open(); cursor.more(); cursor.skip()) {
      if (++count > size) return false;
    }
    return count == size;
  }

  void look_at_value(std::string_view stored) {
    unseen_ = program_.value_slot_count;
    if (unseen_ == 0) return;
    if (static_cast<unsigned char>(stored.front()) != Value::json_tag) {
      if (const auto slot = program_.steps.front().slot) seen_[*slot] = {SeenKind::bytes, stored.substr(1)};
      return;
    }
    Cursor cursor(stored.substr(1));
    walk(cursor, program_.steps.front());
  }

  /// Steps over the value at `cursor` and notes what the paths from `step` on find in it. Once all has been found the cursor
  /// may stay where it is.
  void walk(Cursor& cursor, const PathStep& step) {
    const std::size_t from = cursor.offset();
    const JsonKind kind = cursor.kind();
    if (step.children.empty()) {
      cursor.skip();
    } else if (kind == JsonKind::object) {
      cursor.open();
      while (unseen_ > 0 && cursor.more()) walk_item(cursor, step, cursor.name());
    } else if (kind == JsonKind::array) {
      cursor.open();
      char digits[value::max_number_bytes];
      for (std::uint64_t i = 0; unseen_ > 0 && cursor.more(); ++i) {
        walk_item(cursor, step, {digits, std::to_chars(digits, digits + sizeof digits, i).ptr});
      }
    } else {
      cursor.skip();
    }
    if (!step.slot) return;
    seen_[*step.slot] = seen_json(cursor.since(from));
    --unseen_;
  }

  void walk_item(Cursor& cursor, const PathStep& step, std::string_view name) {
    const auto child = std::ranges::lower_bound(step.children, name, {}, &PathStep::Child::name);
    if (child != step.children.end() && child->name == name) {
      walk(cursor, program_.steps[child->step]);
    } else {
      cursor.skip();
    }
  }

  void look_at_key(std::string_view key) {
    if (!value::is_utf8(key)) {
      seen_[*program_.key] = {SeenKind::bytes, key};
      return;
    }
    value::append_json_string(key_text_, key);
    seen_[*program_.key] = seen_json(key_text_);
  }

  static Seen seen_natural(std::uint64_t number, char (&digits)[value::max_number_bytes]) {
    return {SeenKind::number, {digits, std::to_chars(digits, digits + sizeof digits, number).ptr}};
  }

  const FilterProgram& program_;
  boost::container::small_vector<Seen, 8> seen_;
  Slot unseen_ =
      0;  ///< places in the value not found yet; Invariant: a container with a slot is unseen until it is left
  std::string key_text_;
  char ttl_digits_[value::max_number_bytes];
  char revision_digits_[value::max_number_bytes];
};

}  // namespace

bool Filter::matches(const FilterSubject& subject) const {
  return Evaluation(*program_, subject).holds(program_->root);
}

}  // namespace concord::command
