// The lines of an export, as an answer that goes on: as fast as the client takes them, read as they are sent.
//
// An export that fails on its way ends with a line {"error":{"code","message"}}: there is no status any more to tell it by.
// Thread rule: the connection's thread.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "audit/search.hpp"
#include "http/feed.hpp"
#include "value/json_string.hpp"

namespace concord::http {

class AuditFeed final : public Feed {
 public:
  explicit AuditFeed(audit::LineSearch search) : search_(std::move(search)) {}

  State append(std::string& to) override {
    constexpr std::size_t lines_of_a_step = 256;
    if (why_) append_error(to, *why_);
    if (!has_ended_) {
      const auto is_more = search_.step(lines_of_a_step, [&](std::string_view line) {
        to.append(line) += '\n';
        return true;
      });
      if (is_more && *is_more) return State::more;
      if (!is_more) append_error(to, is_more.error());
      has_ended_ = true;
    }
    return State::ended;
  }
  void when_ready(std::move_only_function<void()> ready) override { ready(); }  // it never waits
  void append_sign_of_life(std::string& to) override { to += '\n'; }
  void finish(const Error& why) override {
    has_ended_ = true;
    why_ = why;
  }

 private:
  static void append_error(std::string& to, const Error& error) {
    to += R"({"error":{"code":")";
    to.append(error_name(error.code())) += R"(","message":)";
    value::append_json_string(to, error.message());
    to += "}}\n";
  }

  audit::LineSearch search_;
  bool has_ended_ = false;
  std::optional<Error> why_;  ///< it was ended, not at its end
};

}  // namespace concord::http
