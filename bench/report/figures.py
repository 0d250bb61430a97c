"""Figures as text, each in the unit that suits it: the median of several samples, and behind it the least and the most of them."""

import statistics

# Of each form: units from the largest down, (what one of it is, its name, decimals).
RATE = ((1e6, "M/s", 2), (1e3, "K/s", 0), (1, "/s", 0))
NANOSECONDS = ((1e9, "s", 2), (1e6, "ms", 1), (1e3, "us", 1), (1, "ns", 0))
MICROSECONDS = ((1, "us", 0),)
MICROSECONDS_FINE = ((1, "us", 1),)
TIME_OF_MICROSECONDS = ((1e6, "s", 2), (1e3, "ms", 1), (1, "us", 0))
MILLISECONDS = ((1, "ms", 0),)
MILLISECONDS_FINE = ((1, "ms", 1),)
SECONDS = ((1, "s", 1),)
BYTES = ((1, "B", 0),)
MEGABYTES = ((1e6, "MB", 0),)
TIMES = ((1, "x", 2),)


def unit_of(form, value):
    return next((unit for unit in form if abs(value) >= unit[0]), form[-1])


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
