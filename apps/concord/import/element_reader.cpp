#include "import/element_reader.hpp"

#include <algorithm>
#include <utility>

#include "json_text.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

constexpr int end_of_input = -1;

constexpr bool is_space(int c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// What people feed to a program by mistake, told by its first bytes; empty: nothing of the kind.
std::string_view foreign_form(std::string_view first) {
  if (first.starts_with("\x1f\x8b")) return "this is compressed: zcat FILE | concord import -";
  if (first.starts_with("\x28\xb5\x2f\xfd")) return "this is compressed: zstdcat FILE | concord import -";
  if (first.starts_with("\xff\xfe") || first.starts_with("\xfe\xff")) return "this is UTF-16; UTF-8 is needed";
  return {};
}

}  // namespace

std::string InputPlace::text() const {
  std::string text = "line " + std::to_string(line) + ", column " + std::to_string(column);
  if (element > 0) text += ", entry " + std::to_string(element);
  return text;
}

ElementReader::ElementReader(std::istream& input, ElementSettings settings)
    : input_(input), settings_(std::move(settings)), buffer_(settings_.buffer_bytes) {}

std::unexpected<InputProblem> ElementReader::fail(InputPlace place, std::string message) const {
  return std::unexpected(InputProblem{.place = place, .message = std::move(message)});
}

std::unexpected<InputProblem> ElementReader::ended() const {
  if (input_.bad()) return fail("the input can't be read any further");
  if (inside_ > 0) {
    return fail(began_, "the input ends at line " + std::to_string(line_) + ", column " + std::to_string(column_) +
                            ", within this entry: is it whole?");
  }
  return fail("the input ends here, within " + settings_.of_what + ": is it whole?");
}

int ElementReader::peek() {
  if (at_ == size_) {
    bytes_before_ += size_;
    at_ = size_ = 0;
    if (!input_.good()) return end_of_input;
    input_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    size_ = static_cast<std::size_t>(input_.gcount());
    if (size_ == 0) return end_of_input;
  }
  return static_cast<unsigned char>(buffer_[at_]);
}

int ElementReader::get() {
  const int c = peek();
  if (c == end_of_input) return c;
  ++at_;
  ++column_;
  if (c == '\n') {
    ++line_;
    column_ = 1;
  }
  return c;
}

void ElementReader::skip_space() {
  while (is_space(peek())) get();
}

std::expected<std::optional<Element>, InputProblem> ElementReader::next() {
  inside_ = 0;
  while (true) {
    switch (state_) {
      case State::between: {
        const auto has_begun = begin_document();
        if (!has_begun) return std::unexpected(has_begun.error());
        if (!*has_begun) return std::nullopt;
        if (settings_.form == ElementForm::lines) return read_element();
        break;
      }
      case State::in_list: {
        auto item = next_item();
        if (!item || *item) return item;
        break;
      }
      case State::in_object: {
        if (const auto read = next_member(); !read) return std::unexpected(read.error());
        break;
      }
    }
  }
}

/// False: there is none. Of lines each is a document.
ElementReader::Read<bool> ElementReader::begin_document() {
  if (bytes_read() == 0 && peek() != end_of_input) {
    const std::string_view first(buffer_.data(), size_);
    if (const auto message = foreign_form(first); !message.empty()) return fail(std::string(message));
    if (first.starts_with("\xef\xbb\xbf")) at_ = 3;  // a byte order mark, which some editors write
  }
  skip_space();
  if (peek() == end_of_input) {
    if (input_.bad()) return ended();
    if (documents_ == 0 && settings_.form != ElementForm::lines)
      return fail("the input is empty: it is to be " + settings_.of_what);
    return false;
  }
  ++documents_;
  if (settings_.form == ElementForm::lines) return true;
  const bool is_list = settings_.form == ElementForm::list;
  if (auto begun = expect(is_list ? '[' : '{', "this is not " + settings_.of_what); !begun)
    return std::unexpected(begun.error());
  state_ = is_list ? State::in_list : State::in_object;
  is_first_ = true;
  has_list_ = has_proof_ = false;
  return true;
}

/// None: the list has ended.
ElementReader::Read<std::optional<Element>> ElementReader::next_item() {
  skip_space();
  if (peek() == ']') {
    get();
    state_ = settings_.form == ElementForm::list ? State::between : State::in_object;
    is_first_ = false;
    return std::nullopt;
  }
  if (!is_first_) {
    if (auto comma = expect(',', "',' or ']' expected"); !comma) return std::unexpected(comma.error());
    skip_space();
  }
  is_first_ = false;
  return read_element();
}

