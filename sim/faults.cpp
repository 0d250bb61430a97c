// The kinds of misfortune.
#include <utility>

#include "sim/nemesis.hpp"

namespace concord::sim {

void Nemesis::add_membership_changes() {
  all_.push_back({"new member", [this] { simulation_.add_machine(); }});
  all_.push_back({"removed member", [this] { simulation_.remove(any_machine()); }});
  if (simulation_.durability() == Durability::memory) return;
  all_.push_back({"replaced disk", [this] { simulation_.replace_disk(any_machine()); }});
  all_.push_back({"flipped byte", [this] { simulation_.damage_disk(any_machine(), random_); }});
}

void Nemesis::add_pauses() {
  all_.push_back({"pause", [this] {
                    Machine& machine = any_machine();
                    machine.pause();
                    later(10 * ms, 8 * second, [&machine] { machine.resume(); });
                  }});
  all_.push_back({"pause the leader", [this] {
                    Machine* const machine = simulation_.leader();
                    if (machine == nullptr) return;
                    machine->pause();
                    later(10 * ms, 8 * second, [machine] { machine->resume(); });
                  }});
}

void Nemesis::add_process_faults() {
  add_pauses();
  if (simulation_.durability() == Durability::memory) return;  // what a process held ends with it
  all_.push_back({"kill", [this] {
                    Machine& machine = any_machine();
                    machine.kill();
                    start_later(machine);
                  }});
  all_.push_back({"kill the leader", [this] {
                    Machine* const machine = simulation_.leader();
                    if (machine == nullptr) return;
                    machine->kill();
                    start_later(*machine);
                  }});
  all_.push_back({"kill all", [this] {
                    for (auto& machine : simulation_.machines()) {
                      machine->kill();
                      start_later(*machine);
                    }
                  }});
  all_.push_back({"kill in the middle of a write", [this] {
                    Machine& machine = any_machine();
                    machine.end_at_change(random_.below(30), false);
                    start_later(machine);
                  }});
  if (simulation_.durability() != Durability::disk) return;
  all_.push_back({"power loss", [this] {
                    Machine& machine = any_machine();
                    machine.lose_power();
                    start_later(machine);
                  }});
  all_.push_back({"power loss of all", [this] {
                    for (auto& machine : simulation_.machines()) {
                      machine->lose_power();
                      start_later(*machine);
                    }
                  }});
  all_.push_back({"power loss in the middle of a write", [this] {
                    Machine& machine = any_machine();
                    machine.end_at_change(random_.below(30), true);
                    start_later(machine);
                  }});
}

void Nemesis::add_network_faults() {
  Network& network = simulation_.network();
  const auto unblock_later = [this, &network](std::vector<std::pair<std::size_t, std::size_t>> pairs) {
    later(20 * ms, 12 * second, [&network, pairs = std::move(pairs)] {
      for (const auto& [from, to] : pairs) network.unblock(from, to);
    });
  };
  const auto isolate = [this, unblock_later, &network](std::size_t alone) {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t at = 0; at < simulation_.machines().size(); ++at) {
      if (at == alone) continue;
      pairs.emplace_back(at, alone);
      pairs.emplace_back(alone, at);
    }
    for (const auto& [from, to] : pairs) network.block(from, to);
    unblock_later(std::move(pairs));
  };
  all_.push_back({"isolate", [this, isolate] { isolate(any_machine().number()); }});
  all_.push_back({"isolate the leader", [this, isolate] {
                    if (const Machine* const machine = simulation_.leader()) isolate(machine->number());
                  }});
  all_.push_back({"partition", [this, unblock_later, &network] {
                    const std::uint64_t side = random_.next();
                    std::vector<std::pair<std::size_t, std::size_t>> pairs;
                    for (std::size_t a = 0; a < simulation_.machines().size(); ++a) {
                      for (std::size_t b = 0; b < simulation_.machines().size(); ++b) {
                        if (((side >> a) & 1U) != ((side >> b) & 1U)) pairs.emplace_back(a, b);
                      }
                    }
                    for (const auto& [from, to] : pairs) network.block(from, to);
                    unblock_later(std::move(pairs));
                  }});
  all_.push_back({"one way", [this, unblock_later, &network] {
                    const std::size_t from = any_machine().number();
                    const std::size_t to = any_machine().number();
                    network.block(from, to);
                    unblock_later({{from, to}});
                  }});
  all_.push_back({"ring", [this, unblock_later, &network] {  // each hears its neighbours only
                    const std::size_t count = simulation_.machines().size();
                    std::vector<std::pair<std::size_t, std::size_t>> pairs;
                    for (std::size_t a = 0; a < count; ++a) {
                      for (std::size_t b = 0; b < count; ++b) {
                        const std::size_t distance = a > b ? a - b : b - a;
                        if (distance > 1 && distance < count - 1) pairs.emplace_back(a, b);
                      }
                    }
                    for (const auto& [from, to] : pairs) network.block(from, to);
                    unblock_later(std::move(pairs));
                  }});
  all_.push_back({"clog", [this, &network] {
                    const std::size_t from = any_machine().number();
                    const std::size_t to = any_machine().number();
                    network.block(from, to);
                    later(5 * ms, 3 * second, [&network, from, to] { network.unblock(from, to); });
                  }});
  all_.push_back({"reset", [&network] { network.reset_one(); }});
  all_.push_back({"slow network", [this, &network] {
                    network.mood().most_latency_us = between(1 * ms, 300 * ms);
                    later(100 * ms, 5 * second, [&network] { network.mood().most_latency_us = 500; });
                  }});
  all_.push_back({"packet loss", [this, &network] {
                    network.mood().loses_one_in = between(2, 50);
                    later(100 * ms, 8 * second, [&network] { network.mood().loses_one_in = 0; });
                  }});
  all_.push_back({"dropped messages", [this, &network] {
                    network.mood().drops_one_in = between(2, 50);
                    later(100 * ms, 8 * second, [&network] { network.mood().drops_one_in = 0; });
                  }});
  all_.push_back({"doubled messages", [this, &network] {
                    network.mood().doubles_one_in = between(2, 20);
                    later(100 * ms, 8 * second, [&network] { network.mood().doubles_one_in = 0; });
                  }});
}

