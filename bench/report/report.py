"""`./dev bench --report`: what the parts of the benchmark found goes into the documents: tables, pictures, and the rows that miss
their target.

usage: report.py RESULTS_DIR DOCS_DIR

RESULTS_DIR holds a JSON file a part, DOCS_DIR performance.md, comparison.md and the decisions. A part that was not measured, or not to its
end, leaves its sections as they are. What is in no section of a document is not touched.
"""

import fnmatch
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import audit_rows  # noqa: E402
import cluster_rows  # noqa: E402
import embedded_rows  # noqa: E402
import figures  # noqa: E402
import growth_rows  # noqa: E402
import latency_rows  # noqa: E402
import machine  # noqa: E402
import memory_rows  # noqa: E402
import server_rows  # noqa: E402
from document import replaced  # noqa: E402
from rows import HEADINGS, Found, missed  # noqa: E402

# Which rows docs/comparison.md repeats.
COMPARED = {
    "comparison-server": ("GET, 64 *", "PUT, disk, *"),
    "comparison-cluster": ("PUT, disk, 64 clients", "PUT, disk, 1000 clients", "PUT, disk, 1 client *", "GET strong *", "GET eventual *", "leader killed: *, p50 *",
                           "leader paused: *, p50 *"),
    "comparison-embedded": ("put 100 B, memory", "put 100 B, disk", "get, 1 M keys", "overhead per item, *", "restart with * from snapshot", "worst put during a snapshot *"),
}


def shown(rows, found, *systems):
    """A table, what misses its target, and what it was measured with; nothing when there are no rows."""
    if len(rows) < 2:
        return None
    return "\n".join(filter(None, (figures.markdown(rows), missed(rows), machine.line(found, systems))))


def picture(name, what):
    return f"![{what}](performance/{name}.svg)\n\n"


def compared(name, rows):
    kept = [row for row in rows[1:] if any(fnmatch.fnmatchcase(row[0], pattern) for pattern in COMPARED[name])]
    return figures.markdown([rows[0], *kept]) if kept else None


def embedded_sections(found):
    results = embedded_rows.Results(found)
    rows = [HEADINGS, *embedded_rows.embedded_rows(results)]
    return {"embedded": shown(rows, found, "RocksDB", "LMDB", "Redis"), "watched": shown([HEADINGS, *embedded_rows.watched_rows(results)], found),
            "comparison-embedded": compared("comparison-embedded", rows)}


def data_sections(found):
    return {"data": shown([HEADINGS, *embedded_rows.data_rows(embedded_rows.Results(found))], found)}


def server_sections(found):
    rows = server_rows.table(Found(found))
    return {"server": shown(rows, found, "etcd", "Redis"), "comparison-server": compared("comparison-server", rows)}


def cluster_sections(found):
    rows = cluster_rows.table(Found(found))
    return {"cluster": shown(rows, found, "etcd"), "growth-nodes": picture("growth-nodes", "Durable PUTs a second of 64 clients, by the number of nodes"),
            "comparison-cluster": compared("comparison-cluster", rows)}


def growth_sections(found):
    taken = Found(found)
    return {
        "growth-keys": picture("growth-keys", "Time of a put and of a get, by the number of keys") + shown(growth_rows.keys_table(taken), found),
        "growth-subscribers": picture("growth-subscribers", "Time of a put, by the number of subscribers") + shown(growth_rows.subscribers_table(taken), found),
        "growth-clients": picture("growth-clients", "Durable PUTs a second and their times, by the number of clients") + shown(growth_rows.clients_table(taken), found),
    }


def latency_sections(found):
    taken = Found(found)
    return {f"latency-{place}": picture(f"latency-{place}", what) + shown(latency_rows.place_table(taken, place), found)
            for place, what in (("server", "Latency of one server by percentile"), ("cluster", "Latency of three nodes by percentile"))}


def memory_sections(found):
    taken = Found(found)
    allocators = shown(memory_rows.allocators_table(taken), found, "glibc", "jemalloc", "mimalloc")
    return {"memory-owners": shown(memory_rows.owners_table(taken), found), "memory-allocators": allocators, "allocators": allocators}


def audit_sections(found):
    return {"audit": shown(audit_rows.table(Found(found)), found)}


def churn_sections(found):
    return {"memory-churn": picture("churn", "Resident memory under churn") + shown(memory_rows.churn_table(found), found)}


PARTS = {"embedded": embedded_sections, "data": data_sections, "server": server_sections, "cluster": cluster_sections, "growth": growth_sections,
         "latency": latency_sections, "memory": memory_sections, "audit": audit_sections, "churn": churn_sections}
ELSEWHERE = {"comparison-server": "comparison.md", "comparison-cluster": "comparison.md", "comparison-embedded": "comparison.md",
             "allocators": "decisions/0019-allocator.md"}


def results_of(directory):
    """By part, what was measured to its end."""
    found = {}
    for part in PARTS:
        path = os.path.join(directory, f"{part}.json")
        if not os.path.exists(path):
            print(f"{part}: not measured, its sections stay", file=sys.stderr)
            continue
        with open(path, encoding="utf-8") as file:
            taken = json.load(file)
        if taken.get("complete"):
            found[part] = taken
        else:
            print(f"{part}: not measured to its end, its sections stay", file=sys.stderr)
    return found


def write_documents(found, docs):
    sections = {}
    for part, taken in found.items():
        sections |= {name: content for name, content in PARTS[part](taken).items() if content}
    for document in sorted({"performance.md", *ELSEWHERE.values()}):
        path = os.path.join(docs, document)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = replaced(text, {name: content for name, content in sections.items() if ELSEWHERE.get(name, "performance.md") == document})
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def draw(found, directory):
    import plots  # not before: tables need no Matplotlib

    os.makedirs(directory, exist_ok=True)
    drawn = {"cluster": (plots.growth_nodes,), "growth": (plots.growth_keys, plots.growth_subscribers, plots.growth_clients),
             "latency": tuple(lambda taken, directory, at=at: plots.latency(taken, at, directory) for at in ("server", "cluster"))}
    for part, pictures in drawn.items():
        if part in found:
            for draw_one in pictures:
                draw_one(Found(found[part]), directory)
    if "churn" in found:
        plots.churn(found["churn"]["samples"], directory)


def main():
    results, docs = sys.argv[1:]
    found = results_of(results)
    draw(found, os.path.join(docs, "performance"))
    write_documents(found, docs)
    print("in the documents: " + (", ".join(found) or "nothing"), file=sys.stderr)


if __name__ == "__main__":
    main()
