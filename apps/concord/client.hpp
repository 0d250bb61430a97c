// The command line's way to a node: one HTTP request, one answer, a deadline over everything.
//
// Several endpoints are tried in order. The next one is asked only when the one before cannot have done anything: it could
// not be reached, it answered 503 (which means that nothing was done, ever), or the call only reads. The time is shared among
// those that are still to be reached, so that one that swallows packets leaves some for the next. Thread rule: one thread.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exit_code.hpp"

namespace concord::app {

struct ClientRequest {
  std::string method;
  std::string target;  ///< path and query, percent-encoded
  std::string body = {};
  std::string content_type = {};  ///< empty: none
  std::string accept = {};        ///< empty: none
  /// Takes the body of a success in pieces, as they come; the answer's is empty then. The timeout is for each piece, not for all of
  /// them. Once it was called no other endpoint is asked. False: no more is wanted, and the call ends.
  std::function<bool(std::string_view piece)> take = {};
};

struct ClientAnswer {
  unsigned status = 0;
  std::string body;
  std::string endpoint = {};  ///< who answered, as it was given
};

struct ClientFailure {
  ExitCode code = ExitCode::failed;
  std::string message;
};

struct ClientSettings {
  std::vector<std::string> endpoints;  ///< as client/endpoint.hpp says
  std::string token;                   ///< empty: none
  std::chrono::milliseconds timeout{5000};
  std::string certificates_path = {};  ///< PEM: whom to trust; empty: whom the system trusts
  bool trusts_anybody = false;
  std::string own_certificate_path = {};  ///< PEM, with its key beside it: shown to nodes that ask for one; empty: none
  std::string own_key_path = {};
};

class Client {
 public:
  explicit Client(ClientSettings settings) : settings_(std::move(settings)) {}

  /// An answer of any status, or why there is none.
  [[nodiscard]] std::expected<ClientAnswer, ClientFailure> call(const ClientRequest& request) const;

 private:
  ClientSettings settings_;
};

/// The exit code of an answer that is no success.
[[nodiscard]] ExitCode exit_code_of(unsigned status) noexcept;

}  // namespace concord::app
