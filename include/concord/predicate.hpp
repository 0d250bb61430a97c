// Conditions on a value: a filter document, which the store evaluates itself, or a C++ predicate, which the caller runs.
//
//     store.put_if("product", cheaper, {.condition = concord::Filter(R"({"price": {"$gte": 80}})")});
//     store.put_if("product", cheaper, {.condition = [](const Product& p) { return p.price >= 80; }});
//     store.where({.prefix = "user:", .filter = [](std::string_view key, const User& u) { return u.age >= 30; }});
//
// A predicate takes the value, or key and value; the value as `concord::Value`, or as any type that `Value::as` knows. A value
// that has not that type does not match. What throws is reported as `invalid_request`, and nothing is changed.
//
// Thread rule: ordinary values. A predicate runs in the thread of the call (in an asynchronous call: where completions run)
// and may run several times, once a try.
#pragma once

#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <concord/error.hpp>
#include <concord/value.hpp>

namespace concord {

/// A filter document: a JSON predicate, as text. Its members are paths into the value, its operators `$eq $ne $gt $gte $lt
/// $lte $in $nin $exists $type $regex $size $and $or $nor $not`; a bare value stands for `$eq`; `{"$value": {...}}` tests a value
/// that is no object; `$key`, `$ttl` and `$revision` see the rest of the entry. At most 32 deep and 16 KiB long. It is checked by
/// the call that gets it (`invalid_request`), and evaluated inside the transaction.
class Filter {
 public:
  explicit Filter(std::string document) : document_(std::move(document)) {}

  [[nodiscard]] const std::string& document() const noexcept { return document_; }

 private:
  std::string document_;
};

namespace detail {

/// The argument types of a callable with one signature.
template <class F>
struct Arguments : Arguments<decltype(&F::operator())> {};
template <class R, class... A>
struct Arguments<R (*)(A...)> {
  using Types = std::tuple<std::remove_cvref_t<A>...>;
};
template <class R, class... A>
struct Arguments<R (*)(A...) noexcept> : Arguments<R (*)(A...)> {};
template <class C, class R, class... A>
struct Arguments<R (C::*)(A...)> : Arguments<R (*)(A...)> {};
template <class C, class R, class... A>
struct Arguments<R (C::*)(A...) const> : Arguments<R (*)(A...)> {};
template <class C, class R, class... A>
struct Arguments<R (C::*)(A...) noexcept> : Arguments<R (*)(A...)> {};
template <class C, class R, class... A>
struct Arguments<R (C::*)(A...) const noexcept> : Arguments<R (*)(A...)> {};

template <class F>
concept HasOneSignature = std::is_function_v<F> || std::is_pointer_v<F> || requires { &F::operator(); };

template <class F, std::size_t Position>
using ArgumentType = std::tuple_element_t<Position, typename Arguments<F>::Types>;
template <class F>
inline constexpr std::size_t argument_count = std::tuple_size_v<typename Arguments<F>::Types>;

/// Calls what belongs to the user: a throw becomes an error.
template <class F>
auto guarded(F&& call) noexcept -> Result<decltype(call())> {
  try {
    return call();
  } catch (const std::exception& e) {
    return fail(Errc::invalid_request, std::string("the function given to the call threw: ") + e.what());
  } catch (...) {
    return fail(Errc::invalid_request, "the function given to the call threw");
  }
}

}  // namespace detail

class Predicate {
 public:
  /// No condition.
  Predicate() = default;
  Predicate(Filter filter) : filter_(std::move(filter)) {}
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Predicate> && !std::same_as<std::remove_cvref_t<F>, Filter> &&
             detail::HasOneSignature<std::decay_t<F>>)
  Predicate(F&& function) : function_(typed<std::decay_t<F>>(std::forward<F>(function))) {}
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, Predicate> && !std::same_as<std::remove_cvref_t<F>, Filter> &&
             !detail::HasOneSignature<std::decay_t<F>> && std::predicate<std::decay_t<F>&, const Value&>)
  Predicate(F&& function)
      : function_([function = std::forward<F>(function)](std::string_view, const Value& value) mutable {
          return detail::guarded([&] { return static_cast<bool>(function(value)); });
        }) {}

  [[nodiscard]] bool empty() const noexcept { return !filter_ && !function_; }
  /// The filter document, when it is one.
  [[nodiscard]] const std::optional<Filter>& filter() const noexcept { return filter_; }
  [[nodiscard]] bool is_function() const noexcept { return function_ != nullptr; }
  /// Runs the function. Precondition: is_function().
  [[nodiscard]] Result<bool> operator()(std::string_view key, const Value& value) const {
    return function_(key, value);
  }

 private:
  using Function = std::function<Result<bool>(std::string_view, const Value&)>;

  template <class F>
  static Function typed(F function) {
    constexpr std::size_t count = detail::argument_count<F>;
    static_assert(count == 1 || count == 2, "a predicate takes the value, or the key and the value");
    using T = detail::ArgumentType<F, count - 1>;
    return [function = std::move(function)](std::string_view key, const Value& value) mutable -> Result<bool> {
      const auto call = [&](const T& decoded) -> bool {
        if constexpr (count == 1) {
          return static_cast<bool>(function(decoded));
        } else {
          return static_cast<bool>(function(key, decoded));
        }
      };
      if constexpr (std::same_as<T, Value>) {
        return detail::guarded([&] { return call(value); });
      } else {
        const Result<T> decoded = value.as<T>();
        if (!decoded) return false;
        return detail::guarded([&] { return call(*decoded); });
      }
    };
  }

  std::optional<Filter> filter_;
  Function function_;
};

}  // namespace concord
