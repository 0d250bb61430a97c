"""What only a running node tells: its OpenAPI document."""

import json
import os
import re
import subprocess
import tempfile
import urllib.request


def openapi(program):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCORD_")}
    with tempfile.TemporaryDirectory() as directory:
        command = [program, "start", "--data-dir", os.path.join(directory, "data"), "--api-port", "0", "--prometheus-enabled", "false"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean) as process:
            try:
                ready = process.stdout.readline()
                address = re.search(r" api=(\S+)", ready)
                if not address:
                    raise SystemExit(f"{program} start does not get ready: {ready!r}")
                with urllib.request.urlopen(address.group(1) + "/api/v1/openapi.json", timeout=10) as answer:
                    return json.load(answer)
            finally:
                process.terminate()
