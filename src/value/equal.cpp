// Two ways to equality. Most equal values list their members in the same order: then both texts are walked side by side and
// nothing is allocated. At the first member that stands elsewhere that walk gives up, and both texts are indexed once, so
// that stepping over a nested value costs one step; without the index, re-reading nested values at each of up to 256 levels
// would let one 8 MiB value hold up the state machine for seconds.
//
// Values of the log are not read again before they are compared. On text that is not in stored form the answer means nothing,
// but both ways end, read nothing else, and take no more stack than for a value of the deepest nesting.
#include "value/equal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "value/compare.hpp"
#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"
#include "value/number.hpp"

namespace concord::value {
namespace {

bool equal_scalars(JsonKind kind, std::string_view a, std::string_view b) noexcept {
  if (a == b) return true;  // strings have one spelling; null and booleans too
  return kind == JsonKind::number && Number::from_text(a) == Number::from_text(b);
}

bool is_container(JsonKind kind) noexcept { return kind == JsonKind::array || kind == JsonKind::object; }

enum class Verdict : std::uint8_t { equal, different, other_order };

Verdict walk_side_by_side(Cursor& a, Cursor& b, std::size_t depth) noexcept {
  const JsonKind kind = a.kind();
  if (kind != b.kind()) return Verdict::different;
  if (!is_container(kind)) return equal_scalars(kind, a.skip(), b.skip()) ? Verdict::equal : Verdict::different;
  if (depth == max_json_depth) return Verdict::different;
  a.open();
  b.open();
  for (;;) {
    const bool more = a.more();
    if (more != b.more()) return Verdict::different;
    if (!more) return Verdict::equal;
    // Names are unique within an object, so as long as they agree a difference below is a difference of the whole.
    if (kind == JsonKind::object && a.name() != b.name()) return Verdict::other_order;
    if (const Verdict verdict = walk_side_by_side(a, b, depth + 1); verdict != Verdict::equal) return verdict;
  }
}

/// Where each array and object of a text ends, in the order they begin.
class ContainerIndex {
 public:
  struct Container {
    std::size_t end;   ///< offset behind its closing bracket
    std::size_t next;  ///< number of the container that begins next behind it
  };

  explicit ContainerIndex(std::string_view text) {
    std::vector<std::size_t> open;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char c = text[at];
      if (c == '"') {
        Cursor string(text.substr(at));
        at += string.skip().size() - 1;
      } else if (c == '[' || c == '{') {
        open.push_back(containers_.size());
        containers_.push_back({text.size(), text.size()});
      } else if ((c == ']' || c == '}') && !open.empty()) {
        containers_[open.back()] = {at + 1, containers_.size()};
        open.pop_back();
      }
    }
  }

  /// The last one also stands for those that only text not in stored form has. Precondition: the text begins with one.
  [[nodiscard]] const Container& operator[](std::size_t number) const noexcept {
    return containers_[std::min(number, containers_.size() - 1)];
  }

 private:
  std::vector<Container> containers_;
};

/// A cursor that steps over containers by index. `number` is that of the next container to begin.
class IndexedCursor {
 public:
  IndexedCursor(std::string_view text, const ContainerIndex& index) noexcept : cursor_(text), index_(&index) {}

  [[nodiscard]] JsonKind kind() const noexcept { return cursor_.kind(); }
  [[nodiscard]] bool more() noexcept { return cursor_.more(); }
  std::string_view name() noexcept { return cursor_.name(); }
  std::string_view skip_scalar() noexcept { return cursor_.skip(); }
  /// A cursor at the first item of the container that begins here. It can't leave it.
  [[nodiscard]] IndexedCursor inside() const noexcept {
    IndexedCursor inner = *this;
    inner.cursor_.end_at(end());
    inner.cursor_.open();
    ++inner.number_;
    return inner;
  }
  void skip() noexcept {
    if (is_container(kind())) {
      cursor_.seek(end());
      number_ = (*index_)[number_].next;
    } else {
      cursor_.skip();
    }
  }

 private:
  /// Where the container that begins here ends: ahead, and not behind the one it stands in, whatever the text.
  [[nodiscard]] std::size_t end() const noexcept {
    return std::clamp((*index_)[number_].end, cursor_.offset() + 1, cursor_.end_offset());
  }

  Cursor cursor_;
  const ContainerIndex* index_;
  std::size_t number_ = 0;
};

struct Member {
  std::string_view name;
  IndexedCursor value;
};

/// The members of the object that begins at `cursor`, sorted by name.
std::vector<Member> sorted_members(const IndexedCursor& cursor) {
  std::vector<Member> members;
  for (IndexedCursor inner = cursor.inside(); inner.more(); inner.skip()) {
    const std::string_view name = inner.name();
    members.push_back({name, inner});
  }
  std::ranges::sort(members, {}, &Member::name);
  return members;
}

bool equal_indexed(const IndexedCursor& a, const IndexedCursor& b, std::size_t depth);

bool equal_items(IndexedCursor a, IndexedCursor b, std::size_t depth) {
  for (;; a.skip(), b.skip()) {
    const bool more = a.more();
    if (more != b.more()) return false;
    if (!more) return true;
    if (!equal_indexed(a, b, depth)) return false;
  }
}

/// Whether the values at both cursors are equal.
bool equal_indexed(const IndexedCursor& a, const IndexedCursor& b, std::size_t depth) {
  const JsonKind kind = a.kind();
  if (kind != b.kind()) return false;
  if (!is_container(kind)) return equal_scalars(kind, IndexedCursor(a).skip_scalar(), IndexedCursor(b).skip_scalar());
  if (depth == max_json_depth) return false;
  if (kind == JsonKind::array) return equal_items(a.inside(), b.inside(), depth + 1);
  const std::vector<Member> members_a = sorted_members(a);
  const std::vector<Member> members_b = sorted_members(b);
  return std::ranges::equal(members_a, members_b, [depth](const Member& x, const Member& y) {
    return x.name == y.name && equal_indexed(x.value, y.value, depth + 1);
  });
}

}  // namespace

bool equal_json(std::string_view a, std::string_view b) {
  if (a == b) return true;
  Cursor walk_a(a);
  Cursor walk_b(b);
  const Verdict verdict = walk_side_by_side(walk_a, walk_b, 0);
  if (verdict != Verdict::other_order) return verdict == Verdict::equal;
  const ContainerIndex index_a(a);
  const ContainerIndex index_b(b);
  return equal_indexed(IndexedCursor(a, index_a), IndexedCursor(b, index_b), 0);
}

bool equal_stored(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (a.empty() || b.empty() || a.front() != '\0' || b.front() != '\0') return false;  // tag 0 is JSON
  return equal_json(a.substr(1), b.substr(1));
}

std::partial_ordering compare_json(std::string_view a, std::string_view b) {
  const JsonKind kind = kind_of(a);
  if (kind != kind_of(b)) return std::partial_ordering::unordered;
  switch (kind) {
    case JsonKind::null: return std::partial_ordering::equivalent;
    case JsonKind::boolean: return (a == "true") <=> (b == "true");
    case JsonKind::number: return Number::from_text(a) <=> Number::from_text(b);
    case JsonKind::string: {
      const std::string_view text_a = inside_quotes(a);
      const std::string_view text_b = inside_quotes(b);
      const bool plain = text_a.find('\\') == std::string_view::npos && text_b.find('\\') == std::string_view::npos;
      return plain ? text_a <=> text_b : unescape(text_a) <=> unescape(text_b);
    }
    case JsonKind::array:
    case JsonKind::object: break;
  }
  return std::partial_ordering::unordered;
}

}  // namespace concord::value
