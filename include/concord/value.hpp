// What a key holds: a JSON value, or bytes.
//
// A `Value` is made from ordinary C++ values and read back as them:
//
//     concord::Value a = "enabled";                       // a JSON string
//     concord::Value b = 42;                              // a JSON number; all 64 bits are kept
//     concord::Value c = boost::json::value{{"port", 80}};
//     concord::Value d = concord::Bytes("\x00\xff", 2);   // bytes, never looked into
//
//     concord::Result<int> port = b.as<int>();            // typed; a wrong type is an error, not a conversion
//
// Any type with Boost.JSON conversions (`value_from` / `value_to`), described structs included, converts both ways.
//
// Shape: a `Value` keeps the *stored form*: one tag byte, then the payload (compact JSON text, or the bytes). Up to
// `inline_capacity` bytes live inside the object; longer ones are shared with the store and stay alive with the `Value`,
// so getting a large value copies nothing. JSON is decoded only when asked for.
//
// Equality is by value: `1 == 1.0`, members of objects in any order, bytes equal only to the same bytes.
//
// Errors: a C++ value that has no JSON form (a string that is not UTF-8, NaN, nesting over 256) makes an *invalid* `Value`:
// `valid()` is false and every write refuses it with `invalid_request`.
//
// Thread rule: an ordinary value; const calls may run on many threads at once.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <concord/error.hpp>
#include <concord/export.hpp>

namespace concord {

/// Marks bytes as bytes: `put(key, Bytes(text))` stores them as they are, where `put(key, text)` stores a JSON string.
/// Only a view: the bytes must outlive the call it is given to.
class Bytes {
 public:
  explicit Bytes(std::string_view view) noexcept : view_(view) {}
  explicit Bytes(std::span<const std::byte> bytes) noexcept
      : view_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}
  Bytes(const char* data, std::size_t size_bytes) noexcept : view_(data, size_bytes) {}

  [[nodiscard]] std::string_view view() const noexcept { return view_; }

 private:
  std::string_view view_;
};

class Value;

namespace detail {

template <class T>
concept TextLike = std::convertible_to<const T&, std::string_view>;

template <class T>
concept JsonConvertible =
    !std::same_as<T, Value> && !std::same_as<T, Bytes> && !TextLike<T> && !std::is_arithmetic_v<T> &&
    !std::same_as<T, boost::json::value> && !std::same_as<T, std::nullptr_t> && (boost::json::has_value_from<T>::value);

/// Keeps whatever owns the bytes of a long value alive. `release` is called once, from any thread.
struct ValueOwner {
  void* owner = nullptr;
  void (*retain)(void*) noexcept = nullptr;
  void (*release)(void*) noexcept = nullptr;
};

}  // namespace detail

class CONCORD_API Value {
 public:
  /// Stored forms up to this size live inside the object.
  static constexpr std::size_t inline_capacity = 112;

  /// JSON null.
  Value() noexcept { set_inline("\0null", 5); }
  Value(std::nullptr_t) noexcept : Value() {}
  template <std::same_as<bool> T>  // a template, so that a pointer is not taken for a bool
  Value(T value) noexcept : Value() {
    value ? set_inline("\0true", 5) : set_inline("\0false", 6);
  }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Value(T value) noexcept {
    if constexpr (std::is_signed_v<T>) {
      assign_signed(static_cast<std::int64_t>(value));
    } else {
      assign_unsigned(static_cast<std::uint64_t>(value));
    }
  }
  Value(double value) noexcept { assign_double(value); }
  template <detail::TextLike T>
  Value(const T& text) {
    assign_string(text);
  }
  Value(Bytes bytes) { assign_bytes(bytes.view()); }
  Value(const std::vector<std::byte>& bytes) : Value(Bytes(bytes)) {}
  Value(const boost::json::value& json) { assign_json(json); }
  template <detail::JsonConvertible T>
  Value(const T& value) {
    assign_converted(value);
  }

  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value() { release(); }

  /// Reads JSON text strictly: duplicate members, nesting over 256, integers beyond 64 bits, and text that is not UTF-8 are
  /// `invalid_request`, with the offset in the message.
  [[nodiscard]] static Result<Value> parse_json(std::string_view text);

  [[nodiscard]] bool valid() const noexcept { return tag() != invalid_tag; }
  [[nodiscard]] bool is_bytes() const noexcept { return tag() == bytes_tag; }
  [[nodiscard]] bool is_json() const noexcept { return tag() == json_tag; }

  /// The bytes of a bytes value, else empty. Valid while this object is.
  [[nodiscard]] std::string_view bytes() const noexcept { return is_bytes() ? payload() : std::string_view(); }

  /// The compact JSON text of a JSON value, else empty. Valid while this object is.
  [[nodiscard]] std::string_view json_text() const noexcept { return is_json() ? payload() : std::string_view(); }

  /// Decodes a JSON value. Bytes: `invalid_request`.
  [[nodiscard]] Result<boost::json::value> json() const;

