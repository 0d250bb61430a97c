// Who is at the other end: what both say and prove before a connection carries frames.
//
//   dialler                                     listener
//   hello      who I am, a nonce          -->   another cluster? myself?
//   another cluster? the cookie? whom     <--   answer    who I am, a nonce, a proof over hello and answer
//   I dialled?
//   proof      over hello and answer      -->   the cookie? admitted?
//                                         <--   welcome
//
//   packet   := "CNCP" size:u32 kind:u8 body                              size: of the body, at most 4096
//   hello    1  lowest:varint highest:varint purpose:u8 identity nonce:16 later
//   answer   2  version:varint identity nonce:16 mac:32                   version: the highest that both speak
//   proof    3  mac:32
//   welcome  4  later
//   refusal  5  cause:u8 code:u8 text:bytes [mac:32] later                instead of any of the others; the connection ends
//   identity := cluster_name:bytes cluster:u64 node:u64 directory:u64 incarnation:u64
//               name:bytes peer_address:bytes api_url:bytes version:bytes
//   purpose  := 0 channel control | 1 channel bulk | 2 one request
//   mac      := HMAC-SHA256(cookie, "listener" binding hello answer-without-mac)  in an answer
//             | HMAC-SHA256(cookie, "dialler" binding hello answer)               in a proof; packets whole, with their fronts
//             | HMAC-SHA256(cookie, "refuser" binding hello answer proof refusal-without-mac)  in a refusal to who has proved
//   binding  := 32 bytes that only the two ends of this TLS connection know (RFC 9266, tls-exporter) | nothing, without TLS
//   later    := what later versions add; not read
//
// Over TLS all of this goes on inside it. The binding makes a proof worth nothing on another connection: who stands between two members,
// with a certificate of the right authority, and passes packets on can't read what follows without knowing the cookie.
//
// Anybody may refuse, in the place of any packet, and is believed as far as that this connection does not come about. What goes further,
// that this node was removed from its cluster, is believed only with a mac: of who knows the cookie, about this very handshake.
//
// The cookie itself never travels. Both nonces are in both proofs, so a recorded one proves nothing again. The dialler proves only to
// who has proved. Texts from the other end are not trusted: they are cut, and what isn't printable is replaced.
//
// Pure: nonces come in. Thread rule: use an object from one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <concord/error.hpp>

#include "transport/secret.hpp"
#include "transport/transport.hpp"

namespace concord::transport {

inline constexpr std::size_t packet_front_bytes = 9;
inline constexpr std::size_t max_packet_body_bytes = 4096;
inline constexpr std::uint64_t lowest_version = 1;
inline constexpr std::uint64_t highest_version = 1;

/// What a connection is for. Bytes of the protocol: never renumber.
enum class Purpose : std::uint8_t { control = 0, bulk = 1, one_request = 2 };

/// Why a handshake ends. Bytes of the protocol: never renumber.
enum class Cause : std::uint8_t {
  other = 0,  ///< one that this version doesn't know
  protocol = 1,
  version = 2,
  cluster_name = 3,
  cluster_id = 4,
  cookie = 5,
  unexpected_node = 6,
  unexpected_directory = 7,
  itself = 8,
  not_admitted = 9,
  tls = 10,          ///< one end speaks TLS and the other doesn't, or a certificate was not accepted
  connection = 255,  ///< no refusal: the connection was not made, broke, or took too long; never said
};

struct Refusal {
  Cause cause = Cause::protocol;
  Error error{Errc::internal, {}};  ///< in the words of this end
  std::string told = {};            ///< in the words of the other end, which learns it; empty: it said so itself
  bool is_proved = false;           ///< the other end said so and knows the cookie
};
template <class T>
using Agreed = std::expected<T, Refusal>;

[[nodiscard]] std::string refusal_packet(const Refusal& refusal);
[[nodiscard]] Refusal not_admitted(const Error& why);
[[nodiscard]] Refusal not_connected(std::string why);
/// This node speaks TLS, and this is what the other end sent first: words without it?
[[nodiscard]] bool is_plain(std::string_view first_bytes) noexcept;
[[nodiscard]] Refusal speaks_no_tls();
[[nodiscard]] Refusal not_secure(const std::string& why);

/// The size of a whole packet whose front (`packet_front_bytes`) this is.
[[nodiscard]] Agreed<std::size_t> packet_size(std::string_view front);

/// Who says so, and with which secret.
struct Credentials {
  Identity self = {};
  std::string cookie = {};
  std::string binding = {};  ///< of the TLS connection; empty: it is none
};
/// False: this identity is too long to be said.
[[nodiscard]] bool fits(const Identity& identity);

/// Whom the dialler expects; 0: anybody.
struct Expected {
  base::NodeId node = {};
  std::uint64_t directory = 0;
};

class DiallerHandshake {
 public:
  DiallerHandshake(Credentials credentials, Purpose purpose, Expected expected, const Nonce& nonce);

  [[nodiscard]] const std::string& hello() const noexcept { return hello_; }
  /// The proof to send.
  [[nodiscard]] Agreed<std::string> take_answer(std::string_view packet);
  [[nodiscard]] Agreed<void> take_welcome(std::string_view packet) const;
  /// Who answered; proved once `take_answer` succeeded.
  [[nodiscard]] const Identity& peer() const noexcept { return peer_; }

 private:
  [[nodiscard]] Agreed<void> check_expected() const;

  Credentials credentials_;
  Expected expected_;
  std::string hello_;
  std::string transcript_;  // once `take_answer` succeeded: with the proof
  Identity peer_;
};

class ListenerHandshake {
 public:
  ListenerHandshake(Credentials credentials, const Nonce& nonce);

  /// The answer to send.
  [[nodiscard]] Agreed<std::string> take_hello(std::string_view packet);
  [[nodiscard]] Agreed<void> take_proof(std::string_view packet);
  [[nodiscard]] static std::string welcome();
  /// In the place of the welcome, to who has proved.
  [[nodiscard]] std::string refusal(const Refusal& refusal) const;
  /// Who dialled; proved once `take_proof` succeeded.
  [[nodiscard]] const Identity& peer() const noexcept { return peer_; }
  [[nodiscard]] Purpose purpose() const noexcept { return purpose_; }

 private:
  Credentials credentials_;
  Nonce nonce_;
  std::string transcript_;
  Identity peer_;
  Purpose purpose_ = Purpose::control;
};

}  // namespace concord::transport
