// Coordination made of the store's own calls: locks, elections, rate limits, counters, feature flags, a service registry, places in
// the stream of events. What each promises, and what it can't, stands in its header.
#pragma once

#include <concord/recipes/counter.hpp>
#include <concord/recipes/election.hpp>
#include <concord/recipes/event_cursor.hpp>
#include <concord/recipes/feature_flags.hpp>
#include <concord/recipes/lock.hpp>
#include <concord/recipes/rate_limiter.hpp>
#include <concord/recipes/service_registry.hpp>
