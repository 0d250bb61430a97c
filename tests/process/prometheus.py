"""A Prometheus of a test, with the configuration and the alerts of deploy/ (Debian: prometheus).

So that a test need not wait for minutes, time passes thirty times as fast in what the files say of it: every duration of them, between
scrapes and evaluations (15s), of a range ([5m]) and how long a condition must hold (for: 1m), is a thirtieth. Nothing else is changed.
"""

import json
import pathlib
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

from cluster import free_ports

ROOT = pathlib.Path(__file__).parents[2]
TIMES_FASTER = 30
DURATION = re.compile(r"(?<=: )(\d+)(s|m)$|(?<=\[)(\d+)(m)(?=\])", re.MULTILINE)
MILLISECONDS = {"s": 1000, "m": 60_000}


def is_installed():
    return shutil.which("prometheus") is not None


def hasten(text):
    """The same in a thirtieth of the time."""

    def shorter(found):
        number, unit = (part for part in found.groups() if part)
        return f"{int(number) * MILLISECONDS[unit] // TIMES_FASTER}ms"

    return DURATION.sub(shorter, text)


class Prometheus:
    """Scrapes the targets, HOST:PORT each, from its start to the end of `with`."""

    def __init__(self, directory, *targets):
        directory = pathlib.Path(directory)
        configuration = hasten((ROOT / "deploy/prometheus.yml").read_text(encoding="utf-8"))
        nodes = ", ".join(f"'{target}'" for target in targets)
        (directory / "prometheus.yml").write_text(configuration.replace("'localhost:9568'", nodes), encoding="utf-8")
        alerts = (ROOT / "deploy/prometheus-alerts.yml").read_text(encoding="utf-8")
        (directory / "prometheus-alerts.yml").write_text(hasten(alerts), encoding="utf-8")
        [port] = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.targets = targets
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/prometheus",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, path, **parameters):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=10) as response:
            return json.load(response)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def firing(self):
        """(alert, its labels) of those that fire now."""
        alerts = [alert for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"]
        return [(alert["labels"]["alertname"], alert["labels"]) for alert in alerts]

    def ever_fired(self):
        """The names of all that fired since the start, for however short a time."""
        return {series["metric"]["alertname"] for series in self.query('count_over_time(ALERTS{alertstate="firing"}[1h])')}

    def wait_until(self, holds, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except OSError:  # it still starts
                pass
            time.sleep(0.2)
        raise AssertionError(f"not within {seconds} s: {what}")

    def wait_scraped(self):
        self.wait_until(lambda: len(self.query("up == 1")) == len(self.targets), "every node is scraped")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
