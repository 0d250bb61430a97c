// The addresses that a name has, asked for again and again.
//
// The system's resolver may take half a minute to find that nobody answers it, and can't be stopped: so it is asked on a thread that
// nobody waits for. It writes into a state that it shares and touches nothing else.
//
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <concord/error.hpp>

namespace concord::transport {

/// All addresses of a name, as text; an address is its own name. Blocks. Errors: cluster_not_ready, with the resolver's reason.
[[nodiscard]] Result<std::vector<std::string>> look_up(const std::string& host);

/// "10.0.0.1:9100", "[::1]:9100"
[[nodiscard]] std::string with_port(const std::string& host, std::uint16_t port);

class NameLookup {
 public:
  /// `host_and_port`: a name or address, as parse_address takes it; or without a port, which is then `port`.
  /// Errors: invalid_request.
  [[nodiscard]] static Result<NameLookup> of(const std::string& host_and_port, std::uint16_t port);

  struct Found {
    std::vector<std::string> addresses = {};  ///< host:port, ascending; of the last answer that came
    std::string problem = {};                 ///< of the last answer; empty: none, or there is no answer yet
  };
  /// What is known now. Asks again behind the caller's back when the last answer is older than a second.
  [[nodiscard]] Found found();

 private:
  struct State;
  explicit NameLookup(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

}  // namespace concord::transport
