// Nodes that find each other become one cluster, and no node is ever of two: by examples, and by many runs of a model in which messages
// are lost, late and come out of turn, networks are parted, and nodes are killed and wiped.
#include "node/bootstrap.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::node {
namespace {

using base::ClusterId;
using Next = Bootstrap::Next;
using Kind = Next::Kind;
using testing::HasSubstr;

constexpr std::uint64_t settle_ms = 3000;

Founder founder(const std::string& name, std::uint64_t directory) {
  return {.name = name, .directory = directory, .peer = name + ":9100"};
}

/// Three nodes, of which this is the first.
class First : public testing::Test {
 protected:
  [[nodiscard]] Bootstrap make(std::size_t size = 3) {
    return Bootstrap({.cluster_name = "green",
                      .expected_size = size,
                      .settle_ms = settle_ms,
                      .directory = self.directory,
                      .keep = [this](const std::optional<Proposal>& promise) -> Result<void> {
                        if (disk_fails) return fail(Errc::storage_failed, "the disk is broken");
                        kept = promise;
                        return {};
                      }});
  }
  static Sighting sight(const Founder& who, const View& view) {
    return {.who = who, .address = who.peer, .cluster = {}, .view = view};
  }
  [[nodiscard]] std::vector<Sighting> others(std::uint64_t choice) const {
    return {sight(b, {.expected_size = 3, .choice = choice}), sight(c, {.expected_size = 3, .choice = choice})};
  }

