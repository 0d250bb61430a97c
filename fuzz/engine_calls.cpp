// The engine's C interface: calls in any order with any arguments. A call answers with a status that there is; one that is not OK has
// changed nothing and says why; what the engine has handed out can be read for as long as its header says; nothing panics.
// Input: decisions.
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "engine.h"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

constexpr std::size_t most_calls = 400;

engine_bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Reads every byte: a sanitizer sees one that is no longer there.
class Reader {
 public:
  void read(const engine_bytes& bytes) {
    for (std::size_t at = 0; at < bytes.size; ++at) sum_ += bytes.data[at];
  }
  void read(const engine_messages& messages) {
    for (std::size_t at = 0; at < messages.size; ++at) read(messages.data[at].bytes);
  }
  void read(const engine_entries& entries) {
    for (std::size_t at = 0; at < entries.size; ++at) read(entries.data[at].data);
  }
  void read(const engine_ids& ids) {
    for (std::size_t at = 0; at < ids.size; ++at) sum_ += ids.data[at];
  }
  void read(const engine_conf_state& members) {
    for (const engine_ids& ids : {members.voters, members.learners, members.voters_outgoing, members.learners_next})
      read(ids);
  }
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

 private:
  std::uint64_t sum_ = 0;
};

class Calls {
 public:
  explicit Calls(Input& input) : input_(input) {
    create();
    for (std::size_t left = input.below(6); node_ && left > 0; --left) append_initial();
    if (node_ && input.below(16) != 15) check(engine_start(node_.get()));
  }

  void call() {
    if (!node_) return;
    const State before = state();
    const engine_status status = any();
    check(status);
    if (status != ENGINE_OK) {
      CONCORD_CHECK(state() == before, "what is not OK changes nothing");
      const bool is_mistake = status == ENGINE_REFUSED || status == ENGINE_MISUSE;
      CONCORD_CHECK(!is_mistake || engine_error(node_.get()).size > 0,
                    "and says why, if that was the caller's mistake");
    }
    read_what_was_handed_out();
  }

 private:
  struct Destroy {
    void operator()(engine_node* node) const noexcept { engine_destroy(node); }
  };
  struct State {
    std::array<std::uint64_t, 13> numbers = {};
    std::vector<std::uint64_t> members;
    friend bool operator==(const State&, const State&) = default;
  };

  [[nodiscard]] State state() const {
    engine_state now{};
    engine_query(node_.get(), &now);
    State state;
    state.numbers = {now.term,
                     now.vote,
                     now.leader,
                     now.commit,
                     now.applied,
                     now.first,
                     now.last,
                     now.log_bytes,
                     now.uncommitted_bytes,
                     now.transferee,
                     now.role,
                     now.pending_conf_change,
                     engine_has_ready(node_.get())};
    engine_conf_state members{};
    if (engine_members(node_.get(), &members) == ENGINE_OK) {
      for (const engine_ids& ids : {members.voters, members.learners})
        state.members.insert(state.members.end(), ids.data, ids.data + ids.size);
    }
    return state;
  }

  void check(engine_status status) const {
    CONCORD_CHECK(status >= ENGINE_OK && status <= ENGINE_FAILED, "a status that there is");
    if (status != ENGINE_FAILED && engine_failed(node_.get()) == 0) return;
    const engine_bytes why = engine_error(node_.get());
    const std::string text(reinterpret_cast<const char*>(why.data), why.size);
    CONCORD_CHECK(false, text.c_str());
  }

