"""What clients of a test saw, as checker/history.go reads it; and ways to spoil it, to see that the checker finds that."""

import copy
import json
import threading


class History:
    def __init__(self):
        self.guard = threading.Lock()
        self.operations = []

    def add(self, operation):
        with self.guard:
            self.operations.append(operation)

    def write(self, path):
        write(self.operations, path)


def write(operations, path):
    with open(path, "w", encoding="utf-8") as file:
        for operation in operations:
            file.write(json.dumps(operation, separators=(",", ":")) + "\n")


def answers(operation):
    """(step, what it answered) of a known outcome."""
    if "result" not in operation:
        return []
    ran = operation["then"] if operation["result"]["succeeded"] else operation.get("else", [])
    return list(zip(ran, operation["result"]["steps"], strict=True))


def lone_puts(operations):
    """Acknowledged puts of one key without a condition, by key, in the order of their calls."""
    found = {}
    for operation in sorted(operations, key=lambda one: one["call"]):
        if "result" in operation and len(operation["then"]) == 1 and operation["then"][0]["op"] == "put" and not operation.get("guards"):
            found.setdefault(operation["then"][0]["key"], []).append(operation)
    return found


def gets(operations):
    """Those that saw something, by what they saw: (key, value)."""
    found = {}
    for operation in operations:
        for step, answer in answers(operation):
            if step["op"] == "get" and "value" in answer:
                found.setdefault((step["key"], answer["value"]), []).append(operation)
    return found


def overwritten(operations):
    """(an acknowledged put, a get that was called after it and saw it, the value of a put of the same key that had returned before)."""
    seen = gets(operations)
    for key, puts in lone_puts(operations).items():
        for older, newer in zip(puts, puts[1:], strict=False):
            for operation in seen.get((key, newer["then"][0]["value"]), []):
                if older["return"] < newer["call"] and newer["return"] < operation["call"]:
                    yield newer, operation, older["then"][0]["value"]


def without_revisions(operations):
    """A copy that knows only values, so that a spoilt value is not found by its revision."""
    bare = copy.deepcopy(operations)
    for operation in bare:
        operation.get("result", {}).pop("revision", None)
        for _, answer in answers(operation):
            answer.pop("revision", None)
    return bare


def with_a_stale_read(operations, random):
    """A read answers with what was there before a write that had returned already."""
    spoilt = without_revisions(operations)
    put, get, old = random.choice(list(overwritten(spoilt)))
    spoil(get, put["then"][0]["value"], {"value": old})
    return spoilt


def last_deletes(operations):
    """When the last delete of a key may have taken place, for keys that were deleted."""
    last = {}
    for operation in operations:
        for step in [*operation["then"], *operation.get("else", [])]:
            if step["op"] == "delete":
                last[step["key"]] = max(last.get(step["key"], 0), operation.get("return", float("inf")))
    return last


def with_a_lost_write(operations, random):
    """Nobody has deleted a key, and it is gone after a write to it was acknowledged."""
    spoilt = without_revisions(operations)
    deleted = last_deletes(spoilt)
    put, get, _ = random.choice([found for found in overwritten(spoilt)
                                 if deleted.get(found[0]["then"][0]["key"], 0) < found[0]["call"]])
    spoil(get, put["then"][0]["value"], {"missing": True})
    return spoilt


def with_a_refused_write_that_was_done(operations, random):
    """What a client saw is the value of a write that was refused."""
    spoilt = without_revisions(operations)
    put, _, _ = random.choice(list(overwritten(spoilt)))
    return [operation for operation in spoilt if operation is not put]


def spoil(operation, value, instead):
    for at, answer in enumerate(operation["result"]["steps"]):
        if answer.get("value") == value:
            operation["result"]["steps"][at] = instead
