"""`./dev bench`, `--embedded` and `--data`: a node inside a program, beside RocksDB, LMDB and Redis.

usage: run.py OUT_JSON --tools DIR --part all|embedded|data|filtered [argument of the benchmark...]

`data` are the rows of the data model beyond put and get, `embedded` the others; both measure each row three times, and the median counts.
`all` is both, once. Redis is measured with `all` and `embedded`. OUT_JSON is Google Benchmark's, with the machine, the day and the
versions, and is written once everything was measured.
"""

import argparse
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.normpath(os.path.join(HERE, "../report")))

import embedded_rows  # noqa: E402: bench/report/embedded_rows.py
import figures  # noqa: E402
import machine  # noqa: E402

DATA = "put_ttl|touch|delete|put_many|text|where|count|expiry"
# Of the references these are in no row, and take long.
UNUSED = "rocksdb_get|lmdb_put_100B_sync"
# Short repetitions: what differs from one to the next on a shared machine are stretches of seconds.
REPEATED = ("--benchmark_repetitions=3", "--benchmark_min_time=0.2")
ARGUMENTS = {"all": (), "filtered": (), "embedded": (*REPEATED, f"--benchmark_filter=-{DATA}|{UNUSED}"), "data": (*REPEATED, f"--benchmark_filter={DATA}")}
COMMANDS = {"all": "./dev bench", "filtered": "./dev bench --filter ..."}


def measure(words, path):
    program = os.path.join(os.path.abspath(words.tools), "bin", "embedded_bench")
    subprocess.run([program, f"--benchmark_out={path}", "--benchmark_out_format=json", "--benchmark_counters_tabular=false", *ARGUMENTS[words.part], *words.arguments],
                   check=True)
    if words.part in ("all", "embedded") and not words.arguments:
        redis = subprocess.run([sys.executable, "-B", os.path.join(HERE, "redis.py"), path], check=False)
        if redis.returncode != 0:
            print("Redis could not be measured", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--tools", required=True)
    parser.add_argument("--part", choices=ARGUMENTS, required=True)
    words, words.arguments = parser.parse_known_args()
    is_whole = words.part != "filtered" and not any("benchmark_filter" in argument for argument in words.arguments)
    path = f"{words.out}.new"
    try:
        measure(words, path)
    except subprocess.CalledProcessError as problem:
        sys.exit(f"the benchmark ended with {problem.returncode}")
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    found |= machine.description(COMMANDS.get(words.part, f"./dev bench --{words.part}")) | {"complete": is_whole}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    os.replace(path, words.out)
    print(f"\n{found['machine']}\n{figures.plain(embedded_rows.table(embedded_rows.Results(found)))}", end="")


main()