/// The next member of a document, or its end.
ElementReader::Read<bool> ElementReader::next_member() {
  skip_space();
  if (peek() == '}') {
    const InputPlace end = here();
    get();
    if (!has_list_ && !has_proof_)
      return fail(end, "there is no \"" + settings_.list_name + "\": this is not " + settings_.of_what);
    state_ = State::between;
    return false;
  }
  if (!is_first_) {
    if (auto comma = expect(',', "',' or '}' expected"); !comma) return std::unexpected(comma.error());
    skip_space();
  }
  is_first_ = false;
  if (peek() != '"') return peek() == end_of_input ? Read<bool>(ended()) : fail("member name expected");
  const auto name = read_value("a name");
  if (!name) return std::unexpected(name.error());
  skip_space();
  if (auto colon = expect(':', "':' expected"); !colon) return std::unexpected(colon.error());
  skip_space();
  if (auto read = read_member(json_to_plain(*name)); !read) return std::unexpected(read.error());
  return true;
}

ElementReader::Read<> ElementReader::read_member(std::string_view name) {
  if (name != settings_.list_name) {
    const auto value = read_value("a value");
    if (!value) return std::unexpected(value.error());
    has_proof_ = has_proof_ || name == settings_.proof_name;
    if (settings_.on_member) settings_.on_member(name, *value);
    return {};
  }
  if (has_list_) return fail("\"" + settings_.list_name + "\" a second time");
  has_list_ = true;
  if (peek() == '[') {
    get();
    state_ = State::in_list;
    is_first_ = true;
    return {};
  }
  const InputPlace place = here();
  const auto value = read_value("a value");  // Go writes null for an empty list
  if (!value) return std::unexpected(value.error());
  if (*value != "null") return fail(place, "\"" + settings_.list_name + "\" is not an array");
  return {};
}

ElementReader::Read<Element> ElementReader::read_element() {
  inside_ = ++elements_;
  const InputPlace place = here();
  auto json = read_value("an entry");
  if (!json) return std::unexpected(json.error());
  inside_ = 0;
  return Element{.place = place, .json = std::move(*json)};
}

ElementReader::Read<std::string> ElementReader::read_value(std::string_view what) {
  began_ = here();
  std::string text;
  if (auto taken = take_value(text); !taken) return std::unexpected(taken.error());
  if (text.empty()) return peek() == end_of_input ? Read<std::string>(ended()) : fail(std::string(what) + " expected");
  auto json = value::compact_json(text);
  if (!json) return fail(began_, json.error().message());
  return std::move(*json);
}

/// Only finds where the value ends; what it is made of is checked as a whole.
ElementReader::Read<> ElementReader::take_value(std::string& to) {
  switch (peek()) {
    case '"': return take_string(to);
    case '{':
    case '[': return take_container(to);
    default: break;
  }
  for (int c = peek(); c != end_of_input && !is_space(c) && c != ',' && c != ']' && c != '}'; c = peek()) {
    if (auto taken = take(to); !taken) return taken;
  }
  return {};
}

ElementReader::Read<> ElementReader::take_string(std::string& to) {
  if (auto taken = take(to); !taken) return taken;
  while (true) {
    take_plain(to);
    const int c = peek();
    if (auto taken = take(to); !taken) return taken;
    if (c == '"') return {};
    if (c != '\\') continue;
    if (auto taken = take(to); !taken) return taken;
  }
}

/// What of a string is in the buffer and ends no line, no escape and no string: most of it, at once.
void ElementReader::take_plain(std::string& to) {
  const std::string_view rest(buffer_.data() + at_, size_ - at_);
  const std::size_t room = settings_.max_element_bytes - to.size();
  const std::size_t size = std::min({rest.find_first_of("\"\\\n"), rest.size(), room});
  to.append(rest.substr(0, size));
  at_ += size;
  column_ += size;
}

ElementReader::Read<> ElementReader::take_container(std::string& to) {
  std::size_t depth = 0;
  do {
    const int c = peek();
    if (auto taken = c == '"' ? take_string(to) : take(to); !taken) return taken;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  } while (depth > 0);
  return {};
}

ElementReader::Read<> ElementReader::take(std::string& to) {
  const int c = get();
  if (c == end_of_input) return ended();
  if (to.size() == settings_.max_element_bytes) {
    return fail(began_, "more than " + std::to_string(settings_.max_element_bytes >> 20U) + " MiB without an end");
  }
  to += static_cast<char>(c);
  return {};
}

ElementReader::Read<> ElementReader::expect(char c, std::string_view message) {
  if (peek() == end_of_input) return ended();
  if (peek() != static_cast<unsigned char>(c)) return fail(std::string(message));
  get();
  return {};
}

}  // namespace concord::app
