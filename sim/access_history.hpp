// What administrators changed of tokens, roles, users and tenants, and whether what clients did with tokens can have been judged by that.
//
// The answer to such a change tells the revision of the store at its place in the log. So it is known of each change of keys whether it
// stands before it or behind it, and nothing has to be searched (history.hpp). Checked:
//
//   - no write of a token stands behind its revocation, and a strong read with it that was called behind that is refused;
//   - a write was allowed by the token, the role, the user and the tenant of its place; so was a read, by those of a moment it may be of;
//   - what was refused in the log for want of rights was not allowed all the while it was under way.
//
// Rights are worked out here once more, from what administrators asked for. What they repeated because nobody answered stands somewhere
// between two places; nothing else of its domain is changed behind it, as it may yet be done once more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/history.hpp"
#include "sim/world.hpp"

namespace concord::sim {

/// Of a change in the log: all changes of keys up to revision `least` stand before it, all beyond `most` behind it.
struct Place {
  std::uint64_t least = 0;
  std::uint64_t most = ~std::uint64_t{0};
  TimeUs called_us = 0;
  TimeUs returned_us = never_us;

  [[nodiscard]] bool is_exact() const noexcept { return least == most; }
};

/// Permissions, on keys that begin so; with an empty prefix on all.
struct Reach {
  bool reads = false;
  bool writes = false;
  std::string prefix = {};

  [[nodiscard]] bool covers(bool is_write, const std::string& key) const {
    return (is_write ? writes : reads) && key.starts_with(prefix);
  }
};

/// What a domain's user may do: a role, and who has it.
struct Rules {
  std::vector<Reach> grants = {};
  bool has_role = true;
  bool is_disabled = false;
  bool is_of_tenant = true;
};

/// A tenant with a user and his role, which one administrator changes, one thing after the other.
struct Domain {
  struct Step {
    Place place = {};
    Rules rules = {};  ///< from there on
  };
  std::string prefix = {};  ///< of the tenant's keys
  std::vector<Step> steps = {};
};

struct GivenToken {
  enum class Owner : std::uint8_t { nobody, user, tenant };
  std::size_t domain = 0;
  Owner owner = Owner::nobody;
  Reach reach = {};  ///< what it says itself
  std::uint32_t ttl_s = 0;
  Place made = {};
  std::optional<Place> revoked = {};
};

struct AccessHistory {
  std::vector<Domain> domains = {};
  std::map<std::uint64_t, GivenToken> tokens = {};  ///< by id, once they are known to be there
};

/// What is wrong with what was done with tokens; nothing: it is right.
[[nodiscard]] std::optional<std::string> problem_of(const AccessHistory& access, const History& history,
                                                    const Clocks& clocks = {});

}  // namespace concord::sim
