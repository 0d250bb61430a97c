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


def gets_of(operations, key, value):
    """(operation, answer) of gets that saw this value there."""
    return [(operation, answer) for operation in operations for step, answer in answers(operation)
            if step["op"] == "get" and step["key"] == key and answer.get("value") == value]


def overwritten(operations):
    """(an acknowledged put, a get that saw it, the value of a put of the same key that had returned before the other was called)."""
    for key, puts in lone_puts(operations).items():
        for older, newer in ((a, b) for a in puts for b in puts if a["return"] < b["call"]):
            for operation, _ in gets_of(operations, key, newer["then"][0]["value"]):
                if operation["call"] > newer["return"]:
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


def may_be_deleted_after(operations, key, moment):
    """A delete of the key may have taken place then or later."""
    return any(step["op"] == "delete" and step["key"] == key and operation.get("return", moment) >= moment
               for operation in operations for step in [*operation["then"], *operation.get("else", [])])


def with_a_lost_write(operations, random):
    """Nobody has deleted a key, and it is gone after a write to it was acknowledged."""
    spoilt = without_revisions(operations)
    put, get, _ = random.choice([(put, get, old) for put, get, old in overwritten(spoilt)
                                 if not may_be_deleted_after(spoilt, put["then"][0]["key"], put["call"])])
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
