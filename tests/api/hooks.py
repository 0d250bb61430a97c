"""What no schema can say about requests."""

import base64
import re
import urllib.parse

import schemathesis
from schemathesis import GenerationMode

LEAST_TIMEOUT_MS = 5000
OF_BYTES = ["ttl", "keep_ttl", "compress"]
FLAGS = ["verbose", "with_ttl", "meta", "keys_only"]


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None:
        return
    if case.meta.generation.mode == GenerationMode.POSITIVE:
        make_acceptable(case)
    else:
        give_flags_a_value(case.query)


def give_flags_a_value(query):
    """`?verbose` and `?verbose=` mean true, which a schema of type boolean takes for an error."""
    for name in FLAGS:
        if query and query.get(name) in ("", None, [], [""]) and name in query:
            query[name] = "neither"


def make_acceptable(case):
    query = case.query
    if case.path == "/api/v1/backups/{name}" and case.method.upper() == "PUT" and not case.body:
        case.body = b"-"  # bytes in general may be none, a file is not
    if case.headers and not re.fullmatch(r'\*|"[0-9]{1,19}"', case.headers.get("If-Match", "*")):
        case.headers.pop("If-Match")  # a part of what the pattern means, not all of it
    if query:
        if case.media_type == "application/json":  # there these are fields of the body
            for name in OF_BYTES:
                query.pop(name, None)
        if "ttl" in query:
            query.pop("keep_ttl", None)
        query.pop("cursor", None)  # only the server makes good ones
        if "timeout_ms" in query:  # a good request, but whether the server makes it in 1 ms is luck
            query["timeout_ms"] = max(int(query["timeout_ms"]), LEAST_TIMEOUT_MS)
        if query.get("key_encoding") and case.path_parameters:
            key = urllib.parse.unquote_to_bytes(case.path_parameters["key"])
            case.path_parameters["key"] = base64.urlsafe_b64encode(key).decode().rstrip("=")
        put_in_order(query, "start", "end")
        if case.path.startswith("/api/v1/audit"):  # a day is one too, and no format of JSON Schema
            for name in {"from", "to"} & query.keys():
                query[name] = "2026-02-03T04:05:06Z"
        if case.path == "/api/v1/backups/{name}" and case.method.upper() == "PUT":
            query.pop("offset", None)  # of a part: what has come before decides
    if isinstance(case.body, dict):
        case.body.pop("cursor", None)
        put_in_order(case.body, "start", "end")
        if case.path == "/api/v1/txn" and not case.body.get("then") and not case.body.get("else"):
            case.body["then"] = [{"op": "get", "key": "a"}]
        if case.path == "/api/v1/tokens" and "admin" in case.body.get("permissions", []):
            case.body.pop("prefixes", None)  # an admin has none
        if case.path == "/api/v1/tokens" and "user" in case.body:
            case.body.pop("tenant", None)  # that of a user is his
        for grant in case.body.get("grants", []):
            if "admin" in grant["permissions"]:
                grant.pop("prefixes", None)
        if case.path.endswith("/restore"):
            case.body["confirm"] = True
        if "range" in case.body:
            case.body["range"] = sorted(case.body["range"], key=in_bytes)


def put_in_order(members, low, high):
    if low in members and high in members:
        members[low], members[high] = sorted((members[low], members[high]), key=in_bytes)


def in_bytes(key):
    return str(key).encode("utf-8", "surrogatepass")
