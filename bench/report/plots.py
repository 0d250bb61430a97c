"""The pictures of docs/performance.md, as SVG. The same figures give the same bytes: no date, no chance in the names of its parts."""

import os
import statistics

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.hashsalt": "concord", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 11, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#d8d8d8", "grid.linewidth": 0.6, "legend.frameon": False, "lines.linewidth": 2, "lines.markersize": 6,
    "figure.facecolor": "white", "axes.prop_cycle": matplotlib.cycler(color=["#1f6fb4", "#d1495b", "#3a8f4d", "#8a5fbf", "#c98a1b"])})

import matplotlib.pyplot as plt  # noqa: E402: after the choice of its form
from growth_rows import CLIENTS, KEYS, SUBSCRIBERS, short  # noqa: E402
from latency_rows import LOADS, ROWS, TITLES  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator  # noqa: E402

SIZE = (7.2, 4.2)  # inches
LEAST_PERCENT = 20  # where curves of latencies begin: what is quickest interests nobody


def save(figure, directory, name, room=(0, 0, 1, 1)):
    """`room`: the part of the picture that is for the axes."""
    figure.tight_layout(rect=room)
    path = os.path.join(directory, f"{name}.svg")
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # Matplotlib leaves blanks at the ends of lines.
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip() for line in file]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def number(value, _=None):
    """12000 -> "12 K"; 0.5 -> "0.5"."""
    for one, name in ((1e6, " M"), (1e3, " K")):
        if value >= one:
            return f"{value / one:g}{name}"
    return f"{value:g}"


def whole(value, _=None):
    return f"{value:.0f}"


def milliseconds(value, _=None):
    """0.1 -> "0.1 ms"; 2000 -> "2 s"."""
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"


def counts_axis(axis, counts):
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator(counts))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(round(value))))


def line_of(axis, found, what, counts, name, label, scale=1):
    """Medians, with the least and the most of the rounds as a band."""
    taken = [(count, [value * scale for value in values]) for count in counts if (values := found.values(what.format(count), "concord", name))]
    if not taken:
        return
    places = [count for count, _ in taken]
    axis.plot(places, [statistics.median(values) for _, values in taken], marker="o", label=label)
    axis.fill_between(places, [min(values) for _, values in taken], [max(values) for _, values in taken], alpha=0.18, linewidth=0)


def finish(axis, x_label, y_label, form=number, is_logarithmic=False):
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)
    if is_logarithmic:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_minor_locator(NullLocator())
    else:
        axis.set_ylim(bottom=0)
    axis.yaxis.set_major_formatter(FuncFormatter(form))
    if len(axis.get_legend_handles_labels()[1]) > 1:
        axis.legend()


def growth_keys(found, directory):
    figure, axis = plt.subplots(figsize=SIZE)
    for name, label in (("put_ns", "put 100 B"), ("get_ns", "get 100 B")):
        line_of(axis, found, "keys_{}", KEYS, name, label)
    counts_axis(axis, KEYS)
    finish(axis, "keys in the node", "time of a call, ns", whole)
    save(figure, directory, "growth-keys")


def growth_subscribers(found, directory):
    figure, axis = plt.subplots(figsize=SIZE)
    line_of(axis, found, "subscribers_{}", SUBSCRIBERS, "put_ns", "put 100 B")
    counts_axis(axis, SUBSCRIBERS)
    finish(axis, "subscribers, each to a prefix of its own", "time of a put, ns", whole)
    save(figure, directory, "growth-subscribers")


def growth_clients(found, directory):
    figure, (rates, times) = plt.subplots(1, 2, figsize=(SIZE[0] * 1.35, SIZE[1]))
    line_of(rates, found, "clients_{}", CLIENTS, "per_second", "PUT")
    finish(rates, "clients", "durable PUTs a second")
    for name, label in (("p50_us", "p50"), ("p99_us", "p99")):
        line_of(times, found, "clients_{}", CLIENTS, name, label, scale=1 / 1000)
    finish(times, "clients", "time of a PUT", milliseconds, is_logarithmic=True)
    for axis in (rates, times):
        counts_axis(axis, CLIENTS)
    save(figure, directory, "growth-clients")


def growth_nodes(found, directory):
    """Of the cluster part."""
    figure, axis = plt.subplots(figsize=SIZE)
    rows = {1: "put_64_of_1", 3: "put_64", 5: "put_64_of_5"}
    for system, label in (("concord", "Concord"), ("etcd", "etcd")):
        taken = [(size, values) for size, row in rows.items() if (values := found.values(row, system, "per_second"))]
        if taken:
            places = [size for size, _ in taken]
            axis.plot(places, [statistics.median(values) for _, values in taken], marker="o", label=label)
            axis.fill_between(places, [min(values) for _, values in taken], [max(values) for _, values in taken], alpha=0.18, linewidth=0)
    axis.set_xticks(list(rows))
    finish(axis, "nodes, all on one machine", "durable PUTs a second, 64 clients")
    save(figure, directory, "growth-nodes")


def middle_curve(samples):
    """That of the round whose p99 is the middle one."""
    return sorted(samples, key=lambda sample: sample["p99_us"])[len(samples) // 2]["curve"]


def latency(found, place, directory):
    """One panel a load. Across: how many percent took no longer; each nine takes the same room."""
    figure, axes = plt.subplots(1, len(LOADS), figsize=(SIZE[0] * 1.4, SIZE[1]), sharey=True)
    ticks = (50, 90, 99, 99.9, 99.99)
    for axis, (load, share) in zip(axes, LOADS.items(), strict=True):
        for name in ROWS[place]:
            samples = found.samples.get(f"{place}_{name}", {}).get(load, [])
            if samples:
                points = [(min(percent, 99.995), time_us) for percent, time_us in middle_curve(samples) if percent >= LEAST_PERCENT]
                axis.plot([100 / (100 - percent) for percent, _ in points], [time_us / 1000 for _, time_us in points], label=TITLES[name])
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xlim(100 / (100 - LEAST_PERCENT), 20_000)
        axis.xaxis.set_major_locator(FixedLocator([100 / (100 - percent) for percent in ticks]))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 - 100 / value:.6g} %"))
        axis.yaxis.set_major_formatter(FuncFormatter(milliseconds))
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.set_title(f"{share:.0%} of the peak", fontsize=11)
        axis.set_xlabel("of the requests")
    axes[0].set_ylabel("took no longer than")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=len(labels), fontsize=10)
    save(figure, directory, f"latency-{place}", (0, 0.07, 1, 1))


def churn(samples, directory):
    figure, axis = plt.subplots(figsize=SIZE)
    minutes = [sample["seconds"] / 60 for sample in samples]
    axis.plot(minutes, [sample["resident_bytes"] / 1e6 for sample in samples], label="resident")
    axis.plot(minutes, [sample["counted_bytes"] / 1e6 for sample in samples], label="keys and values, as the store counts them")
    finish(axis, "minutes", "MB")
    save(figure, directory, "churn")
