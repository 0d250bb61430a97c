// Many keys to a node, 500 in a transaction: what `kv bulk-load` and `import` have in common.
//
// A key that the node refuses (its value is too large, say) is told to the caller, who decides whether to go on without it; the
// others of its batch are stored then. Batches are stored in order, each of them or none of it.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "client.hpp"
#include "commands/commands.hpp"

namespace concord::app {

/// What becomes of a key that is there already. By anything but `replace` the node is asked in the same transaction that stores.
enum class OnConflict : std::uint8_t { replace, skip, fail };

struct BulkItem {
  std::uint64_t number = 0;  ///< which of the input it is: a line, an entry
  std::string place = {};    ///< the same for people
  std::string key = {};      ///< any bytes; needed unless conflicts are replaced
  std::string json = {};     ///< an operation of `POST /kv/bulk`, in stored form
};

class BulkWriter {
 public:
  /// Told of an item that was refused, and why. True: goes on without it.
  using OnRefused = std::function<bool(const BulkItem& item, std::string_view why)>;

  BulkWriter(Context& context, OnConflict on_conflict, OnRefused on_refused)
      : context_(context), client_(context.client()), on_conflict_(on_conflict), on_refused_(std::move(on_refused)) {}

  /// Sends a batch when one is full. False: it can't go on; why was reported and is the context's exit code.
  [[nodiscard]] bool add(BulkItem item);
  /// Sends what is left.
  [[nodiscard]] bool finish() { return send(); }

  [[nodiscard]] std::uint64_t stored() const noexcept { return stored_; }
  [[nodiscard]] std::uint64_t skipped() const noexcept { return skipped_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  /// The number of the first item that was neither stored nor skipped nor refused; `otherwise` when there is none.
  [[nodiscard]] std::uint64_t first_pending(std::uint64_t otherwise) const noexcept {
    return batch_.empty() ? otherwise : batch_.front().number;
  }

 private:
  bool send();
  bool settle(const ClientAnswer& answer);
  bool settle_refusal(const ClientAnswer& answer);
  bool settle_conflict(std::string_view result);
  bool drop_existing();
  void clear();
  [[nodiscard]] bool is_conditional() const noexcept { return on_conflict_ != OnConflict::replace; }
  [[nodiscard]] ClientRequest request() const;
  [[nodiscard]] std::string conditional_body() const;

  Context& context_;
  Client client_;
  OnConflict on_conflict_;
  OnRefused on_refused_;
  std::vector<BulkItem> batch_;
  std::unordered_set<std::string> keys_;  ///< of the batch, unless conflicts are replaced
  std::size_t bytes_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace concord::app
