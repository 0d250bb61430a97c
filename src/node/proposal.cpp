#include "node/proposal.hpp"

#include <algorithm>
#include <utility>

#include "base/crc32c.hpp"
#include "base/wire.hpp"

namespace concord::node {

using base::ClusterId;
using base::NodeId;
using base::Reader;

namespace {

constexpr std::string_view magic = "CNCRDPRM";
constexpr std::uint8_t known_version = 1;
constexpr std::size_t crc_bytes = 4;
constexpr std::size_t most_text_bytes = 300;

std::string path_of(const std::string& directory) { return directory + "/promise"; }

std::unexpected<Error> bad(std::string_view what) {
  return fail(Errc::invalid_request, "the bytes are no " + std::string(what));
}

}  // namespace

std::uint64_t choice_of(const std::vector<Founder>& founders) {
  std::string text;
  for (const Founder& founder : founders) {
    base::append_bytes(text, founder.name);
    base::append_fixed64(text, founder.directory);
  }
  return digest_of(text);
}

ClusterId cluster_of(const Proposal& proposal, std::string_view cluster_name) {
  std::string text = "discovered";
  base::append_bytes(text, cluster_name);
  return ClusterId(digest_of(text + encode(proposal)));
}

Place place_in(const Proposal& proposal, std::string_view cluster_name, std::uint64_t directory) {
  Place place{.cluster = cluster_of(proposal, cluster_name), .node = {}, .founders = replica::Membership()};
  for (const Founder& founder : proposal.founders) {
    std::string text;
    base::append_fixed64(text, place.cluster.value());
    base::append_fixed64(text, founder.directory);
    const NodeId id(digest_of(text));
    place.founders->members.push_back(
        {.id = id, .directory = founder.directory, .name = founder.name, .peer = founder.peer});
    place.founders->conf.voters.push_back(id);
    if (founder.directory == directory) place.node = id;
  }
  std::ranges::sort(place.founders->members, {}, &replica::Member::id);
  std::ranges::sort(place.founders->conf.voters);
  return place;
}

std::string encode(const Proposal& proposal) {
  std::string bytes;
  base::append_fixed64(bytes, proposal.id);
  base::append_varint(bytes, proposal.founders.size());
  for (const Founder& founder : proposal.founders) {
    base::append_bytes(bytes, founder.name);
    base::append_fixed64(bytes, founder.directory);
    base::append_bytes(bytes, founder.peer);
  }
  return bytes;
}

Result<Proposal> decode_proposal(std::string_view bytes) {
  Reader reader(bytes);
  Proposal proposal{.id = reader.fixed64()};
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    Founder founder;
    founder.name = reader.bytes();
    founder.directory = reader.fixed64();
    founder.peer = reader.bytes();
    const bool is_sound = !founder.name.empty() && founder.name.size() <= most_text_bytes && !founder.peer.empty() &&
                          founder.peer.size() <= most_text_bytes && founder.directory != 0;
    const bool is_in_order = proposal.founders.empty() || proposal.founders.back().name < founder.name;
    const bool is_new =
        std::ranges::find(proposal.founders, founder.directory, &Founder::directory) == proposal.founders.end();
    if (!is_sound || !is_in_order || !is_new) return bad("proposal");
    proposal.founders.push_back(std::move(founder));
  }
  if (!reader.finished() || proposal.id == 0 || proposal.founders.empty()) return bad("proposal");
  return proposal;
}

std::string encode(const View& view) {
  std::string bytes;
  base::append_varint(bytes, view.expected_size);
  base::append_fixed64(bytes, view.choice);
  base::append_fixed64(bytes, view.promised);
  return bytes;
}

Result<View> decode_view(std::string_view bytes) {
  Reader reader(bytes);
  View view;
  view.expected_size = reader.varint();
  view.choice = reader.fixed64();
  view.promised = reader.fixed64();
  if (!reader.finished()) return bad("view of a node without a cluster");
  return view;
}

Result<void> keep_promise(env::FileSystem& files, const std::string& directory,
                          const std::optional<Proposal>& promise) {
  const std::string path = path_of(directory);
  if (promise) {
    std::string bytes(magic);
    bytes.push_back(static_cast<char>(known_version));
    bytes += encode(*promise);
    base::append_fixed32(bytes, base::crc32c(bytes));
    return env::write_file_atomically(files, path, bytes);
  }
  if (auto removed = files.remove(path); !removed && removed.error().code() != Errc::not_found) return removed;
  return files.sync_directory(directory);
}

Result<std::optional<Proposal>> kept_promise(env::FileSystem& files, const std::string& directory) {
  const std::string path = path_of(directory);
  const auto bytes = env::read_file(files, path);
  if (!bytes && bytes.error().code() == Errc::not_found) return std::nullopt;
  if (!bytes) return std::unexpected(bytes.error());
  const std::size_t front = magic.size() + 1;
  const auto damaged = [&] { return fail(Errc::storage_failed, path + ": it is damaged"); };
  if (bytes->size() < front + crc_bytes || !bytes->starts_with(magic)) return damaged();
  const std::string_view covered(bytes->data(), bytes->size() - crc_bytes);
  if (Reader(std::string_view(*bytes).substr(covered.size())).fixed32() != base::crc32c(covered)) return damaged();
  if (static_cast<std::uint8_t>((*bytes)[magic.size()]) != known_version) {
    return fail(Errc::storage_failed, path + ": its version is not known to this program");
  }
  auto proposal = decode_proposal(covered.substr(front));
  if (!proposal) return damaged();
  return std::move(*proposal);
}

}  // namespace concord::node
