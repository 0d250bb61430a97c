// What nodes with empty directories agree about before they form a cluster (bootstrap.hpp), and its bytes:
//
//   proposal := id:fixed64 count:varint founder*                    founders by name, each name and each directory once; the first proposes
//   founder  := name:bytes directory:fixed64 peer:bytes
//   view     := expected_size:varint choice:fixed64 promised:fixed64
//
// and the file DIR/promise, in which a node keeps what it has agreed to until it has its place, or is free again:
//
//   promise  := "CNCRDPRM" version:u8(=1) proposal crc:u32          crc: over all before it
//
// Pure, but for the two that name a file system. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"
#include "node/place.hpp"

namespace concord::node {

struct Founder {
  std::string name = {};
  std::uint64_t directory = 0;
  std::string peer = {};  ///< host:port

  friend bool operator==(const Founder&, const Founder&) = default;
};

struct Proposal {
  std::uint64_t id = 0;  ///< drawn for it, never used again
  std::vector<Founder> founders = {};

  friend bool operator==(const Proposal&, const Proposal&) = default;
};

/// What a node without a cluster thinks of the others.
struct View {
  std::uint64_t expected_size = 0;  ///< 0: it does not form clusters by discovery
  std::uint64_t choice = 0;         ///< digest of the founders it would form a cluster with; 0: not yet
  std::uint64_t promised = 0;       ///< id of the proposal it has agreed to

  friend bool operator==(const View&, const View&) = default;
};

/// What these founders are known by, wherever they can be dialled.
[[nodiscard]] std::uint64_t choice_of(const std::vector<Founder>& founders);

/// The cluster that a proposal makes.
[[nodiscard]] base::ClusterId cluster_of(const Proposal& proposal, std::string_view cluster_name);
/// The place in it of the node with this directory, the same cluster on each. Its id is 0: it is no founder.
[[nodiscard]] Place place_in(const Proposal& proposal, std::string_view cluster_name, std::uint64_t directory);

[[nodiscard]] std::string encode(const Proposal& proposal);
/// Errors: invalid_request, also when the founders are not in their order.
[[nodiscard]] Result<Proposal> decode_proposal(std::string_view bytes);
[[nodiscard]] std::string encode(const View& view);
[[nodiscard]] Result<View> decode_view(std::string_view bytes);

/// Durable when it returns; nothing: the file is gone. Errors: those of the file system; what is there then is the old or the new.
[[nodiscard]] Result<void> keep_promise(env::FileSystem& files, const std::string& directory,
                                        const std::optional<Proposal>& promise);
/// Errors: those of the file system; storage_failed when the file is damaged.
[[nodiscard]] Result<std::optional<Proposal>> kept_promise(env::FileSystem& files, const std::string& directory);

}  // namespace concord::node
