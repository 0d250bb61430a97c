"""What was measured, where and when: a results file says it, so that a report made later says it too."""

import datetime
import os
import platform
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
        file.seek(0)
        cores = sum(line.startswith("processor") for line in file)
    return f"{cores} x {model}, Linux {platform.release()}"


def output_of(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True, cwd=HERE, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def package_version(name):
    """As its maker counts: without Debian's epoch and revision."""
    found = output_of("dpkg-query", "-W", "-f", "${Version}", name)
    return re.sub(r"^\d+:|[-+~].*$", "", found)


def etcd_version():
    with open(os.path.join(HERE, "../server/etcd_load/go.mod"), encoding="utf-8") as file:
        found = re.search(r"^\s*go\.etcd\.io/etcd/server/v3 v(\S+)", file.read(), re.MULTILINE)
    return found.group(1) if found else ""


VERSIONS = {
    "commit": lambda: output_of("git", "describe", "--always", "--dirty"),
    "etcd": etcd_version,
    "Redis": lambda: package_version("redis-tools"),
    "RocksDB": lambda: package_version("librocksdb-dev"),
    "LMDB": lambda: package_version("liblmdb-dev"),
    "glibc": lambda: package_version("libc6"),
    "jemalloc": lambda: package_version("libjemalloc2"),
    "mimalloc": lambda: package_version("libmimalloc2.0"),
}


def description(command):
    versions = {name: found for name, ask in VERSIONS.items() if (found := ask())}
    return {"machine": machine(), "date": datetime.date.today().isoformat(), "command": command, "versions": versions}


def line(found, systems):
    """The sentence under a table: the day, the machine, the command, and what stands beside."""
    day = datetime.date.fromisoformat(found["date"])
    versions = found.get("versions", {})
    beside = "".join(f"; {name} {versions[name]}" for name in systems if name in versions)
    commit = f", commit {versions['commit']}" if "commit" in versions else ""
    return f"Of {day.day} {day:%B %Y}{commit}, {found['machine']}; `{found['command']}`{beside}.\n"
