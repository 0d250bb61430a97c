// Clients: each calls one operation after the other, at whatever node it likes, and writes down what came of it.
//
// The mix, the number of keys and the haste are chosen by the run's seed. A client gives up on a node that does not answer, and
// never learns then whether a write happened; a write under a name (command::Once) it makes again elsewhere until it knows. A restore
// is a write of all keys: it goes through its steps at one node after the other, and insists too.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "command/transaction.hpp"
#include "sim/administrators.hpp"
#include "sim/history.hpp"
#include "sim/machine.hpp"
#include "sim/world.hpp"

namespace concord::sim {

struct Workload {
  std::size_t clients = 4;
  std::size_t keys = 5;
  TimeUs least_pause_us = 1 * ms;
  TimeUs most_pause_us = 40 * ms;
  std::uint64_t padding_bytes = 0;  ///< a tenth of the values is up to so much longer
  std::uint32_t longest_ttl_s = 5;
  // Shares of a hundred; what is left are plain puts.
  std::uint64_t strong_reads = 20;
  std::uint64_t leader_reads = 10;
  std::uint64_t eventual_reads = 5;
  std::uint64_t removes = 10;
  std::uint64_t guarded = 15;
  std::uint64_t transactions = 10;
  std::uint64_t expiring = 10;
  std::uint64_t once = 10;
  std::uint64_t restores = 0;
  std::uint64_t with_tokens = 0;
};

class Clients {
 public:
  /// `pick` gives the machine to ask next; null: there is none.
  Clients(World& world, const Workload& workload, History& history, std::function<Machine*()> pick);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// Whom to ask for tokens to work with; before `start`, and for as long as there are clients.
  void take_errands_from(Administrators& administrators) noexcept { administrators_ = &administrators; }
  void start();
  /// No further operations; those under way go on.
  void stop() noexcept { is_stopped_ = true; }
  [[nodiscard]] bool is_idle() const noexcept { return under_way_ == 0; }
  /// A process is gone, with whatever it was asked.
  void machine_ended(const Machine& machine);
  /// Operations that were answered.
  [[nodiscard]] std::uint64_t answered() const noexcept { return answered_; }
  [[nodiscard]] std::vector<std::string> keys() const;

  /// Beyond the workload: writes `key` at `machine`, or reads it strongly there; `done` gets the error, or nothing.
  using Done = std::function<void(const std::string& error)>;
  void put_at(Machine& machine, const std::string& key, Done done);
  void read_at(Machine& machine, const std::string& key, Done done);

 private:
  struct Call;
  using CallPtr = std::shared_ptr<Call>;
  struct Client {
    std::size_t number = 0;
    std::map<std::string, std::uint64_t> revisions = {};  // of keys, as last seen
  };

  struct Attempt {
    TimeUs ends_us = 0;
    CallPtr call;
    std::uint64_t attempt = 0;
  };

  void watch_patience();
  void pause(Client& client);
  void act(Client& client);
  Operation draw(Client& client, CallPtr& call);
  void draw_restore(Operation& operation, Call& call);
  void draw_errand(Operation& operation, Call& call);
  void add_write(Operation& operation, Call& call, const std::string& key);
  void begin(const CallPtr& call);
  void ask(const CallPtr& call);
  void submit(const CallPtr& call);
  void submit_write(const CallPtr& call);
  void submit_restore(const CallPtr& call);
  void submit_read(const CallPtr& call);
  void read_now(const CallPtr& call);
  void answer_write(const CallPtr& call, const Result<command::Outcome>& result);
  void answer_restore(const CallPtr& call, const Result<command::Outcome>& result);
  void give(const CallPtr& call, const std::function<void(Operation&)>& fill);
  void take_error(const CallPtr& call, const Error& error);
  void end(const CallPtr& call, Fate fate);
  [[nodiscard]] std::string any_key();
  [[nodiscard]] std::string stored_value(std::uint64_t value);

  World& world_;
  const Workload workload_;
  History& history_;
  const std::function<Machine*()> pick_;
  Administrators* administrators_ = nullptr;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<CallPtr> calls_;    // under way
  std::deque<Attempt> patience_;  // with them, the oldest first
  std::uint64_t last_value_ = 0;
  std::uint64_t answered_ = 0;
  std::size_t under_way_ = 0;
  bool is_stopped_ = false;
};

}  // namespace concord::sim
