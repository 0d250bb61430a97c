// Events as the API writes them.
//
//   data := {"type","timestamp","node","revision","metadata"
//            [,"key"[,"value"[,"encoding"]][,"previous"[,"previous_encoding"]]]     one change is shown
//            [,"keys":[key...],"changes":[change...]]}                              its transaction had several
//   change := {"op","key"[,"value"...][,"previous"...][,"ttl"]}
//   metadata := {["ttl"]} of one change | {"count"} of several
//
// A key that is not UTF-8 is shown as "key_b64", among "keys" as {"key_b64"}. An event that shows one of several changes has both
// forms. Reads (get, get_many) have no revision. Thread rule: pure functions.
#pragma once

#include <string>

#include <concord/events.hpp>

namespace concord::http {

/// The data: one line of JSON.
void append_event_json(std::string& to, const Event& event);

/// As a server-sent event: id (not of reads), event, data, an empty line.
void append_server_sent_event(std::string& to, const Event& event);

}  // namespace concord::http
