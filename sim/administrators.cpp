#include "sim/administrators.hpp"

#include <algorithm>
#include <utility>

#include "acl/record.hpp"

namespace concord::sim {

using command::CommandKind;
using command::OperationStatus;
using command::TokenId;
using std::chrono::milliseconds;

namespace {

constexpr TimeUs patience_us = 8 * second;
constexpr milliseconds node_timeout{3000};
constexpr std::size_t most_live_tokens = 4;
constexpr std::size_t most_offered = 8;

std::vector<Permission> permissions_of(const Reach& reach) {
  std::vector<Permission> permissions;
  if (reach.reads) permissions.push_back(Permission::read);
  if (reach.writes) permissions.push_back(Permission::write);
  return permissions;
}

command::SecretHash hash_of(std::uint64_t id) {
  command::SecretHash hash{};
  for (std::size_t at = 0; at < sizeof id; ++at) hash[at] = static_cast<char>(id >> (8 * at));
  return hash;
}

}  // namespace

/// One change, asked of one machine after the other.
struct Administrators::Deed {
  Administrator* by = nullptr;
  CommandKind kind = CommandKind::token_create;
  TokenId as = {};
  // What is asked for; the views of the commands are made of these.
  std::uint64_t token = 0;
  GivenToken given = {};
  bool is_admin = false;
  std::string user = {};
  std::string tenant = {};
  std::string record = {};
  AccessKind access_kind = AccessKind::role;
  std::string name = {};
  /// It is known to be done, there; or it may be, some time.
  std::function<void(const Place&)> done = {};

  Place place = {};
  Machine* machine = nullptr;
  std::uint64_t attempt = 0;
  bool may_have_happened = false;  // by an earlier attempt
  bool is_over = false;

