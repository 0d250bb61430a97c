"""Figures as text, each in the unit that suits it: the median of several samples, and behind it the least and the most of them."""

import statistics

# Of each form, from the largest down: (from what value on, what one of its unit is, the unit, decimals).
RATE = ((1e7, 1e6, "M/s", 1), (1e6, 1e6, "M/s", 2), (1e4, 1e3, "K/s", 0), (1e3, 1e3, "K/s", 1), (0, 1, "/s", 0))
NANOSECONDS = ((1e9, 1e9, "s", 2), (1e6, 1e6, "ms", 1), (1e3, 1e3, "us", 1), (0, 1, "ns", 0))
MICROSECONDS = ((0, 1, "us", 0),)
MICROSECONDS_FINE = ((0, 1, "us", 1),)
TIME_OF_MICROSECONDS = ((1e6, 1e6, "s", 2), (1e3, 1e3, "ms", 1), (0, 1, "us", 0))
MILLISECONDS = ((0, 1, "ms", 0),)
MILLISECONDS_FINE = ((0, 1, "ms", 1),)
SECONDS = ((0, 1, "s", 1),)
SECONDS_FINE = ((0, 1, "s", 2),)
BYTES = ((0, 1, "B", 0),)
MEGABYTES = ((0, 1e6, "MB", 0),)


def unit_of(form, value):
    """(what one of it is, its name, decimals)"""
    return next((unit[1:] for unit in form if abs(value) >= unit[0]), form[-1][1:])


def text(form, value):
    one, name, decimals = unit_of(form, value)
    return f"{value / one:.{decimals}f} {name}"


def spread(form, samples):
    """"95 K/s (93..97)": the median, the least and the most; the median alone when it is all there is."""
    middle = statistics.median(samples)
    one, _, decimals = unit_of(form, middle)
    least, most = (f"{value / one:.{decimals}f}" for value in (min(samples), max(samples)))
    return text(form, middle) + (f" ({least}..{most})" if least != most else "")


def markdown(rows):
    """Rows of text, the first one the headings, as a table."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]) + "\n"


def plain(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)
