// What a peer sends, before anything of it is believed: whatever comes where a packet of the handshake or a frame is due is refused, or is
// exactly what somebody with the cookie wrote.
// Input: what is due, then bytes as they are or decisions to build them.
#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "input.hpp"
#include "target.hpp"
#include "transport/frame.hpp"
#include "transport/handshake.hpp"

namespace concord::fuzz {
namespace {

using namespace transport;

constexpr std::size_t max_payload_bytes = 300;
constexpr std::string_view cookie = "a cookie that no input knows";

// ---------------------------------------------------------------------------------------------------------------------
// Frames.

void check_payload(const Frame& frame) {
  if (frame.kind == FrameKind::request) {
    const auto request = read_request(frame.payload);
    if (!request) return;
    const std::string again = request_front(request->id, request->method) + std::string(request->body);
    CONCORD_CHECK(again == frame.payload, "a request has one form");
  }
  if (frame.kind == FrameKind::answer) {
    const auto answer = read_answer(frame.payload);
    if (!answer) return;
    if (!answer->error) {
      CONCORD_CHECK(answer_front(answer->id) + std::string(answer->body) == frame.payload, "an answer has one form");
    } else if (answer->error->code() != Errc::internal) {
      CONCORD_CHECK(error_answer(answer->id, *answer->error) == frame.payload, "an error has one form");
    }
  }
}

std::string frame_of(std::uint64_t sequence, FrameKind kind, std::string_view payload) {
  const FrameHeader header = frame_header(sum_of(payload, {}), sequence, kind);
  return std::string(header.data(), header.size()) + std::string(payload);
}

/// How many frames are taken before the end or the first that is bad.
std::size_t take_frames(std::string_view bytes) {
  for (std::uint64_t sequence = 1;; ++sequence) {
    const auto frame = read_frame(bytes, sequence, max_payload_bytes);
    if (!frame || !*frame) return sequence - 1;
    const std::string_view whole = bytes.substr(0, (*frame)->size_bytes);
    CONCORD_CHECK(whole.size() == frame_header_bytes + (*frame)->payload.size(),
                  "a frame is its header and its payload");
    CONCORD_CHECK((*frame)->payload.size() <= max_payload_bytes, "a frame keeps its limit");
    CONCORD_CHECK(frame_of(sequence, (*frame)->kind, (*frame)->payload) == whole, "a frame has one form");
    const auto part = read_frame(whole.substr(0, whole.size() - 1), sequence, max_payload_bytes);
    CONCORD_CHECK(part && !*part, "a part of a frame is waited for");
    check_payload(**frame);
    bytes.remove_prefix(whole.size());
  }
}

void build_frames(Input& input) {
  std::string bytes;
  std::vector<std::size_t> ends;
  for (std::size_t left = input.below(6); left > 0; --left) {
    const auto kind = static_cast<FrameKind>(1 + input.below(4));
    bytes += frame_of(ends.size() + 1, kind, input.text(100));
    ends.push_back(bytes.size());
  }
  CONCORD_CHECK(take_frames(bytes) == ends.size(), "what was written is read");
  if (bytes.empty()) return;
  const std::size_t damaged = static_cast<std::size_t>(input.number() % bytes.size());
  bytes[damaged] = static_cast<char>(bytes[damaged] ^ (1 << input.below(8)));
  const auto good =
      static_cast<std::size_t>(std::ranges::count_if(ends, [&](std::size_t end) { return end <= damaged; }));
  CONCORD_CHECK(take_frames(bytes) == good, "a damaged frame is not taken, and none behind it");
}

// ---------------------------------------------------------------------------------------------------------------------
// Handshakes.

Identity build_identity(Input& input) {
  const std::array<std::string_view, 2> clusters{"green", "blue"};
  return {.cluster_name = std::string(clusters[input.below(2)]),
          .cluster = base::ClusterId(input.below(3)),
          .node = base::NodeId(input.below(4)),
          .directory = input.below(5),
          .incarnation = input.number(),
          .name = std::string(input.text(20)),
          .peer_address = std::string(input.text(20)),
          .api_url = std::string(input.text(20)),
          .version = std::string(input.text(20))};
}

bool is_same(const Identity& a, const Identity& b) {
  return a.cluster_name == b.cluster_name && a.cluster == b.cluster && a.node == b.node && a.directory == b.directory &&
         a.incarnation == b.incarnation && a.name == b.name && a.peer_address == b.peer_address &&
         a.api_url == b.api_url && a.version == b.version;
}

void check_refusal(const Refusal& refusal) {
  const std::string packet = refusal_packet(refusal);
  const auto size_bytes = packet_size(packet.substr(0, packet_front_bytes));
  CONCORD_CHECK(size_bytes && *size_bytes == packet.size(), "a refusal is a packet");
  DiallerHandshake dialler({.self = {}, .cookie = std::string(cookie)}, Purpose::control, {}, Nonce{});
  const auto told = dialler.take_answer(packet);
  CONCORD_CHECK(!told && told.error().cause == refusal.cause && told.error().error.code() == refusal.error.code(),
                "a refusal is understood");
}

void take_packet(Input& input) {
  DiallerHandshake dialler({.self = build_identity(input), .cookie = std::string(cookie)}, Purpose::control, {},
                           Nonce{});
  ListenerHandshake listener({.self = build_identity(input), .cookie = std::string(cookie)}, Nonce{});
  const std::string_view packet = input.rest();
  if (const auto answer = listener.take_hello(packet); !answer) check_refusal(answer.error());
  const auto proved = listener.take_proof(packet);
  CONCORD_CHECK(!proved, "nobody proves a cookie by chance");
  check_refusal(proved.error());
  const auto proof = dialler.take_answer(packet);
  CONCORD_CHECK(!proof, "nobody proves a cookie by chance");
  check_refusal(proof.error());
}

/// Both ends, with a bit changed in one packet or none.
void build_handshake(Input& input) {
  const Credentials ours{.self = build_identity(input), .cookie = std::string(cookie)};
  const Credentials theirs{.self = build_identity(input),
                           .cookie = input.below(4) == 3 ? "guess" : std::string(cookie)};
  const std::size_t changed_packet = input.below(5);  // 0 to 2: that one
  const std::uint64_t changed_bit = input.number();
  const auto change = [&](std::string& packet, std::size_t number) {
    const auto bit = static_cast<std::size_t>(changed_bit % (8 * packet.size()));
    if (number == changed_packet) packet[bit / 8] = static_cast<char>(packet[bit / 8] ^ (1 << (bit % 8)));
  };
  DiallerHandshake dialler(ours, static_cast<Purpose>(input.below(3)), {}, Nonce{1});
  ListenerHandshake listener(theirs, Nonce{2});
  std::string hello = dialler.hello();
  change(hello, 0);
  auto answer = listener.take_hello(hello);
  if (!answer) return check_refusal(answer.error());
  change(*answer, 1);
  auto proof = dialler.take_answer(*answer);
  if (!proof) return check_refusal(proof.error());
  CONCORD_CHECK(changed_packet > 1, "what was changed on the way is noticed");
  change(*proof, 2);
  if (const auto proved = listener.take_proof(*proof); !proved) return check_refusal(proved.error());
  CONCORD_CHECK(changed_packet > 2, "what was changed on the way is noticed");
  CONCORD_CHECK(ours.cookie == theirs.cookie && ours.self.cluster_name == theirs.self.cluster_name,
                "only members agree");
  CONCORD_CHECK(is_same(dialler.peer(), theirs.self) && is_same(listener.peer(), ours.self), "each knows the other");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  switch (input.below(4)) {
    case 0: (void)take_frames(input.rest()); break;
    case 1: build_frames(input); break;
    case 2: take_packet(input); break;
    default: build_handshake(input); break;
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const char* const what : {"\x01", "\x02", "\x03"}) {
    for (std::string& seed : arbitrary_inputs(10, what)) seeds.push_back(std::move(seed));
  }
  const std::string zero(1, '\0');
  seeds.push_back(zero + frame_of(1, FrameKind::message, "hello") + frame_of(2, FrameKind::keep_alive, {}));
  seeds.push_back(zero + frame_of(1, FrameKind::request, request_front(300, 2) + "body"));
  seeds.push_back(zero + frame_of(1, FrameKind::answer, answer_front(300) + "body"));
  seeds.push_back(zero + frame_of(1, FrameKind::answer, error_answer(300, Error(Errc::timeout, "late", true))));
  const std::string nobody_twice(18, '\0');  // the identities of both ends
  const Identity self{.cluster_name = "green", .cluster = base::ClusterId(1), .node = base::NodeId(3), .directory = 4};
  DiallerHandshake dialler({.self = self, .cookie = "guess"}, Purpose::bulk, {}, Nonce{1});
  ListenerHandshake listener({.self = {.cluster_name = "green"}, .cookie = "guess"}, Nonce{2});
  const std::string answer = *listener.take_hello(dialler.hello());
  for (const std::string& packet :
       {dialler.hello(), answer, *dialler.take_answer(answer), ListenerHandshake::welcome()}) {
    seeds.push_back("\x02" + nobody_twice + packet);
  }
  return seeds;
}

}  // namespace concord::fuzz
