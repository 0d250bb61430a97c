// The elements of JSON of any size, one after the other: no more than one of them is in memory, and every byte is checked.
//
//   lines     JSON values, one behind the other; white space between them, line ends as a rule
//   list      documents that are an array each; its items
//   member    documents that are an object each; the items of the array under one of its names
//
// An element is handed out once its last byte has been read and all of it is well-formed, so nothing comes of an input that ends in
// the middle of one. What stands around the elements is held to JSON's grammar as strictly as they are.
// Boost.JSON's parser, which takes pieces too, does not say where in them a value begins, and reads what no node would take
// (value/json.hpp).
//
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concord::app {

/// Where something begins.
struct InputPlace {
  std::uint64_t line = 1;
  std::uint64_t column = 1;   ///< in bytes
  std::uint64_t element = 0;  ///< from 1; 0: outside of all

  /// "line 1, column 5322, entry 17"
  [[nodiscard]] std::string text() const;
};

/// Why an input can't be read any further.
struct InputProblem {
  InputPlace place;
  std::string message;
};

struct Element {
  InputPlace place;
  std::string json;  ///< in stored form
};

enum class ElementForm : std::uint8_t { lines, list, member };

struct ElementSettings {
  ElementForm form = ElementForm::lines;
  std::string list_name = {};  ///< of the array, for `member`
  std::string proof_name =
      {};                    ///< a member by which a document without the array is known to be one whose array is empty
  std::string of_what = {};  ///< for messages: "an export of Consul (an array)"
  std::size_t max_element_bytes = std::size_t{256} << 20U;  ///< more than any node takes
  std::size_t buffer_bytes = std::size_t{256} << 10U;
  /// Called with each other member of a document: its name and its value, both in stored form. May be empty.
  std::function<void(std::string_view name, std::string_view json)> on_member = {};
};

class ElementReader {
 public:
  ElementReader(std::istream& input, ElementSettings settings);

  /// The next one; none at the end. After a problem nothing can be read any more.
  [[nodiscard]] std::expected<std::optional<Element>, InputProblem> next();

  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_before_ + at_; }

 private:
  enum class State : std::uint8_t { between, in_object, in_list };

  template <class T = void>
  using Read = std::expected<T, InputProblem>;

  Read<bool> begin_document();
  Read<std::optional<Element>> next_item();
  Read<bool> next_member();
  Read<> read_member(std::string_view name);
  Read<> end_list();
  Read<Element> read_element();

  /// The value that begins here, checked, in stored form.
  Read<std::string> read_value(std::string_view what);
  Read<> take_value(std::string& to);
  Read<> take_string(std::string& to);
  Read<> take_container(std::string& to);
  void take_plain(std::string& to);
  Read<> take(std::string& to);
  Read<> expect(char c, std::string_view message);

  [[nodiscard]] int peek();
  int get();
  void skip_space();
  [[nodiscard]] InputPlace here() const noexcept { return {.line = line_, .column = column_, .element = inside_}; }
  [[nodiscard]] std::unexpected<InputProblem> fail(std::string message) const {
    return fail(here(), std::move(message));
  }
  [[nodiscard]] std::unexpected<InputProblem> fail(InputPlace place, std::string message) const;
  [[nodiscard]] std::unexpected<InputProblem> ended() const;

  std::istream& input_;
  ElementSettings settings_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;    ///< in the buffer
  std::size_t size_ = 0;  ///< of what the buffer holds
  std::uint64_t bytes_before_ = 0;
  std::uint64_t line_ = 1;
  std::uint64_t column_ = 1;
  State state_ = State::between;
  bool is_first_ = true;  ///< of its list or object: no comma before it
  bool has_list_ = false;
  bool has_proof_ = false;
  std::uint64_t documents_ = 0;
  std::uint64_t elements_ = 0;
  std::uint64_t inside_ = 0;  ///< the element that is being read, or 0
  InputPlace began_;          ///< the value that is being read
};

}  // namespace concord::app
