"""The HTTP API against its own OpenAPI document: schemathesis makes requests from the document, good ones and broken ones, and
compares every answer with it.

usage: openapi_test.py SCHEMATHESIS PROGRAM WORK_DIR

CONCORD_API_SEED=7 CONCORD_API_EXAMPLES=1000 ctest -R api.openapi    another seed, more cases per operation
"""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "process"))
from server import Server  # noqa: E402

SEED = os.environ.get("CONCORD_API_SEED", "1")
EXAMPLES = os.environ.get("CONCORD_API_EXAMPLES", "20")
FEWEST_CASES = 500


def arguments(schemathesis, url):
    """Without a database of earlier examples: what one run found must not change the next."""
    return [
        schemathesis, "--config-file", os.path.join(HERE, "schemathesis.toml"), "run", url + "/api/v1/openapi.json",
        "--seed", SEED, "--max-examples", EXAMPLES, "--workers", "1",
        "--phases", "examples,coverage,fuzzing",
        "--exclude-path", "/api/v1/events",  # an answer without an end; events_api_test.cpp has its own tests of good and bad requests
        "--output-sanitize", "false",
        "--generation-database", "none", "--request-timeout", "20", "--continue-on-failure", "--no-color",
    ]


def main(schemathesis, program, work_dir):
    shutil.rmtree(work_dir, ignore_errors=True)
    os.makedirs(work_dir)
    print(f"seed {SEED}, {EXAMPLES} examples an operation", flush=True)
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": HERE, "PYTHONDONTWRITEBYTECODE": "1"}
    with Server(program, os.path.join(work_dir, "data")) as server:
        done = subprocess.run(arguments(schemathesis, server.endpoint), cwd=work_dir, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        print(done.stdout)
        assert server.process.poll() is None, "the server is gone"
        assert server.stop() == 0, "the server did not stop cleanly"
    cases = cases_of(done.stdout)
    print(f"{cases} cases")
    assert done.returncode == 0, f"schemathesis exits with {done.returncode}"
    assert cases >= FEWEST_CASES, f"only {cases} cases ran; fewer than {FEWEST_CASES} say little"
    shutil.rmtree(work_dir)


def cases_of(output):
    found = re.search(r"^\s*(\d[\d,]*) generated", output, re.MULTILINE)
    return int(found.group(1).replace(",", "")) if found else 0


main(*sys.argv[1:])
