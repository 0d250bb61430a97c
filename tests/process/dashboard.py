"""deploy/grafana-dashboard.json without Grafana: its panels with what a Prometheus answers to their queries, drawn as a page of plain SVG.

This is no Grafana, and the page says so: it shows which panels there are and that their queries have something to show."""

import html
import json
import math
import re

from prometheus import ROOT

COLUMN_PX, ROW_PX, GAP_PX = 54, 30, 8
COLOURS = ["#3f6fb5", "#c9682f", "#4e8f4a", "#8a5aa8", "#b03a48", "#7a6a2f", "#2f8f8f", "#666666"]
DECIMAL, BINARY = ["", "k", "M", "G", "T"], ["", " Ki", " Mi", " Gi", " Ti"]
SUFFIXES = {"bytes": "B", "ms": " ms", "s": " s", "ops": "/s", "reqps": "/s"}
STYLE = """
body { margin: 0; background: #f4f5f5; font: 12px/1.4 sans-serif; color: #24292e; }
h1 { font-size: 18px; margin: 12px 12px 0; } p { margin: 2px 12px 0; color: #555; }
#grid { position: relative; margin: 4px; }
section { position: absolute; box-sizing: border-box; background: #fff; border: 1px solid #ddd; padding: 6px; overflow: hidden; }
h2 { font-size: 13px; margin: 0 0 4px; font-weight: 600; }
.number { display: inline-block; margin-right: 24px; } .number b { display: block; font-size: 28px; font-weight: 500; }
.legend { color: #555; font-size: 10px; } .legend i { font-style: normal; margin-right: 10px; white-space: nowrap; }
svg text { font-size: 10px; fill: #777; }
"""


def panels():
    return json.loads((ROOT / "deploy/grafana-dashboard.json").read_text(encoding="utf-8"))["panels"]


def numbers(series):
    """(time, value) of each point of an answer that is a number: a quantile of nothing is none."""
    points = series.get("values") or [series["value"]]
    return [(time, float(value)) for time, value in points if math.isfinite(float(value))]


def name_of(target, series):
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: series["metric"].get(found[1], ""), target["legendFormat"])


def shown(value, unit):
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s" and abs(value) < 1:
        return shown(value * 1000, "ms")
    prefixes, step = (BINARY, 1024) if unit == "bytes" else (DECIMAL, 1000)
    power = 0
    while abs(value) >= step and power < len(prefixes) - 1:
        value, power = value / step, power + 1
    return f"{value:.3g}{prefixes[power]}{SUFFIXES.get(unit, '')}"


def answers(panel, ask):
    """(name, points) of all that has some."""
    found = [(name_of(target, series), numbers(series)) for target in panel["targets"] for series in ask(target["expr"])]
    return [(name, points) for name, points in found if points]


def drawn_numbers(panel, ask):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    return "".join(f'<span class="number"><b>{shown(points[-1][1], unit)}</b>{html.escape(name)}</span>' for name, points in answers(panel, ask))


def drawn_lines(panel, ask, begin, end):
    unit = panel["fieldConfig"]["defaults"]["unit"]
    lines = answers(panel, ask)
    width, height = panel["gridPos"]["w"] * COLUMN_PX - GAP_PX - 14, panel["gridPos"]["h"] * ROW_PX - GAP_PX - 84
    most = max([value for _, points in lines for _, value in points], default=0) * 1.1 or 1
    left, plot = 62, width - 62
    parts = []
    for part in range(5):
        y = height * (1 - part / 4)
        parts.append(f'<line x1="{left}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{left - 4}" y="{y + (3 if part < 4 else 9):.1f}" text-anchor="end">{shown(most * part / 4, unit)}</text>')
    legend = []
    for number, (name, points) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        at = " ".join(f"{left + plot * (time - begin) / (end - begin):.1f},{height * (1 - value / most):.1f}" for time, value in points)
        parts.append(f'<polyline points="{at}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        legend.append(f'<i><span style="color:{colour}">&#9644;</span> {html.escape(name)}</i>')
    return f'<svg width="{width}" height="{height + 4}">{"".join(parts)}</svg><div class="legend">{" ".join(legend)}</div>'


def page(prometheus, begin, end, step_seconds=1):
    """The whole dashboard, from `begin` to `end` (seconds since 1970)."""

    def over_time(query):
        return prometheus.ask("query_range", query=query, start=begin, end=end, step=step_seconds)["result"]

    sections, bottom = [], 0
    for panel in panels():
        place = panel["gridPos"]
        bottom = max(bottom, (place["y"] + place["h"]) * ROW_PX)
        inner = drawn_numbers(panel, prometheus.query) if panel["type"] == "stat" else drawn_lines(panel, over_time, begin, end)
        where = (f'left:{place["x"] * COLUMN_PX}px;top:{place["y"] * ROW_PX}px;'
                 f'width:{place["w"] * COLUMN_PX - GAP_PX}px;height:{place["h"] * ROW_PX - GAP_PX}px')
        sections.append(f'<section style="{where}"><h2>{html.escape(panel["title"])}</h2>{inner}</section>')
    return (f'<!DOCTYPE html><meta charset="utf-8"><title>Concord</title><style>{STYLE}</style><h1>Concord</h1>'
            "<p>Drawn from the queries of deploy/grafana-dashboard.json and what a Prometheus answered to them; not by Grafana.</p>"
            f'<div id="grid" style="height:{bottom}px">{"".join(sections)}</div>')
