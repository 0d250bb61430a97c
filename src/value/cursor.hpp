// Walks JSON text in stored form (what `compact_json` made) without decoding it.
//
// Since the text is known to be well formed and without white space, walking is: look at one byte, go on. All views returned
// are parts of the text. On text that is not in stored form the results mean nothing, but nothing outside it is read and
// every walk ends.
//
//     Cursor cursor(object_text);
//     for (cursor.open(); cursor.more();) {
//       std::string_view name = cursor.name();   // objects only; still escaped
//       std::string_view value = cursor.skip();  // or open() again to walk into it
//     }
#pragma once

#include <cstdint>
#include <string_view>

namespace concord::value {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// Precondition: `text` is a JSON value in stored form.
[[nodiscard]] JsonKind kind_of(std::string_view text) noexcept;

/// What stands between the quotes of a JSON string. Precondition: `kind_of(text) == JsonKind::string`.
[[nodiscard]] inline std::string_view inside_quotes(std::string_view text) noexcept {
  return text.size() < 2 ? std::string_view() : text.substr(1, text.size() - 2);
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  [[nodiscard]] bool finished() const noexcept { return at_ == end_; }
  [[nodiscard]] std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  /// The kind of the value that begins here.
  [[nodiscard]] JsonKind kind() const noexcept { return kind_of({at_, static_cast<std::size_t>(end_ - at_)}); }

  /// Steps into the array or object that begins here.
  void open() noexcept { step(); }
  /// True when another item follows; steps over the comma. False at the end of the container, and steps out of it.
  [[nodiscard]] bool more() noexcept;
  /// Reads a member's name, without quotes and still escaped, and the colon behind it.
  std::string_view name() noexcept;
  /// Steps over the value that begins here and returns its text.
  std::string_view skip() noexcept;
  /// The text from `offset` up to here.
  [[nodiscard]] std::string_view since(std::size_t offset) const noexcept {
    return {begin_ + offset, static_cast<std::size_t>(at_ - begin_) - offset};
  }
  /// Continues at another place of the same text.
  void seek(std::size_t offset) noexcept { at_ = begin_ + offset; }
  [[nodiscard]] std::size_t end_offset() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
  /// Takes what stands behind `offset` for outside the text. Precondition: offset() <= offset <= end_offset().
  void end_at(std::size_t offset) noexcept { end_ = begin_ + offset; }

 private:
  [[nodiscard]] char peek() const noexcept { return at_ == end_ ? '\0' : *at_; }
  void step() noexcept { at_ += at_ == end_ ? 0 : 1; }
  void skip_string() noexcept;
  void skip_container() noexcept;

  const char* begin_;
  const char* at_;
  const char* end_;
};

}  // namespace concord::value
