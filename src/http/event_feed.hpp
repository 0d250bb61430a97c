// A subscription as a stream of server-sent events, or of messages of a WebSocket. Comments tell how far it is, so that who was cut off
// goes on from there although nothing that matches has come for long: one at the beginning, and one for each sign of life.
//
//   : revision N
//
// When it can't go on, the last one is
//
//   event: end
//   data: {"code","message"[,"oldest_revision"]}          oldest_revision: with COMPACTED
//
// Over a WebSocket each of these is a text message: an event its data; {"type":"position","revision"}; {"type":"end","code",...},
// and then the connection is closed.
//
// Thread rule: as `Feed`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <concord/events.hpp>

#include "events/subscriber.hpp"
#include "http/feed.hpp"
#include "http/web_socket.hpp"

namespace concord::http {

/// Appends `"code":...,"message":...` and, of `compacted`, `,"oldest_revision":...`.
void append_end_members(std::string& to, const Error& why, Revision oldest);

enum class EventForm : std::uint8_t { server_sent, web_socket };

class EventFeed final : public Feed {
 public:
  /// Whether it still may be seen by who follows it; asked again and again. Errors: unauthorized.
  using Confirm = std::function<Result<void>()>;

  EventFeed(std::shared_ptr<events::Subscriber> subscriber, Confirm confirm, EventForm form)
      : subscriber_(std::move(subscriber)), confirm_(std::move(confirm)), form_(form) {}

  [[nodiscard]] State append(std::string& to) override;
  void when_ready(std::move_only_function<void()> ready) override { subscriber_->when_ready(std::move(ready)); }
  void append_sign_of_life(std::string& to) override;
  void finish(const Error& why) override { subscriber_->finish(why); }
  [[nodiscard]] bool take(std::string_view input, std::string& answer) override;

 private:
  void append_event(std::string& to, const Event& event);
  void append_end(std::string& to, const Error& why);

  std::shared_ptr<events::Subscriber> subscriber_;
  Confirm confirm_;
  const EventForm form_;
  WebSocketInput input_;
  std::string message_;        // reused
  std::vector<Event> events_;  // reused
  bool has_begun_ = false;
};

}  // namespace concord::http
