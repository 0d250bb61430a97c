// How an asynchronous call tells its outcome: to a completion, or to a coroutine that awaits it.
//
//     store.async_put("counter", 1, {}, [](concord::Result<concord::Revision> done) { ... });
//     concord::Result<concord::Revision> done = co_await store.async_put("counter", 2);
//
// g++ before 13 destroys structs with strings or values in them wrongly when they are written inside a `co_await` expression
// (a `Query`, a `Transaction`, `PutIfOptions`): give them a name in the line before. Keys, values and the other options are safe.
#pragma once

#include <atomic>
#include <coroutine>
#include <functional>
#include <optional>
#include <utility>

#include <concord/error.hpp>

namespace concord {

/// Called exactly once with the outcome of an asynchronous call.
template <class T>
using Completion = std::move_only_function<void(Result<T>)>;

/// What `async_...` without a completion returns: start it by `co_await`. The coroutine goes on where completions run.
template <class T, class Start>
class [[nodiscard]] Awaitable {
 public:
  explicit Awaitable(Start start) : start_(std::move(start)) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  /// A call that ends inside itself does not suspend: a loop of such calls takes no stack.
  bool await_suspend(std::coroutine_handle<> waiting) {
    start_([this, waiting](Result<T> outcome) {
      outcome_.emplace(std::move(outcome));
      if (one_came_.exchange(true)) waiting.resume();
    });
    return !one_came_.exchange(true);
  }
  [[nodiscard]] Result<T> await_resume() { return std::move(*outcome_); }

 private:
  Start start_;
  std::optional<Result<T>> outcome_;
  std::atomic<bool> one_came_{false};  ///< The outcome, or the end of the call that began it: the second goes on.
};

namespace detail {

template <class T, class Start>
auto awaitable(Start start) {
  return Awaitable<T, Start>(std::move(start));
}

}  // namespace detail
}  // namespace concord