  const Founder self = founder("a", 101);
  const Founder b = founder("b", 102);
  const Founder c = founder("c", 103);
  const std::uint64_t all = choice_of({self, b, c});
  std::optional<Proposal> kept;
  bool disk_fails = false;
};

TEST_F(First, ProposesOnceAllChoseTheSameForTheSettleTime) {
  Bootstrap one = make();
  EXPECT_THAT(one.next(self, {}, 0, 1).why, HasSubstr("1 of 3 expected nodes are there: \"a\""));
  EXPECT_EQ(one.next(self, others(all), 1000, 1).kind, Kind::wait);
  EXPECT_EQ(one.view().choice, 0U) << "it says what it chose when it has for the settle time";
  EXPECT_EQ(one.next(self, others(0), 4000, 1).kind, Kind::wait) << "the others did not say so";
  EXPECT_EQ(one.view().choice, all);
  const Next next = one.next(self, others(all), 4100, 77);
  ASSERT_EQ(next.kind, Kind::propose);
  EXPECT_EQ(next.proposal, (Proposal{.id = 77, .founders = {self, b, c}}));
  EXPECT_FALSE(one.was_given_up(77));
  EXPECT_TRUE(one.conclude(77, true));
  EXPECT_FALSE(one.was_given_up(77));
}

TEST_F(First, GivesUpForGoodWhenNotAllAgree) {
  Bootstrap one = make();
  (void)one.next(self, others(all), 0, 1);
  ASSERT_EQ(one.next(self, others(all), 3000, 77).kind, Kind::propose);
  EXPECT_FALSE(one.conclude(77, false));
  EXPECT_TRUE(one.was_given_up(77));
  EXPECT_FALSE(one.conclude(77, true)) << "late answers don't count";
}

TEST_F(First, AgreesOnlyToWhatItChoseItself) {
  Bootstrap one = make();
  const Founder zero = founder("0", 100);
  const Proposal proposal{.id = 5, .founders = {zero, self, b}};
  EXPECT_FALSE(one.agree(zero.directory, proposal));
  const std::vector<Sighting> seen{sight(zero, {.expected_size = 3}), sight(b, {.expected_size = 3})};
  (void)one.next(self, seen, 0, 1);
  EXPECT_FALSE(one.agree(zero.directory, proposal)) << "not settled";
  (void)one.next(self, seen, 3000, 1);
  EXPECT_FALSE(one.agree(b.directory, proposal)) << "not from the first";
  EXPECT_FALSE(one.agree(zero.directory, {.id = 5, .founders = {zero, self, c}})) << "another set";
  EXPECT_FALSE(kept);
  EXPECT_TRUE(one.agree(zero.directory, proposal));
  EXPECT_EQ(kept, proposal);
  EXPECT_TRUE(one.agree(zero.directory, proposal)) << "asked again";
  EXPECT_FALSE(one.agree(zero.directory, {.id = 6, .founders = {zero, self, b}})) << "bound";
}

TEST_F(First, WhoCantWriteItDownDoesNotAgree) {
  Bootstrap one = make();
  const Founder zero = founder("0", 100);
  const std::vector<Sighting> seen{sight(zero, {.expected_size = 3}), sight(b, {.expected_size = 3})};
  (void)one.next(self, seen, 0, 1);
  (void)one.next(self, seen, 3000, 1);
  disk_fails = true;
  EXPECT_FALSE(one.agree(zero.directory, {.id = 5, .founders = {zero, self, b}}));
  EXPECT_EQ(one.view().promised, 0U);
}

TEST_F(First, IsBoundUntilToldThatTheProposalWasGivenUp) {
  const Founder zero = founder("0", 100);
  const Proposal promise{.id = 5, .founders = {zero, self, b}};
  Bootstrap one({.cluster_name = "green",
                 .expected_size = 3,
                 .settle_ms = settle_ms,
                 .directory = self.directory,
                 .promise = promise,
                 .keep = [this](const std::optional<Proposal>& kept_now) -> Result<void> {
                   kept = kept_now;
                   return {};
                 }});
  EXPECT_THAT(one.next(self, {}, 0, 1).why, HasSubstr("\"0\", which proposed it, does not answer"));
  Sighting elsewhere = sight(b, {});
  elsewhere.cluster = ClusterId(9);
  EXPECT_EQ(one.next(self, {elsewhere}, 1, 1).kind, Kind::wait) << "it joins no other cluster";
  EXPECT_EQ(one.next(self, {sight(founder("0", 200), {})}, 2, 1).kind, Kind::wait) << "another directory knows nothing";
  EXPECT_EQ(one.next(self, {sight(zero, {})}, 3, 1).kind, Kind::ask);
  EXPECT_TRUE(one.release(5));
  EXPECT_EQ(one.view().promised, 0U);
  EXPECT_EQ(one.next(self, {elsewhere}, 4, 1).kind, Kind::join);
}

TEST_F(First, TakesItsPlaceOnceTheClusterIsSeen) {
  const Founder zero = founder("0", 100);
  const Proposal promise{.id = 5, .founders = {zero, self, b}};
  Bootstrap one({.cluster_name = "green", .expected_size = 3, .directory = self.directory, .promise = promise});
  Sighting formed = sight(b, {});
  formed.cluster = cluster_of(promise, "green");
  const Next next = one.next(self, {formed}, 0, 1);
  EXPECT_EQ(next.kind, Kind::take);
  EXPECT_EQ(next.proposal, promise);
}

TEST_F(First, JoinsAClusterThatIsThereAndNotOneOfTwo) {
  Bootstrap one = make();
  Sighting member = sight(b, {});
  member.cluster = ClusterId(9);
  Sighting other = sight(c, {});
  other.cluster = ClusterId(8);
  const Next both = one.next(self, {member, other}, 0, 1);
  EXPECT_EQ(both.kind, Kind::refuse);
  EXPECT_THAT(both.why, HasSubstr("two clusters of this name"));
  EXPECT_EQ(one.next(self, {member}, 1, 1).kind, Kind::join);
  one.joined(false);
  EXPECT_THAT(one.next(self, others(all), 2, 1).why, HasSubstr("a cluster was there a moment ago"));
}

TEST_F(First, SaysWhatIsConfiguredWrong) {
  Bootstrap one = make();
  EXPECT_THAT(one.next(self, {sight(b, {.expected_size = 5})}, 0, 1).why,
              HasSubstr("\"b\" at b:9100 expects a cluster of 5, this node one of 3"));
  EXPECT_THAT(one.next(self, {sight(founder("a", 7), {.expected_size = 3})}, 1, 1).why,
              HasSubstr("there are two nodes \"a\""));
}

TEST_F(First, OfTwoThatExpectOneFormsTheClusterAndTheOtherWaitsForIt) {
  Bootstrap one = make(1);
  EXPECT_EQ(one.next(self, {sight(b, {.expected_size = 1})}, 0, 1).kind, Kind::wait);
  EXPECT_EQ(one.next(self, {sight(b, {.expected_size = 1})}, 3000, 1).kind, Kind::propose);
  Bootstrap two = make(1);
  EXPECT_EQ(two.next(self, {sight(founder("0", 1), {.expected_size = 1})}, 0, 1).kind, Kind::wait);
  EXPECT_THAT(two.next(self, {sight(founder("0", 1), {.expected_size = 1})}, 9000, 1).why,
              HasSubstr("\"0\" is to form the cluster, which this node joins then"));
}

// ---------------------------------------------------------------------------------------------------------------------
// The model.

struct Weather {
  std::uint64_t lost_of_100 = 0;
  bool parts = false;  ///< networks are parted now and then
  bool kills = false;  ///< nodes are killed, and start again
  bool wipes = false;  ///< some of them with an empty directory
  std::uint64_t start_within_ms = 5000;
};

class Model {
 public:
  Model(std::uint64_t seed, std::size_t nodes, std::size_t expected, Weather weather)
      : random_(seed), expected_(expected), weather_(weather) {
    for (std::size_t i = 0; i < nodes; ++i) {
      nodes_.push_back({.name = "n" + std::to_string(i), .directory = 1000 + i});
      at(random_.below(weather.start_within_ms + 1), [this, i] { start(i); });
    }
    group_.resize(nodes);
  }

