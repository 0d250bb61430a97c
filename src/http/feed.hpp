// The body of an answer that goes on until its client or its source has enough: what a handler gives to `Call::stream`.
//
// Thread rule: the connection's thread; what `when_ready` was given is called from any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <concord/error.hpp>

namespace concord::http {

class Feed {
 public:
  virtual ~Feed() = default;
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  enum class State : std::uint8_t {
    more,     ///< there is more at once
    waiting,  ///< nothing more now: `when_ready` tells of the next
    ended,    ///< nothing more at all; why was appended
    broken,   ///< nothing more, and what was sent is not all: the client must not take it for the end
  };

  /// Appends what there is, well below 1 ms of it and no more than a client may leave unread.
  [[nodiscard]] virtual State append(std::string& to) = 0;
  /// Calls `ready` once; inside the call, or on a thread that it must not hold up.
  virtual void when_ready(std::move_only_function<void()> ready) = 0;
  /// Appends what tells a client that it still goes on.
  virtual void append_sign_of_life(std::string& to) = 0;
  /// Ends it: the next `append` says why.
  virtual void finish(const Error& why) = 0;
  /// What the client has sent meanwhile; appends what is to be answered. False: the connection ends behind that.
  [[nodiscard]] virtual bool take(std::string_view /*input*/, std::string& /*answer*/) { return true; }

 protected:
  Feed() = default;
};

}  // namespace concord::http
