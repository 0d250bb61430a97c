// The history of events at a snapshot, in a file beside it: so that a node which starts from that snapshot and the log behind it has the
// same history as one that never stopped.
//
// DIR/history/snapshot-INDEX-TERM.snap, in the form of snapshot files (log/snapshot_file.hpp), with
//
//   meta := format:u8(=1) first:varint count:varint          revisions first, first + 1, ...; count may be 0
//   raw  := event*       event := bytes                      store/history.hpp
//
// It is no part of the snapshot: a member of an earlier version must be able to read that, and nothing is lost without it. A node
// that has no such file, or one that does not fit, begins its history with the snapshot.
//
// Errors: those of snapshot files. Thread rule: one thread at a time.
#pragma once

#include <string>

#include <concord/error.hpp>
#include <concord/revision.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"
#include "store/history.hpp"

namespace concord::node {

/// Durable when it returns.
[[nodiscard]] Result<void> save_history(env::FileSystem& files, const std::string& directory, base::Index index,
                                        base::Term term, store::HistoryImage image);

/// Fills `history` with what was saved at the snapshot of that place, whose newest revision is `revision`; with nothing when there is no
/// such file. After an error it has nothing either.
[[nodiscard]] Result<void> load_history(env::FileSystem& files, const std::string& directory, base::Index index,
                                        base::Term term, Revision revision, store::History& history);

/// All but those of the `keep` newest places.
[[nodiscard]] Result<void> remove_old_histories(env::FileSystem& files, const std::string& directory, std::size_t keep);

}  // namespace concord::node