  /// Bad weather until then, then good.
  void run(std::uint64_t bad_until_ms, std::uint64_t end_ms) {
    if (weather_.parts) at(random_.below(3000), [this, bad_until_ms] { part(bad_until_ms); });
    if (weather_.kills) at(random_.below(3000), [this, bad_until_ms] { strike(bad_until_ms); });
    at(bad_until_ms, [this] {
      weather_.lost_of_100 = 0;
      std::ranges::fill(group_, 0);
    });
    while (!events_.empty() && now_ms_ < end_ms) {
      const Event event = events_.top();
      events_.pop();
      now_ms_ = event.at_ms;
      event.happen();
      check();
    }
  }

  [[nodiscard]] std::set<std::uint64_t> clusters() const {
    std::set<std::uint64_t> all;
    for (const auto& [directory, cluster] : places_) all.insert(cluster);
    return all;
  }
  [[nodiscard]] bool all_have_a_place() const {
    return std::ranges::all_of(nodes_, [](const SimNode& node) { return node.place.has_value(); });
  }

 private:
  struct SimNode {
    std::string name = {};
    std::uint64_t directory = 0;
    std::optional<Proposal> promise = {};       // durable
    std::optional<std::uint64_t> place = {};    // durable
    std::unique_ptr<Bootstrap> bootstrap = {};  // null: it is down
    std::uint64_t life = 0;
  };
  struct Event {
    std::uint64_t at_ms = 0;
    std::uint64_t number = 0;
    std::function<void()> happen = {};
    bool operator<(const Event& other) const { return std::pair(other.at_ms, other.number) < std::pair(at_ms, number); }
  };

  void at(std::uint64_t ms, std::function<void()> happen) { events_.push({ms, ++events_made_, std::move(happen)}); }
  void after(std::uint64_t ms, std::function<void()> happen) { at(now_ms_ + ms, std::move(happen)); }
  /// Some time later, if the node lives on until then.
  void later(std::size_t i, std::uint64_t most_ms, std::function<void()> happen) {
    after(1 + random_.below(most_ms), [this, i, life = nodes_[i].life, happen = std::move(happen)] {
      if (nodes_[i].bootstrap && nodes_[i].life == life) happen();
    });
  }
  [[nodiscard]] bool arrives(std::size_t from, std::size_t to) {
    return nodes_[to].bootstrap != nullptr && group_[from] == group_[to] && random_.below(100) >= weather_.lost_of_100;
  }
  [[nodiscard]] static Founder self(const SimNode& node) { return founder(node.name, node.directory); }

  void start(std::size_t i) {
    SimNode& node = nodes_[i];
    ++node.life;
    node.bootstrap = std::make_unique<Bootstrap>(
        Bootstrap::Options{.cluster_name = "green",
                           .expected_size = expected_,
                           .settle_ms = settle_ms,
                           .directory = node.directory,
                           .has_place = node.place.has_value(),
                           .promise = node.promise,
                           .keep = [this, i](const std::optional<Proposal>& promise) -> Result<void> {
                             nodes_[i].promise = promise;
                             return {};
                           }});
    later(i, 200, [this, i] { look_around(i); });
  }

