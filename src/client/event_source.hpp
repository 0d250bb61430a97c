// A subscription that comes over HTTP: between the transport, which keeps a stream open, and who takes the events.
//
// The transport reads on only while there is room for `max_demand` events; beyond, the node feels that nobody reads. When a stream
// breaks, the next one begins behind the last event that came, or behind the last progress that was told without any.
//
// Thread rule: `take` and `when_ready` by one thread at a time; what the transport calls on its own; the rest any.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.hpp"
#include "calls/subscription.hpp"
#include "client/event_decode.hpp"
#include "client/server_sent_events.hpp"

namespace concord::client {

class EventSource final : public Subscription::Impl {
 public:
  struct Settings {
    std::string target;  ///< path and query
    std::string token;
    std::size_t max_demand = 1000;
    std::optional<Revision> after = {};
    /// Runs a task where completions run. It may outlive the client.
    std::function<void(std::move_only_function<void()>)> run;
  };

  explicit EventSource(Settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] Result<void> take(std::vector<Event>& to, std::size_t most) override;
  void when_ready(std::move_only_function<void()> ready) override;
  void finish(Error why) override;
  void run(std::move_only_function<void()> task) override { settings_.run(std::move(task)); }
  [[nodiscard]] Revision position() const override;
  [[nodiscard]] Revision oldest_revision() const override;
  [[nodiscard]] std::optional<Error> error() const override;

  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

  // --- the transport's -------------------------------------------------------------------------------------------------

  /// Called when there is room again, or it has ended; on any thread. Set before it is used.
  void set_waker(std::function<void()> wake) { wake_ = std::move(wake); }
  /// Where the next stream begins; none: with what happens from then on.
  [[nodiscard]] std::optional<Revision> resume_after() const;
  /// A new stream begins.
  void begin_stream() { parser_ = {}; }
  /// Takes in what came. False: the stream is of no use any more.
  [[nodiscard]] bool add(std::string_view bytes);
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool has_ended() const { return error().has_value(); }
  void fail_for_good(StreamEnd end);

 private:
  struct Came {
    Revision revision;  // 0: of a read
    std::string data;
  };

  void add_one(const ServerSentEvent& event);
  [[nodiscard]] std::move_only_function<void()> take_ready() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::exchange(ready_, nullptr);
  }

  const Settings settings_;
  std::function<void()> wake_;
  ServerSentEvents parser_;  // the transport's
  bool is_useless_ = false;  // the transport's: of the stream that is open

  mutable base::Mutex mutex_;
  std::deque<Came> came_ ABSL_GUARDED_BY(mutex_);
  std::optional<Revision> received_ ABSL_GUARDED_BY(mutex_);  // none: nothing yet, not even where it begins
  Revision taken_ ABSL_GUARDED_BY(mutex_);
  Revision oldest_ ABSL_GUARDED_BY(mutex_);
  std::move_only_function<void()> ready_ ABSL_GUARDED_BY(mutex_);
  std::optional<Error> error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::client
