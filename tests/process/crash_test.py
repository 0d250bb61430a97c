"""kill -9 during acknowledged writes: nothing acknowledged is lost, revisions never go back.

Four writers put growing numbers under keys of their own; the server is killed at a random moment and started again on the same
directory. A key must then hold at least the last number that was acknowledged, and none that was never sent.

usage: crash_test.py PROGRAM WORK_DIR MODE [ROUNDS [SEED]]       (CONCORD_CRASH_ROUNDS sets the rounds too)
"""

import http.client
import os
import random
import shutil
import sys
import threading
import time

from server import Server, call

WRITERS = 4
KEYS_EACH = 8


class Writer(threading.Thread):
    """Puts until the connection breaks. acked and sent survive the thread: they belong to the test."""

    def __init__(self, server, number, acked, sent, revisions):
        super().__init__()
        self.server, self.number, self.acked, self.sent, self.revisions = server, number, acked, sent, revisions

    def run(self):
        connection = self.server.connection()
        for turn in range(1 << 30):
            key = f"writer{self.number}-{turn % KEYS_EACH}"
            value = self.sent.get(key, 0) + 1
            self.sent[key] = value
            try:
                status, _, body = call(connection, "PUT", f"/api/v1/kv/{key}", {"value": value})
            except (OSError, http.client.HTTPException, ValueError):  # the server is gone
                return
            if status != 200:
                raise AssertionError(f"PUT answered {status} {body}")
            self.acked[key] = value
            self.revisions.append(body["revision"])


def check(server, acked, sent, newest_revision):
    connection = server.connection()
    for key, value in acked.items():
        status, _, body = call(connection, "GET", f"/api/v1/kv/{key}")
        assert status == 200, f"{key} was acknowledged with {value} and is gone: {status} {body}"
        found = body["data"]["value"]
        assert value <= found <= sent[key], f"{key}: acknowledged {value}, sent {sent[key]}, found {found}"
        acked[key] = found
    revision = call(connection, "GET", "/api/v1/status")[2]["data"]["storage"]["revision"]
    assert revision >= newest_revision, f"revision {revision} after {newest_revision} was acknowledged"
    return revision


def main():
    program, work_dir, mode = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else int(os.environ.get("CONCORD_CRASH_ROUNDS", "20"))
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else random.SystemRandom().randrange(1 << 32)
    print(f"mode {mode}, {rounds} rounds, seed {seed}", flush=True)
    moments = random.Random(seed)
    shutil.rmtree(work_dir, ignore_errors=True)
    data_dir = os.path.join(work_dir, "data")
    acked, sent, newest = {}, {}, 0
    # Small snapshots often: kills fall into them too.
    flags = ("--durability-mode", mode, "--snapshot-every-entries", "500")
    for _ in range(rounds):
        with Server(program, data_dir, *flags) as server:
            newest = check(server, acked, sent, newest)
            revisions = []
            writers = [Writer(server, number, acked, sent, revisions) for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(moments.uniform(0.02, 0.25))
            server.kill()
            for writer in writers:
                writer.join()
            newest = max(revisions, default=newest)
    with Server(program, data_dir, *flags) as server:
        check(server, acked, sent, newest)
        assert server.stop() == 0
    print(f"{sum(acked.values())} acknowledged writes, revision {newest}: nothing lost")
    assert newest > rounds, "the writers hardly wrote anything"
    shutil.rmtree(work_dir)


main()
