// Administrators: each makes a tenant with a role, a user and tokens, changes them for a while, takes all of it away, and begins anew.
//
// They go through whatever node they like, as clients do, and insist until a change is known to be done: mostly in the name of an
// admin's token of their own. What they did is written down (access_history.hpp), and clients are given tokens to work with, those that
// were revoked a moment ago among them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command/token.hpp"
#include "sim/access_history.hpp"
#include "sim/machine.hpp"
#include "sim/world.hpp"

namespace concord::sim {

/// With which token a client is to work next, and on which keys.
struct Errand {
  std::uint64_t token = 0;
  std::vector<std::string> keys = {};
};

class Administrators {
 public:
  /// `pick` gives the machine to ask next; null: there is none. `wrong` hears of an answer that can't be.
  Administrators(World& world, std::size_t count, AccessHistory& history, std::function<Machine*()> pick,
                 std::function<void(const std::string&)> wrong);
  ~Administrators();
  Administrators(const Administrators&) = delete;
  Administrators& operator=(const Administrators&) = delete;

  void start();
  /// No further changes; those under way are not repeated.
  void stop() noexcept { is_stopped_ = true; }
  [[nodiscard]] bool is_idle() const noexcept { return deeds_.empty(); }
  /// A process is gone, with whatever it was asked.
  void machine_ended(const Machine& machine);
  /// Nothing: there are no tokens yet.
  [[nodiscard]] std::optional<Errand> draw_errand();

 private:
  struct Deed;
  using DeedPtr = std::shared_ptr<Deed>;
  struct Administrator {
    std::optional<std::size_t> domain = {};
    std::string name = {};    // what all names of the domain end with
    std::uint64_t admin = 0;  // id of its own token
    Rules rules = {};
    std::vector<std::uint64_t> tokens = {};  // that were not revoked
    std::uint64_t tenant_version = 0;
    std::size_t changes_left = 0;
    bool is_spoiled = false;  // something may yet be done once more: no rules are changed any more
    std::deque<DeedPtr> plan = {};
  };

  void pause(Administrator& one);
  void act(Administrator& one);
  void found(Administrator& one);
  void change(Administrator& one);
  void dissolve(Administrator& one);
  DeedPtr make_deed(Administrator& one, command::CommandKind kind);
  DeedPtr set_role(Administrator& one, Rules rules);
  DeedPtr set_user(Administrator& one, Rules rules);
  DeedPtr set_tenant(Administrator& one);
  DeedPtr create_token(Administrator& one);
  DeedPtr create_admin(Administrator& one);
  DeedPtr revoke_token(Administrator& one, std::uint64_t id);
  DeedPtr remove(Administrator& one, AccessKind kind);
  [[nodiscard]] std::vector<Reach> draw_grants(const Administrator& one);
  [[nodiscard]] std::string draw_prefix(const Administrator& one);
  [[nodiscard]] std::string draw_key(std::size_t domain);

  void ask(const DeedPtr& deed);
  void submit(const DeedPtr& deed);
  void take(const DeedPtr& deed, const Result<command::Outcome>& result);
  void take_error(const DeedPtr& deed, const Error& error);
  void take_outcome(const DeedPtr& deed, const command::OperationResult& result, std::uint64_t revision);
  void end(const DeedPtr& deed);

  World& world_;
  AccessHistory& history_;
  const std::function<Machine*()> pick_;
  const std::function<void(const std::string&)> wrong_;
  std::vector<std::unique_ptr<Administrator>> administrators_;
  std::vector<DeedPtr> deeds_;         // under way
  std::deque<std::uint64_t> offered_;  // tokens for clients, the newest last
  std::uint64_t last_token_ = 0;
  bool is_stopped_ = false;
};

}  // namespace concord::sim
