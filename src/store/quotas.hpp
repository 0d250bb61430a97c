// What each tenant has, and whether a command may add to it: keys, and bytes of keys and values as they are stored.
//
// Everything with a tenant's prefix counts, whoever wrote it. A command that makes what a tenant has larger, and leaves it larger than its
// quota, is refused as a whole; one that makes nothing larger never is, also where a quota was set below what was there. So who is
// over can delete his way back. Expiry and restores are never refused.
//
// Derived: not in snapshots. It is kept up with each change, and counted again where keys are replaced as a whole; equal states have
// equal usage, so verdicts are the same on every machine.
//
//     quotas.begin();                                    // a command
//     quotas.note(key, before, after);                   // each of its changes
//     if (auto excess = quotas.excess()) quotas.undo();  // the keys are undone by the caller
//     quotas.end();
//
// Thread rule: the writer's, but `show`, which any thread may call in a section.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/auth.hpp>

#include "acl/directory.hpp"
#include "store/epoch.hpp"
#include "store/key_space.hpp"

namespace concord::store {

class Quotas {
 public:
  explicit Quotas(Epoch& epoch) : epoch_(epoch) {}
  Quotas(const Quotas&) = delete;
  Quotas& operator=(const Quotas&) = delete;
  /// Precondition: no reader is inside a section.
  ~Quotas() { delete table_.load(std::memory_order_relaxed); }

  /// There are tenants: else nothing below needs to be called.
  [[nodiscard]] bool has_tenants() const noexcept { return !table().rows.empty(); }

  /// The tenants are others now. Those that are new are counted.
  void set_tenants(const acl::Directory& directory, const KeySpace& keys);
  /// The keys are others now.
  void recount(const KeySpace& keys);

  /// A put of this key can be refused.
  [[nodiscard]] bool limits(std::string_view key) const noexcept;
  void begin() noexcept { ++command_; }
  /// Sizes of the values, none: the key is not there.
  void note(std::string_view key, std::optional<std::size_t> before_bytes, std::optional<std::size_t> after_bytes);
  /// For people: the first tenant whose quota the changes since `begin` pass; none: none is.
  [[nodiscard]] std::optional<std::string> excess() const;
  /// Back to what was there at `begin`.
  void undo() noexcept;
  /// Shows it to readers.
  void end() noexcept;

  /// Fills in what it has, as of the last command.
  void show(Tenant& tenant) const noexcept;

 private:
  struct Counter {
    TenantUsage now = {};
    TenantUsage before = {};    // at the beginning of `command`
    std::uint64_t command = 0;  // the last that touched it
    // For readers.
    std::atomic<std::uint64_t> keys{0};
    std::atomic<std::uint64_t> bytes{0};
  };
  struct Row {
    acl::TenantPointer tenant;
    std::shared_ptr<Counter> counter;
  };
  struct Table {
    std::vector<Row> rows;  // by prefix; none begins with another one
  };

  [[nodiscard]] const Table& table() const noexcept { return *table_.load(std::memory_order_relaxed); }
  [[nodiscard]] static const Row* row_of(const Table& table, std::string_view key) noexcept;
  static void count(const Row& row, const KeySpace& keys);

  Epoch& epoch_;
  std::atomic<const Table*> table_{new Table};  // never null; replaced as a whole
  std::uint64_t command_ = 0;
  std::vector<const Row*> touched_;  // since `begin`
};

}  // namespace concord::store
