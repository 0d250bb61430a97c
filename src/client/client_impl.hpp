// What a `Client` holds.
#pragma once

#include <memory>
#include <utility>

#include <concord/client.hpp>

#include "calls/gate.hpp"
#include "client/core.hpp"

namespace concord {

class Client::Impl {
 public:
  Impl(std::unique_ptr<client::Transport> transport, const ClientOptions& options)
      : core(std::move(transport), options), gate(std::make_shared<calls::Gate>()) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  client::Core core;
  std::shared_ptr<calls::Gate> gate;  ///< open as long as the core may be used
};

}  // namespace concord
