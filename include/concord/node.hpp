// A node inside this process.
//
//     auto node = concord::Node::open({.data_dir = "/var/lib/myapp/concord"});
//     if (!node) { std::cerr << node.error().message(); return 1; }
//     node->put("greeting", "Hello");
//
// A guest in its host: a node opens no port, prints nothing, installs no signal handler and never ends the process. Many
// nodes may live in one process, each with its own data directory.
//
// Closing: the destructor finishes the writes in flight, runs their completions, writes what mode `memory` still holds, and
// blocks at most 5 s. Calls made after that are undefined; calls still running in other threads must have returned.
#pragma once

#include <memory>

#include <concord/export.hpp>
#include <concord/store.hpp>

namespace concord {

class CONCORD_API Node final : public Store {
 public:
  /// Opens the data directory, recovers what it holds and starts. Returns when the node can serve.
  /// Errors: invalid_request (an option, or a directory that is not Concord's; nothing in it is touched),
  /// storage_failed (damage, named by file and offset; or an I/O error), cluster_not_ready (another process has it open).
  [[nodiscard]] static Result<Node> open(Options options);

  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() override;

  using Store::async_put;
  using Store::get;

  Result<Revision> put(std::string_view key, const Value& value, const PutOptions& options = {}) override;
  Result<Revision> create(std::string_view key, const Value& value, const PutOptions& options = {}) override;
  Result<Revision> del(std::string_view key, const WriteOptions& options = {}) override;
  Result<Revision> touch(std::string_view key, std::chrono::seconds ttl, const WriteOptions& options = {}) override;
  Result<Value> get(std::string_view key, const ReadOptions& options = {}) override;
  Result<Entry> get_entry(std::string_view key, const ReadOptions& options = {}) override;
  Result<Revision> put_many(const std::vector<PutItem>& items, const WriteOptions& options = {}) override;
  Result<std::vector<std::optional<Value>>> get_many(const std::vector<std::string_view>& keys,
                                                     const ReadOptions& options = {}) override;
  void async_put(std::string_view key, const Value& value, const PutOptions& options,
                 Completion<Revision> done) override;
  Result<Status> status() override;

 private:
  class Impl;
  explicit Node(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concord
