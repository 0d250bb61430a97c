"""A network switch in a process of its own, for network.py: passes Ethernet frames between TAP devices, and spoils them on demand.

switch.py SEED FD...: each FD is a TAP device, its place in the list its number. On stdin come commands, a line of JSON each, and each is
answered with a line once it holds:
  {"from": a, "to": b, "cut": bool, "delay_ms": n, "jitter_ms": n, "loss": share}   what becomes of frames from a to b from now on
  {"record": true}    keeps what passes from now on;  {"record": false}: the answer is the list of kept frames, base64
A frame is delayed by delay_ms plus or minus jitter_ms, each by another time: so they also come out of order. The end of stdin ends it.
"""

import base64
import heapq
import json
import os
import random
import select
import sys
import time

FRAME_BYTES = 65536
CLEAN = {"cut": False, "delay_ms": 0, "jitter_ms": 0, "loss": 0}


class Switch:
    def __init__(self, seed, ports):
        self.random = random.Random(seed)
        self.ports = ports
        self.links = {}
        self.port_of = {}  # by address
        self.delayed = []  # (due, number, port, frame)
        self.number = 0
        self.recorded = None

    def serve(self):
        poll = select.poll()
        poll.register(0, select.POLLIN)
        for port in self.ports:
            os.set_blocking(port, False)
            poll.register(port, select.POLLIN)
        number_of = {port: number for number, port in enumerate(self.ports)}
        commands = b""
        while True:
            wait_ms = max(0, (self.delayed[0][0] - time.monotonic()) * 1000) if self.delayed else None
            for fd, _ in poll.poll(wait_ms):
                if fd != 0:
                    self.drain(number_of[fd])
                    continue
                data = os.read(0, 65536)
                if not data:
                    return
                *lines, commands = (commands + data).split(b"\n")
                for line in lines:
                    os.write(1, json.dumps(self.obey(json.loads(line))).encode() + b"\n")
            self.release()

    def obey(self, command):
        if "record" not in command:
            self.links[command.pop("from"), command.pop("to")] = CLEAN | command
            return True
        kept, self.recorded = self.recorded, [] if command["record"] else None
        return kept

    def drain(self, source):
        for _ in range(64):
            try:
                frame = os.read(self.ports[source], FRAME_BYTES)
            except BlockingIOError:
                return
            self.port_of[frame[6:12]] = source
            target = self.port_of.get(frame[0:6])
            for port in range(len(self.ports)) if target is None else (target,):
                if port != source:
                    self.carry(source, port, frame)

    def carry(self, source, target, frame):
        link = self.links.get((source, target), CLEAN)
        if link["cut"] or self.random.random() < link["loss"]:
            return
        if self.recorded is not None:
            self.recorded.append(base64.b64encode(frame).decode())
        if link["delay_ms"] == 0:
            self.put(target, frame)
            return
        delay_ms = link["delay_ms"] + self.random.uniform(-1, 1) * link["jitter_ms"]
        self.number += 1
        heapq.heappush(self.delayed, (time.monotonic() + delay_ms / 1000, self.number, target, frame))

    def release(self):
        now = time.monotonic()
        while self.delayed and self.delayed[0][0] <= now:
            _, _, target, frame = heapq.heappop(self.delayed)
            self.put(target, frame)

    def put(self, target, frame):
        try:
            os.write(self.ports[target], frame)
        except OSError:
            pass  # its queue is full, or it is down: a lost frame


if __name__ == "__main__":
    Switch(int(sys.argv[1]), [int(fd) for fd in sys.argv[2:]]).serve()
