// Two ways to equality. Most equal values list their members in the same order: then both texts are walked side by side and
// nothing is allocated. At the first member that stands elsewhere that walk gives up, and both texts are indexed once, so
// that stepping over a nested value costs one step; without the index, re-reading nested values at each of up to 256 levels
// would let one 8 MiB value hold up the state machine for seconds.
#include "value/equal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "value/compare.hpp"
#include "value/cursor.hpp"
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

Verdict walk_side_by_side(Cursor& a, Cursor& b) noexcept {
  const JsonKind kind = a.kind();
  if (kind != b.kind()) return Verdict::different;
  if (!is_container(kind)) return equal_scalars(kind, a.skip(), b.skip()) ? Verdict::equal : Verdict::different;
  a.open();
  b.open();
  for (;;) {
    const bool more = a.more();
    if (more != b.more()) return Verdict::different;
    if (!more) return Verdict::equal;
    // Names are unique within an object, so as long as they agree a difference below is a difference of the whole.
    if (kind == JsonKind::object && a.name() != b.name()) return Verdict::other_order;
    if (const Verdict verdict = walk_side_by_side(a, b); verdict != Verdict::equal) return verdict;
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
        containers_.push_back({});
      } else if ((c == ']' || c == '}') && !open.empty()) {
        containers_[open.back()] = {at + 1, containers_.size()};
        open.pop_back();
      }
    }
  }

  [[nodiscard]] const Container& operator[](std::size_t number) const noexcept { return containers_[number]; }

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
  void open() noexcept {
    cursor_.open();
    ++number_;
  }
  void skip() noexcept {
    if (is_container(kind())) {
      cursor_.seek((*index_)[number_].end);
      number_ = (*index_)[number_].next;
    } else {
      cursor_.skip();
    }
  }

 private:
  Cursor cursor_;
  const ContainerIndex* index_;
  std::size_t number_ = 0;
};

struct Member {
  std::string_view name;
  IndexedCursor value;
};

/// Reads the members of the object that begins at `cursor`, sorted by name, and steps over it.
std::vector<Member> sorted_members(IndexedCursor& cursor) {
  std::vector<Member> members;
  for (cursor.open(); cursor.more(); cursor.skip()) {
    const std::string_view name = cursor.name();
    members.push_back({name, cursor});
  }
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.name < b.name; });
  return members;
}

/// Steps both cursors over their values when these are equal.
bool equal_indexed(IndexedCursor& a, IndexedCursor& b) {
  const JsonKind kind = a.kind();
  if (kind != b.kind()) return false;
  if (!is_container(kind)) return equal_scalars(kind, a.skip_scalar(), b.skip_scalar());
  if (kind == JsonKind::array) {
    a.open();
    b.open();
    for (;;) {
      const bool more = a.more();
      if (more != b.more()) return false;
      if (!more) return true;
      if (!equal_indexed(a, b)) return false;
    }
  }
  std::vector<Member> members_a = sorted_members(a);
  std::vector<Member> members_b = sorted_members(b);
  return std::equal(members_a.begin(), members_a.end(), members_b.begin(), members_b.end(),
                    [](Member& x, Member& y) { return x.name == y.name && equal_indexed(x.value, y.value); });
}

}  // namespace

bool equal_json(std::string_view a, std::string_view b) {
  if (a == b) return true;
  Cursor walk_a(a);
  Cursor walk_b(b);
  const Verdict verdict = walk_side_by_side(walk_a, walk_b);
  if (verdict != Verdict::other_order) return verdict == Verdict::equal;
  const ContainerIndex index_a(a);
  const ContainerIndex index_b(b);
  IndexedCursor indexed_a(a, index_a);
  IndexedCursor indexed_b(b, index_b);
  return equal_indexed(indexed_a, indexed_b);
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
