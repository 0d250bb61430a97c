"""The rows of `./dev bench --growth`: what a call costs the more there is, beside what it costs with the least."""

import figures
from rows import HEADINGS, error_rows, row

KEYS = (10_000, 100_000, 1_000_000, 10_000_000)
SUBSCRIBERS = (1, 10, 100, 1_000, 10_000)
CLIENTS = (1, 4, 16, 64, 256, 1_000)


def short(count):
    """"10 K", "1 M"."""
    if count >= 1_000_000:
        return f"{count // 1_000_000} M"
    return f"{count // 1000} K" if count >= 1000 else str(count)


def of_them(count, what):
    return f"{short(count)} {what if count > 1 else what.removesuffix('s')}"


def rows_of(found, what, counts, name, work, form):
    """Beside the first of `counts` that was measured."""
    first = next((count for count in counts if found.values(f"{what}_{count}", "concord", name)), None)
    for count in counts:
        other = found.values(f"{what}_{first}", "concord", name) if count != first else []
        yield from row(f"{work}, {of_them(count, what)}", form, found.values(f"{what}_{count}", "concord", name), other, of_them(first, what) if other else "")


def keys_table(found):
    return [HEADINGS, *rows_of(found, "keys", KEYS, "put_ns", "put", figures.NANOSECONDS), *rows_of(found, "keys", KEYS, "get_ns", "get", figures.NANOSECONDS)]


def subscribers_table(found):
    return [HEADINGS, *rows_of(found, "subscribers", SUBSCRIBERS, "put_ns", "put", figures.NANOSECONDS)]


def clients_table(found):
    return [HEADINGS, *rows_of(found, "clients", CLIENTS, "per_second", "PUT, disk", figures.RATE),
            *rows_of(found, "clients", CLIENTS, "p99_us", "PUT, disk, p99", figures.TIME_OF_MICROSECONDS)]


def table(found):
    return [HEADINGS, *keys_table(found)[1:], *subscribers_table(found)[1:], *clients_table(found)[1:], *error_rows(found)]
