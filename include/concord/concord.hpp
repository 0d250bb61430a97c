// Concord: a strongly consistent key-value store inside your program. One include for everything.
#pragma once

#include <concord/async_store.hpp>
#include <concord/audit_log.hpp>
#include <concord/auth.hpp>
#include <concord/awaitable.hpp>
#include <concord/client.hpp>
#include <concord/compression.hpp>
#include <concord/conditional.hpp>
#include <concord/entry.hpp>
#include <concord/error.hpp>
#include <concord/events.hpp>
#include <concord/node.hpp>
#include <concord/observability.hpp>
#include <concord/options.hpp>
#include <concord/predicate.hpp>
#include <concord/query.hpp>
#include <concord/revision.hpp>
#include <concord/status.hpp>
#include <concord/store.hpp>
#include <concord/telemetry.hpp>
#include <concord/tracing.hpp>
#include <concord/transaction.hpp>
#include <concord/update_function.hpp>
#include <concord/value.hpp>
#include <concord/version.hpp>
