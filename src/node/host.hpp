// What a node runs on: files, clocks, network, threads, chance. Mostly the real ones; a simulation brings its own of each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <concord/error.hpp>

#include "env/clock.hpp"
#include "env/executor.hpp"
#include "env/file_system.hpp"
#include "node/draw.hpp"
#include "store/history.hpp"
#include "transport/transport.hpp"

namespace concord::observe {
class Observer;
}

namespace concord::node {

struct Host {
  std::unique_ptr<env::FileSystem> files;
  std::unique_ptr<env::Clock> clock;
  /// Never 0.
  std::function<std::uint64_t()> draw = node::draw;
  std::function<Result<std::unique_ptr<transport::Transport>>(const transport::Options&, transport::Handler&)>
      open_transport = transport::Transport::open;
  std::function<std::unique_ptr<env::Executor>()> make_executor = [] {
    return std::make_unique<env::ThreadExecutor>();
  };
  /// What is told of all that is applied, and what event streams are served from; null: nothing is kept.
  std::shared_ptr<store::History> history = {};
  /// Without, the node does nothing by itself: its owner calls `Runtime::step`.
  bool has_threads = true;
  /// Who watches; null: nobody, and no clock is read for it.
  observe::Observer* observer = nullptr;
};

}  // namespace concord::node
