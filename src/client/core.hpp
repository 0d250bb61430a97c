// What a client's calls are made of: requests that are waited for, and requests whose outcome is told to a completion.
//
// Answers are taken apart by whoever wants them, never by the transport's thread: in the thread of a call that waits, and where
// completions run else. Asynchronous calls of several steps share this object, so that none needs the client itself.
//
// Thread rule: any thread. `close`: once.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#include <concord/awaitable.hpp>
#include <concord/client.hpp>

#include "base/mutex.hpp"
#include "client/callbacks.hpp"
#include "client/event_source.hpp"
#include "client/request.hpp"
#include "client/transport.hpp"

namespace concord::client {

class Core {
 public:
  Core(std::unique_ptr<Transport> transport, const ClientOptions& options)
      : options_(options), callbacks_(options.executor), transport_(std::move(transport)) {}

  [[nodiscard]] const ClientOptions& options() const noexcept { return options_; }

  [[nodiscard]] Result<Answer> wait(Request request) {
    auto promise = std::make_shared<std::promise<Result<Answer>>>();
    auto answer = promise->get_future();
    transport_->send(std::move(request), [promise](Result<Answer> told) { promise->set_value(std::move(told)); });
    return answer.get();
  }

  /// `done` runs where completions do. The core must outlive it.
  void ask(Request request, AnswerCompletion done) {
    transport_->send(std::move(request), [this, done = std::move(done)](Result<Answer> told) mutable {
      callbacks_.run([done = std::move(done), told = std::move(told)]() mutable { done(std::move(told)); });
    });
  }

  /// `decode(Result<Answer>&&) -> Result<T>` and then `done` run where completions do. The core must outlive it.
  template <class T, class Decode>
  void start(Request request, Decode decode, Completion<T> done) {
    ask(std::move(request), [decode = std::move(decode), done = std::move(done)](Result<Answer> told) mutable {
      done(decode(std::move(told)));
    });
  }

  /// As `Transport::follow`.
  void follow(std::shared_ptr<EventSource> source, std::chrono::milliseconds timeout,
              std::move_only_function<void(Result<void>)> begun) {
    transport_->follow(std::move(source), timeout, std::move(begun));
  }
  /// Runs a task where completions do; once this has closed, inside the call. May outlive this.
  [[nodiscard]] std::function<void(Callbacks::Task)> runner() {
    return [door = door_](Callbacks::Task task) { door->run(std::move(task)); };
  }

  /// Runs `task` where completions do.
  void run(Callbacks::Task task) { callbacks_.run(std::move(task)); }

  /// Finishes what is in flight, and its completions; refuses what comes after.
  void close(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    transport_->close(limit - limit / 10);
    door_->shut();
    callbacks_.close(std::max(std::chrono::milliseconds(0),
                              std::chrono::floor<std::chrono::milliseconds>(end - std::chrono::steady_clock::now())));
  }

 private:
  /// Leads to the callbacks as long as they are there.
  class Door {
   public:
    explicit Door(Callbacks& callbacks) : callbacks_(&callbacks) {}
    void run(Callbacks::Task task) {
      {
        const base::MutexLock lock(mutex_);
        if (callbacks_ != nullptr) return callbacks_->run(std::move(task));
      }
      task();
    }
    void shut() {
      const base::MutexLock lock(mutex_);
      callbacks_ = nullptr;
    }

   private:
    base::Mutex mutex_;
    Callbacks* callbacks_ ABSL_GUARDED_BY(mutex_);
  };

  const ClientOptions options_;
  Callbacks callbacks_;
  std::shared_ptr<Door> door_ = std::make_shared<Door>(callbacks_);
  std::unique_ptr<Transport> transport_;  // ends first: its answers go to the callbacks
};

}  // namespace concord::client