  void create() {
    const std::array<std::uint64_t, 5> ids = {1, 2, 3, input_.number(), input_.number()};
    engine_config config{};
    config.id = input_.below(32) == 31 ? input_.number() : 1;
    config.seed = input_.number();
    config.election_ticks = input_.below(32) == 31 ? static_cast<std::uint32_t>(input_.number()) : 10;
    config.heartbeat_ticks = input_.below(32) == 31 ? static_cast<std::uint32_t>(input_.number()) : 1;
    config.max_size_per_message_bytes = input_.below(8) == 7 ? input_.number() : 100;
    config.max_inflight_messages = input_.below(32) == 31 ? input_.below(256) : 4;
    config.max_uncommitted_bytes = input_.below(8) == 7 ? input_.number() : 1000;
    config.max_committed_per_ready_bytes = input_.below(8) == 7 ? input_.number() : 100;
    config.max_message_bytes = input_.below(8) == 7 ? input_.number() : 10000;
    if (input_.flag()) {
      config.compacted_index = config.applied = 1 + input_.below(3);
      config.compacted_term = 1;
      config.hard_term = 1 + input_.below(3);
      config.hard_commit = config.applied + input_.below(3);
    }
    if (input_.below(16) == 15) config.hard_vote = input_.number();
    if (input_.below(16) == 15) config.applied = input_.number();
    const std::size_t voters = input_.below(6);
    config.conf_state.voters = {ids.data(), voters == 0 ? 1 : voters > 3 && input_.below(8) != 7 ? 3 : voters};
    next_index_ = config.compacted_index + 1;
    engine_node* made = nullptr;
    const engine_status status = engine_create(&config, &made);
    CONCORD_CHECK(status >= ENGINE_OK && status <= ENGINE_FAILED, "a status that there is");
    node_.reset(made);
    if (node_) check(status);
  }

  void append_initial() {
    const std::string_view data = input_.text(20);
    const engine_entry entry{.index = input_.below(16) == 15 ? input_.number() : next_index_,
                             .term = input_.below(8) == 7 ? input_.number() : 1,
                             .data = bytes_of(data),
                             .type = input_.below(8) == 7 ? static_cast<std::uint32_t>(input_.number()) : 0};
    const engine_status status = engine_append_initial(node_.get(), &entry);
    check(status);
    if (status == ENGINE_OK) ++next_index_;
  }

  /// A node of the cluster as a rule.
  std::uint64_t peer() { return input_.below(16) == 15 ? input_.number() : 1 + input_.below(4); }
  /// Near to where the log stands as a rule.
  std::uint64_t index() {
    engine_state now{};
    engine_query(node_.get(), &now);
    const std::size_t way = input_.below(16);
    if (way == 15) return input_.number();
    const std::array<std::uint64_t, 5> places = {now.applied, now.commit, now.last, now.first, now.last + 1};
    return places[way % places.size()];
  }

  engine_status any() {
    engine_node* node = node_.get();
    switch (input_.below(32)) {
      case 0:
        return engine_propose_conf_change(node, static_cast<std::uint32_t>(input_.below(4)), peer(),
                                          bytes_of(input_.text(10)));
      case 1: return engine_step(node, peer(), bytes_of(input_.text(100)));
      case 2: return engine_read_index(node, input_.number());
      case 3: return engine_transfer_leader(node, peer());
      case 4: return engine_report_unreachable(node, peer());
      case 5: return engine_report_snapshot(node, peer(), input_.byte());
      case 6: return engine_ping(node);
      case 7: return engine_peer_restarted(node, peer());
      case 8: return engine_forget_leader(node);
      case 9: return engine_compact(node, index());
      case 10: return set_snapshot();
      case 11: return decode(input_.text(40));
      case 12: append_initial(); return ENGINE_OK;
      case 13: return engine_start(node);
      case 14:
        (void)engine_read_point(node);
        (void)engine_term_at(node, index());
        return ENGINE_OK;
      case 15: return progress();
      case 16:
      case 17: return engine_campaign(node);
      case 18: return engine_advance_apply(node, index());
      case 19: return engine_tick(node);
      case 20:
      case 21:
      case 22: return engine_propose(node, bytes_of(input_.text(60)));
      case 23: return ready();
      case 24: return advance();
      default: return turn();
    }
  }

  engine_status ready() {
    engine_batch batch{};
    const engine_status status = engine_ready(node_.get(), &batch);
    if (status == ENGINE_OK) {
      light_.reset();
      batch_ = batch;
    }
    return status;
  }

  engine_status advance() {
    engine_light_batch light{};
    const engine_status status = engine_advance(node_.get(), &light);
    if (status == ENGINE_OK) light_ = light;
    return status;
  }

