// What a `Node` holds.
#pragma once

#include <memory>
#include <utility>

#include <concord/node.hpp>

#include "calls/gate.hpp"
#include "database/local_database.hpp"

namespace concord {

class Node::Impl {
 public:
  explicit Impl(std::unique_ptr<database::LocalDatabase> opened)
      : database(std::move(opened)),
        gate(std::make_shared<calls::Gate>()),
        compression(database->options().compression) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    database->stop_queries();
    gate->close();
  }

  std::unique_ptr<database::LocalDatabase> database;
  std::shared_ptr<calls::Gate> gate;
  Compression compression;
};

}  // namespace concord