void Nemesis::add_disk_faults() {
  all_.push_back({"slow disk", [this] {
                    Machine& machine = any_machine();
                    const TimeUs most_us = between(1 * ms, 400 * ms);
                    machine.disk_mood() = {.least_sync_us = most_us / 4, .most_sync_us = most_us};
                    later(100 * ms, 10 * second, [&machine] { machine.disk_mood() = {}; });
                  }});
  if (simulation_.durability() == Durability::memory) return;
  all_.push_back({"full disk", [this] {
                    Machine& machine = any_machine();
                    if (!machine.is_up()) return;
                    machine.disk().set_faults({.capacity_bytes = random_.below(300'000)});
                    later(100 * ms, 10 * second, [&machine] { machine.disk().set_faults({}); });
                  }});
  all_.push_back({"failed write", [this] {
                    Machine& machine = any_machine();
                    if (!machine.is_up()) return;
                    machine.disk().set_faults({.fail_write_after = machine.disk().writes() + random_.below(20)});
                    restart_later(machine);
                  }});
}

void Nemesis::add_clock_faults() {
  all_.push_back({"wall clock step", [this] {
                    // All of them within 10 minutes: so long are the names of transactions remembered, by the cluster's time.
                    const auto offset_ms = static_cast<std::int64_t>(random_.below(480'000)) - 240'000;
                    any_machine().set_wall_clock(offset_ms);
                    simulation_.note_clock_step();
                  }});
}

void Nemesis::add_requests() {
  all_.push_back({"leadership transfer", [this] {
                    Machine& machine = any_machine();
                    if (!machine.is_running()) return;
                    machine.post([&machine] {
                      machine.runtime().change_members({.kind = node::ChangeKind::transfer},
                                                       std::chrono::milliseconds(3000),
                                                       [](const Result<replica::Member>&) {});
                    });
                  }});
  all_.push_back({"snapshot", [this] {
                    Machine& machine = any_machine();
                    if (machine.is_running()) machine.post([&machine] { machine.runtime().request_snapshot(); });
                  }});
  if (simulation_.durability() == Durability::memory) return;
  all_.push_back({"orderly stop", [this] {
                    Machine& machine = any_machine();
                    if (!machine.is_running()) return;
                    machine.post([&machine] {
                      machine.runtime().change_members({.kind = node::ChangeKind::transfer},
                                                       std::chrono::milliseconds(1000),
                                                       [](const Result<replica::Member>&) {});
                    });
                    later(1 * second, 1 * second, [this, &machine] {
                      machine.kill();
                      start_later(machine);
                    });
                  }});
}

}  // namespace concord::sim
