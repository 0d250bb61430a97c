"""Who holds a piece of heap: told from the functions that asked for it."""

import re

# The first that one of the frames matches, asked from the innermost outwards.
OWNERS = (
    ("records: head, key, value", r"store::Record::"),
    ("key table", r"store::(Table|Directory|Page)\b"),
    ("key order", r"store::Key(Order|Block)"),
    ("history of events", r"store::History"),
    ("expiry order", r"store::ExpiryOrder"),
    ("snapshots", r"store::Snapshot|log::(Snapshot|BlockFile)"),
    ("log", r"concord::log::"),
    ("Raft engine", r"concord_engine|raft::|engine_"),
    ("write queue and replica", r"concord::(node|replica|raft|command)::"),
)
OTHERS = "everything else"


def owner_of(frames):
    """`frames`: from the outermost to the one that asked."""
    for frame in reversed(frames):
        for owner, pattern in OWNERS:
            if re.search(pattern, frame):
                return owner
    return OTHERS
