#include "node/bootstrap.hpp"

#include <algorithm>
#include <utility>

namespace concord::node {

using base::ClusterId;
using Next = Bootstrap::Next;

namespace {

std::string names_of(const std::vector<Founder>& founders) {
  std::string names;
  for (std::size_t i = 0; i < founders.size(); ++i) {
    const bool is_last = i + 1 == founders.size();
    names += (i == 0 ? "\"" : is_last ? " and \"" : ", \"") + founders[i].name + '"';
  }
  return names;
}

Next wait(std::string why) { return {.kind = Next::Kind::wait, .why = std::move(why)}; }
Next refuse(std::string why) { return {.kind = Next::Kind::refuse, .why = std::move(why)}; }

bool is_same_set(const std::vector<Founder>& a, const std::vector<Founder>& b) { return choice_of(a) == choice_of(b); }

}  // namespace

Bootstrap::Bootstrap(Options options) : options_(std::move(options)) {
  if (options_.has_place) {
    state_ = State::deciding;
  } else if (options_.promise) {
    state_ = State::promised;
    current_ = options_.promise;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Asked by others.

View Bootstrap::view() const {
  const base::MutexLock lock(mutex_);
  return {.expected_size = options_.has_place ? 0 : options_.expected_size,
          .choice = is_settled_ ? choice_of(chosen_) : 0,
          .promised = current_ ? current_->id : 0};
}

Result<void> Bootstrap::agree(std::uint64_t proposer_directory, const Proposal& proposal) {
  const auto refused = [](const char* why) { return fail(Errc::condition_failed, why); };
  const base::MutexLock lock(mutex_);
  if (proposal.founders.empty() || proposal.founders.front().directory != proposer_directory ||
      proposer_directory == options_.directory) {
    return refused("the first of the founders proposes, and nobody else");
  }
  if (state_ == State::promised && current_ == proposal) return {};
  if (state_ != State::free) return refused("it is bound already");
  if (!is_settled_ || !is_same_set(chosen_, proposal.founders)) return refused("it would form a cluster with others");
  if (auto kept = options_.keep(proposal); !kept) return kept;
  state_ = State::promised;
  current_ = proposal;
  return {};
}

bool Bootstrap::was_given_up(std::uint64_t id) const {
  const base::MutexLock lock(mutex_);
  if (state_ == State::deciding) return false;
  return !(state_ == State::proposing && current_->id == id);
}

// ---------------------------------------------------------------------------------------------------------------------
// Rounds.

Next Bootstrap::next(const Founder& self, const std::vector<Sighting>& seen, std::uint64_t now_ms,
                     std::uint64_t drawn_id) {
  const base::MutexLock lock(mutex_);
  if (state_ == State::promised) return next_of_promised(seen);
  if (state_ != State::free) return wait("this node is about to have its place");
  if (auto cluster = next_of_cluster(seen, now_ms)) return std::move(*cluster);
  if (std::string why = remember(self, seen, now_ms); !why.empty()) {
    choose_nobody();
    return refuse(std::move(why));
  }
  if (std::string why = choose(self, now_ms); !why.empty()) return wait(std::move(why));
  if (std::string why = not_agreed_yet(now_ms); !why.empty()) return wait(std::move(why));
  state_ = State::proposing;
  current_ = Proposal{.id = drawn_id, .founders = chosen_};
  return {.kind = Next::Kind::propose, .proposal = *current_};
}

/// Bound: only the proposal's own cluster, or the proposer's word, ends it.
Next Bootstrap::next_of_promised(const std::vector<Sighting>& seen) {
  const ClusterId promised = cluster_of(*current_, options_.cluster_name);
  const Founder& proposer = current_->founders.front();
  Next next = wait("it has agreed to form a cluster of " + names_of(current_->founders) + ", and \"" + proposer.name +
                   "\", which proposed it, does not answer");
  for (const Sighting& one : seen) {
    if (one.cluster == promised) {
      state_ = State::deciding;
      return {.kind = Next::Kind::take, .proposal = *current_};
    }
    // Another directory of that name has not proposed it, and knows nothing.
    if (one.who.directory != proposer.directory) continue;
    if (!one.cluster.is_zero()) {  // it has a place elsewhere, so it never completed the proposal and never will
      if (const auto freed = release_locked(); !freed) return wait(freed.error().message());
      return wait("what it has agreed to was given up");
    }
    next.kind = Next::Kind::ask;
    next.why = "it has agreed to form a cluster of " + names_of(current_->founders);
    next.at = one.address;
    next.proposal = *current_;
  }
  return next;
}

std::optional<Next> Bootstrap::next_of_cluster(const std::vector<Sighting>& seen, std::uint64_t now_ms) {
  const Sighting* member = nullptr;
  for (const Sighting& one : seen) {
    if (one.cluster.is_zero()) continue;
    cluster_seen_ms_ = now_ms;
    if (member != nullptr && member->cluster != one.cluster) {
      choose_nobody();
      return refuse("there are two clusters of this name, one at " + member->address + " and one at " + one.address +
                    ": this node joins neither by itself");
    }
    if (member == nullptr) member = &one;
  }
  if (member != nullptr) {
    choose_nobody();
    state_ = State::joining;
    return Next{.kind = Next::Kind::join, .at = member->address};
  }
  if (!cluster_seen_ms_ || now_ms - *cluster_seen_ms_ >= options_.settle_ms) return std::nullopt;
  choose_nobody();
  return wait("a cluster was there a moment ago");
}

/// Who was seen in the last settle time and has no cluster. Returns what keeps this node from choosing at all.
std::string Bootstrap::remember(const Founder& self, const std::vector<Sighting>& seen, std::uint64_t now_ms) {
  std::map<std::string, const Founder*> names{{self.name, &self}};
  for (const Sighting& one : seen) {
    if (one.who.directory == self.directory || one.who.directory == 0) continue;
    if (one.view.expected_size == 0) continue;  // it forms its cluster from a list
    if (one.view.expected_size != options_.expected_size) {
      return '"' + one.who.name + "\" at " + one.address + " expects a cluster of " +
             std::to_string(one.view.expected_size) + ", this node one of " + std::to_string(options_.expected_size) +
             " (cluster.expected_size)";
    }
    const auto [namesake, is_new] = names.emplace(one.who.name, &one.who);
    if (!is_new && namesake->second->directory != one.who.directory) {
      return "there are two nodes \"" + one.who.name + "\", one of them at " + one.address + " (node.name)";
    }
    // One that was wiped is another one.
    std::erase_if(known_, [&](const auto& known) {
      return known.second.who.name == one.who.name && known.first != one.who.directory;
    });
    known_[one.who.directory] = {.who = one.who, .view = one.view, .seen_ms = now_ms};
  }
  std::erase_if(known_, [&](const auto& known) { return now_ms - known.second.seen_ms >= options_.settle_ms; });
  return {};
}

/// Returns why there is no choice, or why it isn't this node's to propose.
std::string Bootstrap::choose(const Founder& self, std::uint64_t now_ms) {
  std::vector<Founder> all{self};
  for (const auto& [directory, known] : known_) {
    if (known.who.name != self.name) all.push_back(known.who);
  }
  std::ranges::sort(all, {}, &Founder::name);
  const std::size_t size = options_.expected_size;
  if (all.size() < size) {
    choose_nobody();
    return std::to_string(all.size()) + " of " + std::to_string(size) + " expected nodes are there: " + names_of(all);
  }
  all.resize(size);
  if (!is_same_set(all, chosen_)) {
    chosen_since_ms_ = now_ms;
    is_settled_ = false;
  }
  chosen_ = std::move(all);
  is_settled_ = is_settled_ || now_ms - chosen_since_ms_ >= options_.settle_ms;
  const std::string names = names_of(chosen_);
  if (std::ranges::find(chosen_, self.directory, &Founder::directory) == chosen_.end()) {
    is_settled_ = false;
    return names + (size == 1 ? " is" : " are") + " to form the cluster, which this node joins then";
  }
  if (!is_settled_) return "others may come, besides " + names;
  if (chosen_.front().directory != self.directory)
    return '"' + chosen_.front().name + "\" is to propose a cluster of " + names;
  return {};
}

/// All of the chosen must have said in this round that they chose the same, and are free.
std::string Bootstrap::not_agreed_yet(std::uint64_t now_ms) const {
  const std::uint64_t choice = choice_of(chosen_);
  for (const Founder& founder : chosen_) {
    if (founder.directory == options_.directory) continue;
    const auto known = known_.find(founder.directory);
    const bool agrees = known != known_.end() && known->second.seen_ms == now_ms &&
                        known->second.view.choice == choice && known->second.view.promised == 0;
    if (!agrees) return '"' + founder.name + "\" does not see the same nodes yet as this one: " + names_of(chosen_);
  }
  return {};
}

void Bootstrap::choose_nobody() {
  chosen_.clear();
  is_settled_ = false;
}

bool Bootstrap::conclude(std::uint64_t id, bool all_agreed) {
  const base::MutexLock lock(mutex_);
  if (state_ != State::proposing || current_->id != id) return false;
  state_ = all_agreed ? State::deciding : State::free;
  if (!all_agreed) current_.reset();
  return all_agreed;
}

Result<void> Bootstrap::release(std::uint64_t id) {
  const base::MutexLock lock(mutex_);
  if (state_ != State::promised || current_->id != id) return {};
  return release_locked();
}

Result<void> Bootstrap::release_locked() {
  if (auto kept = options_.keep(std::nullopt); !kept) return kept;
  current_.reset();
  state_ = State::free;
  choose_nobody();  // the settle time begins again, and with it the chance that all see the same
  return {};
}

void Bootstrap::joined(bool succeeded) {
  const base::MutexLock lock(mutex_);
  if (state_ == State::joining) state_ = succeeded ? State::deciding : State::free;
}

}  // namespace concord::node
