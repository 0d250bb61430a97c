// What goes to a node and what comes back, before and after it is HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <concord/error.hpp>

namespace concord::client {

enum class Method : std::uint8_t { get, put, post, del };

struct Request {
  Method method = Method::get;
  std::string target = {};  ///< path and query, encoded, without `timeout_ms`
  std::string body = {};
  bool is_bytes = false;   ///< the body is application/octet-stream, else JSON
  bool is_write = false;   ///< it may change something: sent again only when it certainly did not
  bool is_spread = false;  ///< any node may answer as well as another
  std::string token = {};
  std::chrono::milliseconds timeout{5000};
};

struct Answer {
  unsigned status = 0;
  std::string body = {};
};

using AnswerCompletion = std::move_only_function<void(Result<Answer>)>;

}  // namespace concord::client