  void look_around(std::size_t i) {
    if (nodes_[i].place) return;
    std::vector<Sighting> seen;
    for (std::size_t j = 0; j < nodes_.size(); ++j) {
      if (j == i || !arrives(i, j) || !arrives(j, i)) continue;
      const SimNode& other = nodes_[j];
      seen.push_back({.who = self(other),
                      .address = std::to_string(j),
                      .cluster = ClusterId(other.place.value_or(0)),
                      .view = other.bootstrap->view()});
    }
    // What was seen is old when it is thought about.
    later(i, 400, [this, i, seen = std::move(seen)] { act(i, seen); });
  }

  void act(std::size_t i, const std::vector<Sighting>& seen) {
    SimNode& node = nodes_[i];
    const Next next = node.bootstrap->next(self(node), seen, now_ms_, 1 + events_made_);
    switch (next.kind) {
      case Kind::wait:
      case Kind::refuse: return again(i);
      case Kind::join: return join(i, std::stoull(next.at));
      case Kind::propose: return propose(i, next.proposal);
      case Kind::ask: return ask(i, std::stoull(next.at), next.proposal.id);
      case Kind::take: return take(i, next.proposal);
    }
  }
  void again(std::size_t i) {
    later(i, 300, [this, i] { look_around(i); });
  }

  void propose(std::size_t i, const Proposal& proposal) {
    const auto agreed = std::make_shared<std::set<std::uint64_t>>();
    for (std::size_t j = 0; j < nodes_.size(); ++j) {
      const bool is_asked =
          j != i && std::ranges::find(proposal.founders, nodes_[j].name, &Founder::name) != proposal.founders.end();
      if (!is_asked) continue;
      // It may arrive long after the proposer has given up.
      after(1 + random_.below(2000), [this, i, j, proposal, agreed] {
        if (!arrives(i, j)) return;
        if (!nodes_[j].bootstrap->agree(proposal.founders.front().directory, proposal)) return;
        after(1 + random_.below(300), [this, i, j, agreed, directory = nodes_[j].directory] {
          if (arrives(j, i)) agreed->insert(directory);
        });
      });
    }
    after(1500, [this, i, proposal, agreed, life = nodes_[i].life] {
      if (!nodes_[i].bootstrap || nodes_[i].life != life) return;
      const bool all = std::ranges::all_of(proposal.founders, [&](const Founder& one) {
        return one.directory == nodes_[i].directory || agreed->contains(one.directory);
      });
      if (!nodes_[i].bootstrap->conclude(proposal.id, all)) return again(i);
      for (const Founder& one : proposal.founders) {
        EXPECT_TRUE(one.directory == nodes_[i].directory || is_bound(one, proposal)) << one.name << " is not bound";
      }
      take(i, proposal);
    });
  }

  void ask(std::size_t i, std::size_t j, std::uint64_t id) {
    after(1 + random_.below(500), [this, i, j, id, directory = nodes_[j].directory, life = nodes_[i].life] {
      const bool heard = arrives(i, j) && nodes_[j].directory == directory;
      const bool given_up = heard && nodes_[j].bootstrap->was_given_up(id);
      after(1 + random_.below(500), [this, i, j, id, given_up, life] {
        if (!nodes_[i].bootstrap || nodes_[i].life != life) return;
        if (given_up && arrives(j, i)) {
          EXPECT_TRUE(nodes_[i].bootstrap->release(id));
        }
        again(i);
      });
    });
  }

  void take(std::size_t i, const Proposal& proposal) {
    later(i, 300, [this, i, proposal] {
      const std::uint64_t cluster = cluster_of(proposal, "green").value();
      settle_in(i, cluster);
      formed_[cluster] = proposal;
    });
  }
  void join(std::size_t i, std::size_t j) {
    later(i, 500, [this, i, j] {
      const bool succeeds = nodes_[j].place && arrives(i, j) && !random_.one_in(4);
      nodes_[i].bootstrap->joined(succeeds);
      if (!succeeds) return again(i);
      later(i, 300, [this, i, cluster = *nodes_[j].place] { settle_in(i, cluster); });
    });
  }
  void settle_in(std::size_t i, std::uint64_t cluster) {
    nodes_[i].place = cluster;
    const auto [place, is_first] = places_.emplace(nodes_[i].directory, cluster);
    EXPECT_TRUE(is_first || place->second == cluster) << nodes_[i].name << " has two places";
  }

