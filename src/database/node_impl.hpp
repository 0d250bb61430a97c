// What a `Node` holds.
#pragma once

#include <memory>
#include <utility>

#include <concord/node.hpp>

#include "database/local_database.hpp"
#include "database/query_gate.hpp"

namespace concord {

class Node::Impl {
 public:
  explicit Impl(std::unique_ptr<database::LocalDatabase> opened)
      : database(std::move(opened)),
        gate(std::make_shared<database::QueryGate>(*database)),
        compression(database->options().compression) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { gate->close(); }

  std::unique_ptr<database::LocalDatabase> database;
  std::shared_ptr<database::QueryGate> gate;
  Compression compression;
};

}  // namespace concord