  void set_record(AccessRecord wanted) { record = acl::encode(*acl::normalized(std::move(wanted))); }
  /// Whether it may be that there is nothing to do, or that it can't be done.
  [[nodiscard]] bool may_fail() const noexcept { return kind == CommandKind::access_remove || may_have_happened; }
};

Administrators::Administrators(World& world, std::size_t count, AccessHistory& history, std::function<Machine*()> pick,
                               std::function<void(const std::string&)> wrong)
    : world_(world), history_(history), pick_(std::move(pick)), wrong_(std::move(wrong)) {
  while (administrators_.size() < count) administrators_.push_back(std::make_unique<Administrator>());
}

Administrators::~Administrators() = default;

void Administrators::start() {
  for (auto& one : administrators_) pause(*one);
}

void Administrators::pause(Administrator& one) {
  if (is_stopped_) return;
  world_.after(world_.between(20 * ms, 1 * second), [this, &one] { act(one); });
}

void Administrators::act(Administrator& one) {
  if (is_stopped_) return;
  if (one.plan.empty()) {
    if (!one.domain) {
      found(one);
    } else if (one.changes_left-- > 0) {
      change(one);
    } else {
      dissolve(one);
    }
  }
  const DeedPtr deed = std::move(one.plan.front());
  one.plan.pop_front();
  deed->as = TokenId(deed->is_admin ? 0 : one.admin);
  deed->place.called_us = world_.now_us();
  deeds_.push_back(deed);
  ask(deed);
}

// ---------------------------------------------------------------------------------------------------------------------
// What they do.

void Administrators::found(Administrator& one) {
  one.domain = history_.domains.size();
  one.name = std::to_string(*one.domain);
  history_.domains.push_back({.prefix = "t" + one.name + "/"});
  one.rules = {.grants = draw_grants(one)};
  one.tokens.clear();
  one.admin = 0;
  one.tenant_version = 0;
  one.is_spoiled = false;
  one.changes_left = world_.between(5, 25);
  if (world_.random().one_in(2)) one.plan.push_back(create_admin(one));
  one.plan.push_back(set_tenant(one));
  one.plan.push_back(set_role(one, one.rules));
  one.plan.push_back(set_user(one, one.rules));
}

void Administrators::change(Administrator& one) {
  base::Random& random = world_.random();
  const std::uint64_t share = random.below(100);
  if (share < 20 && !one.tokens.empty()) {
    return one.plan.push_back(revoke_token(one, one.tokens[random.below(one.tokens.size())]));
  }
  if ((share < 55 || one.is_spoiled) && one.tokens.size() < most_live_tokens) {
    return one.plan.push_back(create_token(one));
  }
  if (one.is_spoiled) return one.plan.push_back(revoke_token(one, one.tokens.front()));
  Rules rules = one.rules;
  if (share < 75) {
    rules.grants = draw_grants(one);
    one.plan.push_back(set_role(one, std::move(rules)));
  } else if (share < 88) {
    rules.has_role = !random.one_in(5);
    rules.is_disabled = random.one_in(5);
    rules.is_of_tenant = !random.one_in(4);
    one.plan.push_back(set_user(one, std::move(rules)));
  } else {
    one.plan.push_back(set_tenant(one));
  }
}

/// Tokens first: what they are judged by does not change then.
void Administrators::dissolve(Administrator& one) {
  for (const std::uint64_t token : one.tokens) one.plan.push_back(revoke_token(one, token));
  one.plan.push_back(remove(one, AccessKind::user));
  one.plan.push_back(remove(one, AccessKind::role));
  one.plan.push_back(remove(one, AccessKind::tenant));
  one.plan.back()->done = [&one](const Place&) { one.domain.reset(); };
  if (one.admin == 0) return;
  one.plan.push_back(make_deed(one, CommandKind::token_revoke));
  one.plan.back()->token = one.admin;
  one.plan.back()->is_admin = true;
}

std::string Administrators::draw_prefix(const Administrator& one) {
  const std::string& prefix = history_.domains[*one.domain].prefix;
  const std::string choices[] = {"", prefix, prefix, prefix + "a", prefix + "b"};
  return choices[world_.random().below(std::size(choices))];
}

std::vector<Reach> Administrators::draw_grants(const Administrator& one) {
  std::vector<Reach> grants(world_.random().one_in(5) ? 0 : world_.between(1, 2));
  for (Reach& grant : grants) {
    grant.writes = !world_.random().one_in(3);
    grant.reads = !grant.writes || world_.random().one_in(2);
    grant.prefix = draw_prefix(one);
  }
  return grants;
}

Administrators::DeedPtr Administrators::make_deed(Administrator& one, CommandKind kind) {
  auto deed = std::make_shared<Deed>();
  deed->by = &one;
  deed->kind = kind;
  deed->done = [](const Place&) {};
  return deed;
}

Administrators::DeedPtr Administrators::set_role(Administrator& one, Rules rules) {
  DeedPtr deed = make_deed(one, CommandKind::access_set);
  Role role{.name = "r" + one.name};
  for (const Reach& grant : rules.grants) {
    role.grants.push_back({.permissions = permissions_of(grant)});
    if (!grant.prefix.empty()) role.grants.back().prefixes.push_back(grant.prefix);
  }
  deed->set_record(std::move(role));
  deed->done = [this, &one, rules = std::move(rules)](const Place& place) {
    one.rules = rules;
    std::vector<Domain::Step>& steps = history_.domains[*one.domain].steps;
    if (!steps.empty()) steps.push_back({.place = place, .rules = rules});  // else the user is still to come
  };
  return deed;
}

Administrators::DeedPtr Administrators::set_user(Administrator& one, Rules rules) {
  DeedPtr deed = make_deed(one, CommandKind::access_set);
  User user{.name = "u" + one.name, .disabled = rules.is_disabled};
  if (rules.has_role) user.roles.push_back("r" + one.name);
  if (rules.is_of_tenant) user.tenant = "t" + one.name;
  deed->set_record(std::move(user));
  deed->done = [this, &one, rules = std::move(rules)](const Place& place) {
    one.rules = rules;
    history_.domains[*one.domain].steps.push_back({.place = place, .rules = rules});
  };
  return deed;
}

/// Each version is told from the others by a quota that the state of keys knows nothing of.
Administrators::DeedPtr Administrators::set_tenant(Administrator& one) {
  DeedPtr deed = make_deed(one, CommandKind::access_set);
  const std::uint64_t most_keys[] = {0, 0, 2, 3, 4};
  const std::uint64_t most_bytes[] = {0, 0, 0, 30, 60};
  Tenant tenant{.name = "t" + one.name, .prefix = history_.domains[*one.domain].prefix};
  tenant.quotas = {.max_keys = most_keys[world_.random().below(std::size(most_keys))],
                   .max_bytes = most_bytes[world_.random().below(std::size(most_bytes))],
                   .max_operations_per_s = 0,
                   .max_subscribers = ++one.tenant_version};
  deed->set_record(std::move(tenant));
  return deed;
}

Administrators::DeedPtr Administrators::create_admin(Administrator& one) {
  DeedPtr deed = make_deed(one, CommandKind::token_create);
  deed->token = ++last_token_;
  deed->is_admin = true;
  deed->done = [&one, id = deed->token](const Place&) {
    if (!one.is_spoiled) one.admin = id;
  };
  return deed;
}

Administrators::DeedPtr Administrators::create_token(Administrator& one) {
  DeedPtr deed = make_deed(one, CommandKind::token_create);
  base::Random& random = world_.random();
  GivenToken& given = deed->given;
  given.domain = *one.domain;
  const GivenToken::Owner owners[] = {GivenToken::Owner::nobody, GivenToken::Owner::tenant, GivenToken::Owner::user,
                                      GivenToken::Owner::user};
  given.owner = owners[random.below(std::size(owners))];
  if (given.owner == GivenToken::Owner::user) deed->user = "u" + one.name;
  if (given.owner == GivenToken::Owner::tenant) deed->tenant = "t" + one.name;
  given.reach.writes = !random.one_in(4);
  given.reach.reads = !given.reach.writes || !random.one_in(3);
  given.reach.prefix = draw_prefix(one);
  if (random.one_in(8)) given.ttl_s = static_cast<std::uint32_t>(1 + random.below(5));
  deed->token = ++last_token_;
  deed->done = [this, &one, id = deed->token, given](const Place& place) {
    if (!place.is_exact()) return;  // it may be made once more, and come back when it was revoked: nobody works with it
    const auto added = history_.tokens.emplace(id, given).first;
    added->second.made = place;
    one.tokens.push_back(id);
    offered_.push_back(id);
    if (offered_.size() > most_offered) offered_.pop_front();
  };
  return deed;
}

Administrators::DeedPtr Administrators::revoke_token(Administrator& one, std::uint64_t id) {
  DeedPtr deed = make_deed(one, CommandKind::token_revoke);
  deed->token = id;
  deed->done = [this, &one, id](const Place& place) {
    history_.tokens.at(id).revoked = place;
    std::erase(one.tokens, id);
  };
  return deed;
}

Administrators::DeedPtr Administrators::remove(Administrator& one, AccessKind kind) {
  DeedPtr deed = make_deed(one, CommandKind::access_remove);
  deed->access_kind = kind;
  deed->name = std::string(acl::kind_name(kind).substr(0, 1)) + one.name;
  return deed;
}

std::string Administrators::draw_key(std::size_t domain) {
  constexpr const char* names[] = {"a0", "a1", "b0", "b1", "c0"};
  return history_.domains[domain].prefix + names[world_.random().below(std::size(names))];
}

std::optional<Errand> Administrators::draw_errand() {
  if (offered_.empty()) return std::nullopt;
  base::Random& random = world_.random();
  Errand errand;
  for (int draws = 0; draws < 3 && (draws == 0 || history_.tokens.at(errand.token).revoked); ++draws) {
    errand.token = offered_[random.below(offered_.size())];
  }
  std::size_t domain = history_.tokens.at(errand.token).domain;
  if (random.one_in(8)) domain = random.below(history_.domains.size());
  errand.keys.push_back(draw_key(domain));
  if (random.one_in(4)) errand.keys.push_back(draw_key(domain));
  if (errand.keys.front() == errand.keys.back()) errand.keys.resize(1);
  return errand;
}

// ---------------------------------------------------------------------------------------------------------------------
// How they go about it.

void Administrators::ask(const DeedPtr& deed) {
  Machine* const machine = deed->machine = pick_();
  const std::uint64_t attempt = ++deed->attempt;
  const auto is_void = [deed, attempt] { return deed->attempt != attempt || deed->is_over; };
  if (machine == nullptr || !machine->is_up()) {
    world_.after(1 * ms, [this, deed] { take_error(deed, Error(Errc::cluster_not_ready, "nobody listens")); });
    return;
  }
  world_.after(world_.between(50, 500), [this, deed, machine, is_void] {
    if (is_void()) return;
    if (!machine->is_up()) return take_error(deed, Error(Errc::timeout, "the connection was lost", true));
    machine->deliver(world_.now_us(), [this, deed, is_void] {
      if (!is_void()) submit(deed);
    });
  });
  world_.after(patience_us, [this, deed, is_void] {
    if (!is_void()) take_error(deed, Error(Errc::timeout, "no answer", true));
  });
}

void Administrators::machine_ended(const Machine& machine) {
  for (const DeedPtr& deed : deeds_) {
    if (deed->machine != &machine) continue;
    world_.after(world_.between(50, 500), [this, deed, attempt = deed->attempt] {
      if (deed->attempt == attempt && !deed->is_over)
        take_error(deed, Error(Errc::timeout, "the connection was lost", true));
    });
  }
}

/// Inside the node's process.
void Administrators::submit(const DeedPtr& deed) {
  command::TokenRecord token{.id = TokenId(deed->token), .hash = hash_of(deed->token)};
  token.permissions = acl::bits_of(deed->is_admin ? std::vector{Permission::admin} : permissions_of(deed->given.reach));
  token.expires_in_s = deed->given.ttl_s;
  if (!deed->given.reach.prefix.empty()) token.prefixes.push_back(deed->given.reach.prefix);
  token.user = deed->user;
  token.tenant = deed->tenant;
  const command::AccessStep step{.record = deed->record, .kind = deed->access_kind, .name = deed->name};
  const node::Write write{.kind = deed->kind, .token = &token, .access = &step, .as_token = deed->as};
  deed->machine->runtime().write_async(write, node_timeout,
                                       [this, deed, attempt = deed->attempt](const Result<command::Outcome>& result) {
                                         if (deed->attempt == attempt && !deed->is_over) take(deed, result);
                                       });
}

/// An answer on its way.
void Administrators::take(const DeedPtr& deed, const Result<command::Outcome>& result) {
  const auto on_its_way = [this, deed](auto come) {
    world_.at(deed->machine->local_now_us() + world_.between(50, 500), [deed, attempt = deed->attempt, come] {
      if (deed->attempt == attempt && !deed->is_over) come();
    });
  };
  if (!result) {
    on_its_way([this, deed, error = result.error()] { take_error(deed, error); });
  } else {
    on_its_way([this, deed, answer = result->results.front(), revision = result->revision.value()] {
      take_outcome(deed, answer, revision);
    });
  }
}

void Administrators::take_error(const DeedPtr& deed, const Error& error) {
  if (deed->is_over) return;
  world_.trace(static_cast<std::uint64_t>(error.code()));
  if (error.code() == Errc::unauthorized || error.code() == Errc::forbidden) {
    wrong_("an admin is refused: " + error.message());
  }
  if (error.maybe_committed()) deed->may_have_happened = true;
  if (is_stopped_) {
    if (deed->may_have_happened) deed->done(deed->place);  // at any time from its call on
    return end(deed);
  }
  ++deed->attempt;
  world_.after(world_.between(1 * ms, 200 * ms), [this, deed] { ask(deed); });
}

void Administrators::take_outcome(const DeedPtr& deed, const command::OperationResult& result, std::uint64_t revision) {
  if (result.status != OperationStatus::ok && !deed->may_fail()) {
    wrong_("an admin's change is not done: " + command::text_of(result));
  }
  deed->place.most = revision;
  if (!deed->may_have_happened) deed->place.least = revision;
  deed->place.returned_us = world_.now_us();
  world_.trace(revision);
  Administrator& one = *deed->by;
  if (deed->may_have_happened && deed->kind != CommandKind::token_revoke) one.is_spoiled = true;
  deed->done(deed->place);
  end(deed);
  pause(one);
}

void Administrators::end(const DeedPtr& deed) {
  deed->is_over = true;
  std::erase(deeds_, deed);
}

}  // namespace concord::sim