  /// Decodes into a C++ type: arithmetic types (exact and range-checked: 3.0 is an int, 3.5 is not; `float` is the nearest),
  /// `std::string`, `std::vector<std::byte>` (bytes),
  /// `boost::json::value`, and anything `boost::json::value_to` knows. A value of another type: `invalid_request`.
  template <class T>
  CONCORD_LOCAL [[nodiscard]] Result<T> as() const;

  /// Size that counts against `limits.max_value_bytes`: the bytes, or the compact JSON text.
  [[nodiscard]] std::size_t size_bytes() const noexcept { return payload().size(); }

  friend bool operator==(const Value& a, const Value& b) { return a.equals(b); }

  // For the library itself ------------------------------------------------------------------------------------------

  static constexpr unsigned char json_tag = 0;
  static constexpr unsigned char bytes_tag = 1;
  static constexpr unsigned char invalid_tag = 0xff;

  /// The stored form: tag byte, then payload.
  [[nodiscard]] std::string_view stored() const noexcept { return {data(), size_}; }

  /// Copies a stored form. Precondition: `stored` came from `Value::stored()` or `value::` functions.
  [[nodiscard]] static Value from_stored(std::string_view stored);

  /// Shares a stored form that `owner` keeps alive; takes over one reference. Precondition: as above.
  [[nodiscard]] static Value share_stored(std::string_view stored, detail::ValueOwner owner) noexcept;

 private:
  struct Shared {
    const char* data;
    detail::ValueOwner owner;
  };

  [[nodiscard]] bool is_inline() const noexcept { return !shared_form_; }
  [[nodiscard]] const char* data() const noexcept { return is_inline() ? inline_ : shared_.data; }
  [[nodiscard]] unsigned char tag() const noexcept { return static_cast<unsigned char>(*data()); }
  [[nodiscard]] std::string_view payload() const noexcept { return stored().substr(1); }

  void set_inline(const char* data, std::size_t size_bytes) noexcept {
    std::memcpy(inline_, data, size_bytes);
    size_ = size_bytes;
    shared_form_ = false;
  }
  void release() noexcept {
    if (shared_form_) shared_.owner.release(shared_.owner.owner);
  }
  /// Sets tag and size and returns where the payload is to be written. Precondition: nothing is held yet.
  [[nodiscard]] char* reserve(unsigned char tag, std::size_t payload_size_bytes);
  void assign_stored(unsigned char tag, std::string_view payload);
  void assign_invalid(std::string_view reason);
  void assign_signed(std::int64_t value) noexcept;
  void assign_unsigned(std::uint64_t value) noexcept;
  void assign_double(double value) noexcept;
  void assign_string(std::string_view text);
  void assign_bytes(std::string_view bytes);
  void assign_json(const boost::json::value& json);
  template <class T>
  CONCORD_LOCAL void assign_converted(const T& value);
  /// Precondition: the range was checked by whoever made `wide`.
  template <class T, class Wide>
  CONCORD_LOCAL [[nodiscard]] static Result<T> narrow(Result<Wide> wide) {
    if (!wide) return std::unexpected(std::move(wide.error()));
    return static_cast<T>(*wide);
  }
  [[nodiscard]] bool equals(const Value& other) const;
  [[nodiscard]] Result<std::int64_t> as_signed(std::int64_t low, std::int64_t high) const;
  [[nodiscard]] Result<std::uint64_t> as_unsigned(std::uint64_t high) const;
  [[nodiscard]] Result<double> as_double(double high) const;
  [[nodiscard]] Result<bool> as_bool() const;
  [[nodiscard]] Result<std::string> as_string() const;
  [[nodiscard]] Result<std::vector<std::byte>> as_byte_vector() const;

  std::size_t size_ = 0;
  bool shared_form_ = false;
  union {
    char inline_[inline_capacity];
    Shared shared_;
  };
};

template <class T>
void Value::assign_converted(const T& value) {
  try {
    assign_json(boost::json::value_from(value));
  } catch (const std::exception& e) {  // a user's conversion may throw; nothing may cross the API
    assign_invalid(e.what());
  }
}

template <class T>
Result<T> Value::as() const {
  if constexpr (std::same_as<T, Value>) {
    return *this;
  } else if constexpr (std::same_as<T, bool>) {
    return as_bool();
  } else if constexpr (std::signed_integral<T>) {
    return narrow<T>(as_signed(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else if constexpr (std::unsigned_integral<T>) {
    return narrow<T>(as_unsigned(std::numeric_limits<T>::max()));
  } else if constexpr (std::floating_point<T>) {
    return narrow<T>(as_double(
        static_cast<double>(std::min<long double>(std::numeric_limits<T>::max(), std::numeric_limits<double>::max()))));
  } else if constexpr (std::same_as<T, std::string>) {
    return as_string();
  } else if constexpr (std::same_as<T, std::vector<std::byte>>) {
    return as_byte_vector();
  } else if constexpr (std::same_as<T, boost::json::value>) {
    return json();
  } else {
    auto decoded = json();
    if (!decoded) return std::unexpected(std::move(decoded.error()));
    try {
      return boost::json::value_to<T>(*decoded);
    } catch (const std::exception& e) {
      return fail(Errc::invalid_request, std::string("the value has another type: ") + e.what());
    }
  }
}

}  // namespace concord
