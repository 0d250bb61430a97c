#include "transport/handshake.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/mutant.hpp"
#include "base/wire.hpp"
#include "transport/frame.hpp"

namespace concord::transport {
namespace {

constexpr std::string_view magic = "CNCP";
/// How every TLS connection begins: a record of a handshake, of version 3.x.
constexpr std::string_view tls_front = "\x16\x03";
constexpr std::string_view listener_label = "listener";
constexpr std::string_view dialler_label = "dialler";
constexpr std::string_view refuser_label = "refuser";
constexpr std::size_t most_text_bytes = 300;
constexpr std::size_t most_identity_bytes = 3500;  // leaves room for the rest of a packet

enum class PacketKind : std::uint8_t { hello = 1, answer = 2, proof = 3, welcome = 4, refusal = 5 };

std::string packet_of(PacketKind kind, std::string_view body) {
  std::string packet(magic);
  base::append_fixed32(packet, static_cast<std::uint32_t>(body.size()));
  packet.push_back(static_cast<char>(kind));
  packet.append(body);
  return packet;
}

std::string printable(std::string_view text) {
  std::string clean(text.substr(0, most_text_bytes));
  std::ranges::replace_if(clean, [](char c) { return c < ' ' || c > '~'; }, '?');
  return clean;
}

std::unexpected<Refusal> refuse(Cause cause, Errc code, std::string why, std::string told = {}) {
  if (told.empty()) told = why;
  return std::unexpected(Refusal{.cause = cause, .error = Error(code, std::move(why)), .told = std::move(told)});
}

std::unexpected<Refusal> not_understood(std::string_view what) {
  return refuse(Cause::protocol, Errc::invalid_request, std::string(what));
}

void append_identity(std::string& to, const Identity& identity) {
  base::append_bytes(to, identity.cluster_name);
  base::append_fixed64(to, identity.cluster.value());
  base::append_fixed64(to, identity.node.value());
  base::append_fixed64(to, identity.directory);
  base::append_fixed64(to, identity.incarnation);
  base::append_bytes(to, identity.name);
  base::append_bytes(to, identity.peer_address);
  base::append_bytes(to, identity.api_url);
  base::append_bytes(to, identity.version);
}

Identity read_identity(base::Reader& reader) {
  Identity identity;
  identity.cluster_name = reader.bytes();
  identity.cluster = base::ClusterId(reader.fixed64());
  identity.node = base::NodeId(reader.fixed64());
  identity.directory = reader.fixed64();
  identity.incarnation = reader.fixed64();
  identity.name = reader.bytes();
  identity.peer_address = reader.bytes();
  identity.api_url = reader.bytes();
  identity.version = reader.bytes();
  return identity;
}

/// Does the other end belong with us? Both ends ask the same.
Agreed<void> check_cluster(const Identity& self, const Identity& peer) {
  if (peer.cluster_name != self.cluster_name) {
    const auto belongs = [](const Identity& who) {
      return "the peer belongs to cluster \"" + printable(who.cluster_name) + "\"";
    };
    return refuse(Cause::cluster_name, Errc::forbidden, belongs(peer), belongs(self));
  }
  const bool is_another = !peer.cluster.is_zero() && !self.cluster.is_zero() && peer.cluster != self.cluster;
  if (is_another && !CONCORD_MUTANT("a-member-of-another-cluster-is-let-in")) {
    return refuse(
        Cause::cluster_id, Errc::forbidden,
        "the peer belongs to another cluster that is called \"" + printable(self.cluster_name) +
            "\" too: one of the two was recovered or formed anew, and a node of one joins the other with an empty "
            "directory only");
  }
  return {};
}

/// One data directory is one node; two directories with one id are two nodes of which one is a copy.
Agreed<void> check_not_self(const Identity& self, const Identity& peer) {
  const bool same_node = !self.node.is_zero() && self.node == peer.node;
  if (self.directory == peer.directory && (same_node || self.directory != 0)) {
    return refuse(Cause::itself, Errc::already_exists, "this is a connection of the node to itself");
  }
  if (same_node) {
    return refuse(Cause::itself, Errc::invalid_request,
                  "two nodes have the id " + std::to_string(self.node.value()) + ", with different data directories");
  }
  return {};
}

Refusal read_refusal(std::string_view body) {
  base::Reader reader(body);
  const std::uint8_t cause = reader.byte();
  const std::uint8_t code = reader.byte();
  const std::string text = printable(reader.bytes());
  if (!reader.ok()) return not_understood("the peer refused in words that can't be read").error();
  const bool is_known = cause <= static_cast<std::uint8_t>(Cause::tls);
  return {
      .cause = is_known ? static_cast<Cause>(cause) : Cause::other, .error = Error(errc_of(code), text), .told = {}};
}

/// The body of a packet that is due; a refusal may come instead of it.
Agreed<std::string_view> body_of(std::string_view packet, PacketKind due) {
  if (packet.size() < packet_front_bytes) return not_understood("a packet of the handshake is cut short");
  const auto size_bytes = packet_size(packet.substr(0, packet_front_bytes));
  if (!size_bytes) return std::unexpected(size_bytes.error());
  if (*size_bytes != packet.size()) return not_understood("a packet of the handshake is cut short");
  const auto kind = static_cast<PacketKind>(packet[packet_front_bytes - 1]);
  const std::string_view body = packet.substr(packet_front_bytes);
  if (kind == PacketKind::refusal) return std::unexpected(read_refusal(body));
  if (kind != due) return not_understood("a packet of the handshake came out of order");
  return body;
}

/// "1", or "1 to 3".
std::string versions(std::uint64_t lowest, std::uint64_t highest) {
  return std::to_string(lowest) + (lowest == highest ? std::string() : " to " + std::to_string(highest));
}

std::string_view text_of(const Mac& mac) noexcept { return {mac.data(), mac.size()}; }

std::string body_of_refusal(const Refusal& refusal) {
  std::string body;
  body.push_back(static_cast<char>(refusal.cause));
  body.push_back(static_cast<char>(refusal.error.code()));
  base::append_bytes(body, printable(refusal.told));
  return body;
}

/// `transcript`: of the handshake, the dialler's proof included.
bool is_proved_refusal(std::string_view cookie, const std::string& transcript, std::string_view packet) {
  base::Reader reader(packet.substr(packet_front_bytes));
  (void)reader.take(2);
  (void)reader.bytes();
  const std::string said(packet.substr(0, packet_front_bytes + reader.offset()));
  const std::string_view mac = reader.take(Mac().size());
  if (!reader.ok() || transcript.empty()) return false;
  return is_same(mac_of(cookie, refuser_label, transcript + said), mac) || CONCORD_MUTANT("anybody-may-remove-a-node");
}

std::unexpected<Refusal> wrong_cookie() { return refuse(Cause::cookie, Errc::unauthorized, "wrong cookie"); }

}  // namespace

std::string refusal_packet(const Refusal& refusal) { return packet_of(PacketKind::refusal, body_of_refusal(refusal)); }

Refusal not_admitted(const Error& why) { return {.cause = Cause::not_admitted, .error = why, .told = why.message()}; }

Refusal not_connected(std::string why) {
  return {.cause = Cause::connection, .error = Error(Errc::cluster_not_ready, std::move(why)), .told = {}};
}

bool is_plain(std::string_view first_bytes) noexcept { return first_bytes.starts_with(magic); }

Refusal speaks_no_tls() {
  return {.cause = Cause::tls,
          .error = Error(Errc::forbidden, "this node speaks TLS to its peers, the other doesn't"),
          .told = "the other node speaks TLS to its peers, this one doesn't"};
}

Refusal not_secure(const std::string& why) {
  return {.cause = Cause::tls, .error = Error(Errc::forbidden, "TLS with the peer failed: " + why), .told = {}};
}

Agreed<std::size_t> packet_size(std::string_view front) {
  if (front.starts_with(tls_front)) {
    return refuse(Cause::tls, Errc::forbidden, "the other node speaks TLS to its peers, this one doesn't",
                  "this node speaks TLS to its peers, the other doesn't");
  }
  if (!front.starts_with(magic)) return not_understood("the peer doesn't speak Concord's protocol");
  base::Reader reader(front.substr(magic.size()));
  const std::size_t body_bytes = reader.fixed32();
  if (!reader.ok() || body_bytes > max_packet_body_bytes)
    return not_understood("a packet of the handshake is too large");
  return packet_front_bytes + body_bytes;
}

bool fits(const Identity& identity) {
  std::string bytes;
  append_identity(bytes, identity);
  return bytes.size() <= most_identity_bytes;
}

// ---------------------------------------------------------------------------------------------------------------------

DiallerHandshake::DiallerHandshake(Credentials credentials, Purpose purpose, Expected expected, const Nonce& nonce)
    : credentials_(std::move(credentials)), expected_(expected) {
  std::string body;
  base::append_varint(body, lowest_version);
  base::append_varint(body, highest_version);
  body.push_back(static_cast<char>(purpose));
  append_identity(body, credentials_.self);
  body.append(nonce.data(), nonce.size());
  hello_ = packet_of(PacketKind::hello, body);
}

Agreed<std::string> DiallerHandshake::take_answer(std::string_view packet) {
  const auto body = body_of(packet, PacketKind::answer);
  if (!body) return std::unexpected(body.error());
  base::Reader reader(*body);
  const std::uint64_t version = reader.varint();
  peer_ = read_identity(reader);
  (void)reader.take(Nonce().size());
  const std::string_view mac = reader.take(Mac().size());
  if (!reader.finished()) return not_understood("the answer of the handshake can't be read");
  if (version < lowest_version || version > highest_version) {
    return refuse(Cause::version, Errc::invalid_request,
                  "the peer chose version " + std::to_string(version) + " of the protocol; this node speaks " +
                      versions(lowest_version, highest_version));
  }
  if (auto right = check_cluster(credentials_.self, peer_); !right) return std::unexpected(right.error());
  std::string transcript = credentials_.binding + hello_;
  transcript.append(packet.substr(0, packet.size() - mac.size()));
  if (!is_same(mac_of(credentials_.cookie, listener_label, transcript), mac)) return wrong_cookie();
  if (auto right = check_not_self(credentials_.self, peer_); !right) return std::unexpected(right.error());
  if (auto right = check_expected(); !right) return std::unexpected(right.error());
  transcript.append(mac);
  std::string proof = packet_of(PacketKind::proof, text_of(mac_of(credentials_.cookie, dialler_label, transcript)));
  transcript_ = std::move(transcript) + proof;
  return proof;
}

Agreed<void> DiallerHandshake::check_expected() const {
  const bool is_another = !expected_.node.is_zero() && peer_.node != expected_.node;
  if (is_another && !CONCORD_MUTANT("another-node-is-taken-for-the-one-that-was-meant")) {
    const std::string expected = std::to_string(expected_.node.value());
    const std::string found = std::to_string(peer_.node.value());
    return refuse(Cause::unexpected_node, Errc::forbidden,
                  "node " + expected + " was expected, and node " + found + " answered",
                  "node " + expected + " was expected here, and this is node " + found);
  }
  if (expected_.directory != 0 && peer_.directory != expected_.directory) {
    return refuse(
        Cause::unexpected_directory, Errc::forbidden,
        "node " + std::to_string(peer_.node.value()) + " has another data directory than the one that is known");
  }
  return {};
}

Agreed<void> DiallerHandshake::take_welcome(std::string_view packet) const {
  const auto body = body_of(packet, PacketKind::welcome);
  if (body) return {};
  Refusal refusal = body.error();
  refusal.is_proved = is_proved_refusal(credentials_.cookie, transcript_, packet);
  return std::unexpected(std::move(refusal));
}

// ---------------------------------------------------------------------------------------------------------------------

ListenerHandshake::ListenerHandshake(Credentials credentials, const Nonce& nonce)
    : credentials_(std::move(credentials)), nonce_(nonce) {}

Agreed<std::string> ListenerHandshake::take_hello(std::string_view packet) {
  const auto body = body_of(packet, PacketKind::hello);
  if (!body) return std::unexpected(body.error());
  base::Reader reader(*body);
  const std::uint64_t lowest = reader.varint();
  const std::uint64_t highest = reader.varint();
  if (reader.ok() && (lowest > highest_version || highest < lowest_version)) {
    const std::string none = "there is no common version of the protocol: ";
    const std::string ours = versions(lowest_version, highest_version);
    const std::string theirs = versions(lowest, highest);
    return refuse(Cause::version, Errc::invalid_request, none + "this node speaks " + ours + ", the peer " + theirs,
                  none + "the peer speaks " + ours + ", this node " + theirs);
  }
  const std::uint8_t purpose = reader.byte();
  peer_ = read_identity(reader);
  (void)reader.take(Nonce().size());
  if (!reader.ok() || lowest > highest || purpose > static_cast<std::uint8_t>(Purpose::one_request)) {
    return not_understood("the hello of the handshake can't be read");
  }
  purpose_ = static_cast<Purpose>(purpose);
  if (auto right = check_cluster(credentials_.self, peer_); !right) return std::unexpected(right.error());
  if (auto right = check_not_self(credentials_.self, peer_); !right) return std::unexpected(right.error());
  std::string answer;
  base::append_varint(answer, std::min(highest, highest_version));
  append_identity(answer, credentials_.self);
  answer.append(nonce_.data(), nonce_.size());
  answer.append(Mac().size(), '\0');
  answer = packet_of(PacketKind::answer, answer);
  answer.resize(answer.size() - Mac().size());
  transcript_ = credentials_.binding + std::string(packet) + answer;
  const Mac mac = mac_of(credentials_.cookie, listener_label, transcript_);
  answer.append(text_of(mac));
  transcript_.append(text_of(mac));
  return answer;
}

Agreed<void> ListenerHandshake::take_proof(std::string_view packet) {
  const auto body = body_of(packet, PacketKind::proof);
  if (!body) return std::unexpected(body.error());
  if (CONCORD_MUTANT("who-proves-nothing-is-let-in")) return {};
  if (transcript_.empty() || !is_same(mac_of(credentials_.cookie, dialler_label, transcript_), *body))
    return wrong_cookie();
  transcript_.append(packet);
  return {};
}

std::string ListenerHandshake::refusal(const Refusal& refusal) const {
  std::string packet = packet_of(PacketKind::refusal, body_of_refusal(refusal) + std::string(Mac().size(), '\0'));
  packet.resize(packet.size() - Mac().size());
  packet.append(text_of(mac_of(credentials_.cookie, refuser_label, transcript_ + packet)));
  return packet;
}

std::string ListenerHandshake::welcome() { return packet_of(PacketKind::welcome, {}); }

}  // namespace concord::transport
