"""examples/remote_client.cpp against a running node, and against one that is not there.

usage: remote_client_test.py PROGRAM EXAMPLE WORK_DIR
"""

import shutil
import subprocess
import sys

from server import Server


def run(example, *endpoints):
    done = subprocess.run([example, *endpoints], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def main(program, example, work):
    shutil.rmtree(work, ignore_errors=True)
    with Server(program, work) as server:
        dead = "http://127.0.0.1:9"  # discard: nobody listens there
        code, out, err = run(example, dead, server.endpoint)
        assert code == 0, err
        assert out == "ada: reserved\nbob: CONDITION_FAILED\nseat/12A is ada's\nstill ada's\n", out
        assert server.stop() == 0
        code, out, err = run(example, server.endpoint)
        assert code == 1 and err, (code, out, err)
    code, _, err = run(example)
    assert code == 1 and "endpoint" in err, err


if __name__ == "__main__":
    main(*sys.argv[1:])