  /// A turn as it should be, with the changes of members that were committed.
  engine_status turn() {
    if (engine_has_ready(node_.get()) == 0 || ready() != ENGINE_OK || advance() != ENGINE_OK) return ENGINE_OK;
    for (const engine_entries& committed : {batch_->committed, light_->committed}) {
      for (std::size_t at = 0; at < committed.size; ++at) {
        const engine_entry& entry = committed.data[at];
        engine_conf_state members{};
        if (entry.type != 0) (void)engine_apply_conf_change(node_.get(), entry.type, entry.data, &members);
        (void)engine_advance_apply(node_.get(), entry.index);
      }
    }
    return ENGINE_OK;
  }

  engine_status set_snapshot() {
    const std::array<std::uint64_t, 3> ids = {1, 2, 3};
    engine_snapshot snapshot{};
    snapshot.index = index();
    snapshot.term = input_.below(4) == 3 ? input_.number() : engine_term_at(node_.get(), snapshot.index);
    snapshot.conf_state.voters = {ids.data(), input_.below(4)};
    snapshot.data = bytes_of("state");
    const engine_status status = engine_set_snapshot(node_.get(), &snapshot);
    return status;
  }

  engine_status decode(std::string_view data) {
    std::uint32_t kind = 0;
    std::uint64_t id = 0;
    engine_bytes context{};
    if (engine_decode_conf_change(bytes_of(data), &kind, &id, &context) == ENGINE_OK) reader_.read(context);
    return ENGINE_OK;  // it belongs to no node
  }

  engine_status progress() {
    const engine_peer* peers = nullptr;
    std::size_t size = 0;
    const engine_status status = engine_progress(node_.get(), &peers, &size);
    for (std::size_t at = 0; status == ENGINE_OK && at < size; ++at) seen_ += peers[at].match;
    return status;
  }

  void read_what_was_handed_out() {
    // A compaction may have ended their life.
    engine_state now{};
    engine_query(node_.get(), &now);
    if (now.first != first_) {
      batch_.reset();
      light_.reset();
      first_ = now.first;
    }
    if (batch_) {
      for (const engine_messages& messages : {batch_->messages, batch_->persisted_messages}) reader_.read(messages);
      for (const engine_entries& entries : {batch_->entries, batch_->committed}) reader_.read(entries);
      reader_.read(batch_->snapshot.conf_state);
      reader_.read(batch_->snapshot.data);
    }
    if (light_) {
      reader_.read(light_->messages);
      reader_.read(light_->committed);
    }
    CONCORD_CHECK(reader_.sum() + seen_ + 1 != 0, "read");
  }

  Input& input_;
  std::unique_ptr<engine_node, Destroy> node_;
  std::uint64_t next_index_ = 1;
  std::uint64_t first_ = 0;
  std::uint64_t seen_ = 0;
  std::optional<engine_batch> batch_;
  std::optional<engine_light_batch> light_;
  Reader reader_;
};

void call_without_a_node() {
  engine_batch batch{};
  engine_light_batch light{};
  engine_conf_state members{};
  for (const engine_status status :
       {engine_tick(nullptr), engine_start(nullptr), engine_ready(nullptr, &batch), engine_advance(nullptr, &light),
        engine_advance_apply(nullptr, 1), engine_members(nullptr, &members), engine_step(nullptr, 1, bytes_of("x"))}) {
    CONCORD_CHECK(status == ENGINE_MISUSE, "no node, no call");
  }
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  call_without_a_node();
  Calls calls(input);
  for (std::size_t made = 0; made < most_calls && !input.empty(); ++made) calls.call();
}

std::vector<std::string> seeds() {
  // Decisions that are all 0 make a node that is alone and starts; the last but two of them counts the voters.
  constexpr std::size_t front = 17;
  std::vector<std::string> seeds = arbitrary_inputs(10);
  for (const char voters : {'\1', '\3'}) {
    std::string begun(front, '\0');
    begun[front - 3] = voters;
    begun += {16, 31, 31};  // a campaign, and turns
    for (std::string& seed : arbitrary_inputs(15, begun)) seeds.push_back(std::move(seed));
  }
  return seeds;
}

}  // namespace concord::fuzz
