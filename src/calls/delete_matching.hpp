// `delete_where` with a C++ predicate: all that matches is found first, so that a predicate that fails has changed nothing; then
// it is removed where it has not changed since, 500 keys a transaction.
//
// Errors: what the predicate throws; batch_too_large; timeout; those of reading and committing. Thread rule: as the store's calls.
#pragma once

#include <cstdint>

#include <concord/store.hpp>

namespace concord::calls {

/// Precondition: the query's filter is a function, and it has no offset.
[[nodiscard]] Result<std::uint64_t> delete_matching(Store& store, const Query& query, const WriteOptions& options);

}  // namespace concord::calls
