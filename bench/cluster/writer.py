"""A client that writes in a loop, over HTTP, and notes when each write was acknowledged.

One connection at a time, kept alive, to one node. When an answer is overdue, another write begins at the next node, as another
client's would, and the first one stays in flight until its own timeout: a node that forgets a request hides no other from the
measurement. A refusal and a lost connection lead to the next node too.
"""

import http.client
import selectors
import threading
import time

OVERDUE_S = 0.020
TIMEOUT_S = 5
PAUSE_AFTER_FAILURE_S = 0.001


class Exchange:
    """A connection with at most one write in flight."""

    def __init__(self, at, port):
        self.at = at
        self.began = None
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)


class Writer(threading.Thread):
    """`with` begins and ends it. `acknowledged`: (began, ended) of each write done, in the order of the ends, by time.monotonic."""

    def __init__(self, ports, request, first=0):
        super().__init__(daemon=True)
        self.ports, self.request = list(ports), request
        self.at = first % len(ports)  # where the next write goes: where the last one was done, else to the next node
        self.acknowledged, self.failures = [], {}
        self.in_flight, self.idle = [], []
        self.selector = selectors.DefaultSelector()
        self.next_at = 0  # when the next write begins
        self.ending = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()
        for exchange in self.in_flight + self.idle:
            exchange.connection.close()
        self.selector.close()

    def run(self):
        while not self.ending.is_set():
            if time.monotonic() >= self.next_at:
                self.begin()
            for ready, _ in self.selector.select(max(self.next_at - time.monotonic(), 0)):
                self.finish(ready.data)
            for exchange in [each for each in self.in_flight if time.monotonic() - each.began > TIMEOUT_S]:
                self.fail(exchange, "timeout")

    def begin(self):
        exchange = next((each for each in self.idle if each.at == self.at), None)
        if exchange:
            self.idle.remove(exchange)
        else:
            exchange = Exchange(self.at, self.ports[self.at])
        exchange.began = time.monotonic()
        self.in_flight.append(exchange)
        self.next_at = exchange.began + OVERDUE_S
        self.at = (self.at + 1) % len(self.ports)
        try:
            method, path, body = self.request
            exchange.connection.request(method, path, body, {"Content-Type": "application/json"})
            self.selector.register(exchange.connection.sock, selectors.EVENT_READ, exchange)
        except (OSError, http.client.HTTPException) as problem:
            self.fail(exchange, type(problem).__name__)

    def finish(self, exchange):
        self.selector.unregister(exchange.connection.sock)
        try:
            answer = exchange.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as problem:
            return self.fail(exchange, type(problem).__name__)
        if answer.status != 200:
            return self.fail(exchange, f"status {answer.status}")
        self.in_flight.remove(exchange)
        self.at = exchange.at
        self.next_at = time.monotonic()
        self.acknowledged.append((exchange.began, self.next_at))
        if exchange.connection.sock is None:  # the node closes it
            return None
        return self.idle.append(exchange)

    def fail(self, exchange, kind):
        self.failures[kind] = self.failures.get(kind, 0) + 1
        self.in_flight.remove(exchange)
        socket = exchange.connection.sock
        if socket is not None and socket.fileno() >= 0 and socket in self.selector.get_map():
            self.selector.unregister(socket)
        exchange.connection.close()
        self.next_at = min(self.next_at, time.monotonic() + PAUSE_AFTER_FAILURE_S)

    def latencies(self, since, until):
        """In seconds, of the writes that began in that time, sorted."""
        return sorted(ended - began for began, ended in list(self.acknowledged) if since <= began < until)

    def longest_gap(self, since):
        """In seconds: the longest time without an acknowledgement, from the last one before `since` to the last of all."""
        ends = [ended for _, ended in list(self.acknowledged)]
        last_before = max(at for at, ended in enumerate(ends) if ended < since)
        return max(later - earlier for earlier, later in zip(ends[last_before:], ends[last_before + 1:]))
