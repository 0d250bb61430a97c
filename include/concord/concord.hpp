// Concord: a strongly consistent key-value store inside your program. One include for everything.
#pragma once

#include <concord/compression.hpp>
#include <concord/error.hpp>
#include <concord/node.hpp>
#include <concord/options.hpp>
#include <concord/revision.hpp>
#include <concord/status.hpp>
#include <concord/store.hpp>
#include <concord/value.hpp>
#include <concord/version.hpp>
