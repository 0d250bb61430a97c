// What `update` takes: a function from the value a key has to the value it is to have.
//
//     store.update("hits", [](int hits) { return hits + 1; });                            // a missing key: not_found
//     store.update("hits", [](std::optional<int> hits) { return hits.value_or(0) + 1; });  // ... or is created
//     store.update("cart", [](Cart cart) -> std::optional<Cart> {                          // nothing: leave it as it is
//       if (cart.closed) return std::nullopt;
//       ...
//     });
//
// The argument is `Value` or a type that `Value::as` knows, or a `std::optional` of one; the result anything a `Value` is made
// from, or a `std::optional` or `Result` of it. An error that is returned ends the update and becomes its result; what throws is
// `invalid_request`, and so is a value that is not of the argument's type.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <concord/error.hpp>
#include <concord/predicate.hpp>
#include <concord/value.hpp>

namespace concord {
namespace detail {

template <class T>
struct OptionalOf {
  static constexpr bool is_optional = false;
  using Type = T;
};
template <class T>
struct OptionalOf<std::optional<T>> {
  static constexpr bool is_optional = true;
  using Type = T;
};

inline Result<std::optional<Value>> as_new_value(std::nullopt_t) { return std::optional<Value>(); }
template <class T>
Result<std::optional<Value>> as_new_value(const T& value) {
  return std::optional<Value>(Value(value));
}
template <class T>
Result<std::optional<Value>> as_new_value(const std::optional<T>& value) {
  if (!value) return std::optional<Value>();
  return as_new_value(*value);
}
template <class T>
Result<std::optional<Value>> as_new_value(const Result<T>& value) {
  if (!value) return std::unexpected(value.error());
  return as_new_value(*value);
}

}  // namespace detail

class UpdateFunction {
 public:
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, UpdateFunction>)
  UpdateFunction(F&& function) {
    using Function = std::decay_t<F>;
    if constexpr (detail::HasOneSignature<Function>) {
      set<Function, detail::ArgumentType<Function, 0>>(std::forward<F>(function));
    } else {
      set<Function, Value>(std::forward<F>(function));
    }
  }

  /// Whether the function wants to be asked about a missing key too.
  [[nodiscard]] bool takes_missing() const noexcept { return takes_missing_; }
  /// The new value; nothing: leave the key as it is. `current` is null for a missing key.
  [[nodiscard]] Result<std::optional<Value>> operator()(const Value* current) const { return function_(current); }

 private:
  template <class F, class Argument>
  void set(F function) {
    using Optional = detail::OptionalOf<Argument>;
    using T = typename Optional::Type;
    takes_missing_ = Optional::is_optional;
    function_ = [function = std::move(function)](const Value* current) mutable -> Result<std::optional<Value>> {
      std::optional<T> decoded;
      if (current != nullptr) {
        auto value = current->as<T>();
        if (!value) return std::unexpected(std::move(value.error()));
        decoded = std::move(*value);
      }
      auto made = detail::guarded([&]() -> Result<std::optional<Value>> {
        if constexpr (Optional::is_optional) {
          return detail::as_new_value(function(std::move(decoded)));
        } else {
          return detail::as_new_value(function(std::move(*decoded)));
        }
      });
      if (!made) return std::unexpected(std::move(made.error()));
      return std::move(*made);
    };
  }

  std::function<Result<std::optional<Value>>(const Value*)> function_;
  bool takes_missing_ = false;
};

}  // namespace concord