  void part(std::uint64_t until_ms) {
    if (now_ms_ >= until_ms) return;
    const bool heals = random_.one_in(3);
    for (std::size_t& group : group_) group = heals ? 0 : random_.below(2);
    after(random_.below(6000), [this, until_ms] { part(until_ms); });
  }
  void strike(std::uint64_t until_ms) {
    if (now_ms_ >= until_ms) return;
    const std::size_t i = random_.below(nodes_.size());
    SimNode& node = nodes_[i];
    if (node.bootstrap) {
      node.bootstrap.reset();
      if (weather_.wipes && random_.one_in(3)) {
        node.directory = 5000 + events_made_;
        node.promise.reset();
        node.place.reset();
      }
      after(random_.below(3000), [this, i] { start(i); });
    }
    after(random_.below(2500), [this, until_ms] { strike(until_ms); });
  }

  /// No founder of a cluster is anywhere else, or could be: it has its place there, or is bound to it.
  void check() {
    for (const auto& [cluster, proposal] : formed_) {
      for (const Founder& one : proposal.founders) {
        const auto place = places_.find(one.directory);
        const bool is_elsewhere = place != places_.end() && place->second != cluster;
        if (!is_elsewhere && (place != places_.end() || is_bound(one, proposal))) continue;
        ADD_FAILURE() << one.name << " is a founder of a cluster, and " << (is_elsewhere ? "of another" : "free");
        events_ = {};
        return;
      }
    }
  }
  /// Or its directory is gone, and with it who might be anywhere else.
  [[nodiscard]] bool is_bound(const Founder& founder, const Proposal& proposal) const {
    const auto node = std::ranges::find(nodes_, founder.directory, &SimNode::directory);
    return node == nodes_.end() || node->promise == proposal;
  }

  base::Random random_;
  const std::size_t expected_;
  Weather weather_;
  std::uint64_t now_ms_ = 0;
  std::uint64_t events_made_ = 0;
  std::priority_queue<Event> events_;
  std::vector<SimNode> nodes_;
  std::vector<std::size_t> group_;                 // who hears whom
  std::map<std::uint64_t, std::uint64_t> places_;  // of directories, ever
  std::map<std::uint64_t, Proposal> formed_;       // of clusters, ever
};

constexpr std::uint64_t first_seed = 20'260'000;
constexpr std::uint64_t runs = 100;

TEST(BootstrapModel, NodesThatSeeEachOtherFormOneClusterHoweverManyTheyAre) {
  for (std::uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::size_t expected = 1 + seed % 4;
    Model model(seed, expected + seed % (expected + 3), expected,
                {.lost_of_100 = seed % 10, .start_within_ms = seed % 2 == 0 ? 300U : 20'000U});
    model.run(30'000, 120'000);
    EXPECT_EQ(model.clusters().size(), 1U);
    EXPECT_TRUE(model.all_have_a_place());
    if (testing::Test::HasFailure()) return;
  }
}

TEST(BootstrapModel, KillsAndPartingsOfExactlyTheExpectedNodesMakeOneCluster) {
  for (std::uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::size_t expected = 2 + seed % 4;
    Model model(seed, expected, expected, {.lost_of_100 = seed % 40, .parts = true, .kills = true});
    model.run(40'000, 160'000);
    EXPECT_EQ(model.clusters().size(), 1U);
    EXPECT_TRUE(model.all_have_a_place()) << "good weather ends all waiting, as long as no directory is lost";
    if (testing::Test::HasFailure()) return;
  }
}

TEST(BootstrapModel, OfTwiceTheExpectedNodesNoneIsInTwoClustersWhateverHappens) {
  std::size_t clusters = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::size_t expected = 2 + seed % 3;
    Model model(seed, 2 * expected, expected,
                {.lost_of_100 = seed % 40, .parts = true, .kills = true, .wipes = seed % 2 == 1});
    model.run(60'000, 90'000);
    clusters += model.clusters().size();
    if (seed % 2 == 0) {
      EXPECT_LE(model.clusters().size(), 2U) << "there are not founders enough for more";
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(clusters, runs / 2) << "the model forms clusters at all";
}

}  // namespace
}  // namespace concord::node
