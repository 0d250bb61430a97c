"""Clients that work on groups of keys at any node while a test breaks the cluster, and write down what they saw.

Groups of 1 to 3 keys are used for a while and left, so that what the checker must think about stays small; when all is over, each key is
read once more. What a node refused with "nothing was done" is not written down: seen after all, it is a violation. A write without an
answer has an unknown outcome; half of the writes carry an Idempotency-Key and are sent again until they are decided.
"""

import asyncio
import random
import threading
import time

from link import Link, Lost, NotSent

CLIENTS = 10
GROUPS = 3
USES_OF_A_GROUP = 120
CALL_TIMEOUT_MS = 1200
ANSWER_SECONDS = 4
REFUSED = (429, 503, 507)
CONDITION_CODES = ("CONDITION_FAILED", "PRECONDITION_FAILED", "NOT_FOUND")
MOST_REPEATS = 6


class Group:
    """Keys that operations join, and what was last seen of them: (value, revision)."""

    def __init__(self, number):
        self.keys = [f"g{number}-{letter}" for letter in "abc"[:1 + number % 3]]
        self.seen = {}
        self.uses = 0


class Clients:
    """`with`: they work inside it, in a thread of their own."""

    def __init__(self, nodes, history, seed):
        self.nodes, self.history, self.seed = nodes, history, seed
        self.values = 0
        self.groups = [Group(number) for number in range(GROUPS)]
        self.all_groups = list(self.groups)
        self.counts = {"done": 0, "read": 0, "refused": 0, "unknown": 0, "repeated": 0, "not sent": 0}
        self.problems = []
        self.stopping = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self.work()), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(timeout=60)
        assert not self.thread.is_alive(), "the clients do not end"

    async def work(self):
        async with asyncio.TaskGroup() as tasks:
            for number in range(CLIENTS):
                tasks.create_task(Client(self, number).work())

    def read_everything(self):
        """Every key that was ever used, at one node after the other."""
        asyncio.run(Client(self, CLIENTS).read_everything())

    def group(self, chance):
        at = chance.randrange(GROUPS)
        if self.groups[at].uses >= USES_OF_A_GROUP:
            self.groups[at] = Group(len(self.all_groups))
            self.all_groups.append(self.groups[at])
        self.groups[at].uses += 1
        return self.groups[at]

    def new_value(self):
        self.values += 1
        return self.values


class Client:
    def __init__(self, shared, number):
        self.shared, self.number = shared, number
        self.random = random.Random(f"{shared.seed} client {number}")
        self.links = [Link(node.host, node.port) for node in shared.nodes]
        self.home = number % len(self.links)
        self.made = 0

    async def work(self):
        operations = [self.get, self.get_many, self.query, self.put, self.delete, self.put_if_revision, self.create, self.put_if_value,
                      self.read_in_a_transaction, self.transact, self.put_many]
        shares = [30, 5, 3, 18, 4, 12, 4, 8, 5, 10, 3]
        try:
            while not self.shared.stopping:
                if self.random.random() < 0.1:
                    self.home = self.random.randrange(len(self.links))
                await self.random.choices(operations, shares)[0](self.shared.group(self.random))
                await asyncio.sleep(self.random.uniform(0, 0.02))
        except Exception as problem:
            self.shared.problems.append(f"client {self.number}: {problem!r}")
            raise
        finally:
            for link in self.links:
                link.close()

    async def read_everything(self):
        for group in self.shared.all_groups:
            for _ in range(100):
                self.home = (self.home + 1) % len(self.links)
                if await self.get_many(group):
                    break
                await asyncio.sleep(0.1)
            else:
                self.shared.problems.append(f"{group.keys} could not be read at the end")
        for link in self.links:
            link.close()

    # -----------------------------------------------------------------------------------------------------------------
    # Reads: without an answer they are not written down.

    async def read(self, method, path, body, steps, shown_by):
        """True when there was an answer. `shown_by(status, body)`: what each step showed, or nothing if the read failed."""
        began = time.monotonic_ns()
        try:
            status, answer = await self.link().call(method, f"{path}&timeout_ms={CALL_TIMEOUT_MS}", body, seconds=ANSWER_SECONDS)
        except (NotSent, Lost):
            self.move_on()
            return False
        ended = time.monotonic_ns()
        shown = shown_by(status, answer)
        if shown is None:
            if status not in (503, 504, 429):
                self.shared.problems.append(f"{method} {path}: {status} {answer}")
            self.move_on()
            await asyncio.sleep(0.02)
            return False
        self.shared.counts["read"] += 1
        self.shared.history.add({"client": self.number, "call": began, "return": ended, "then": steps,
                                 "result": {"succeeded": True, "steps": shown}})
        return True

    async def get(self, group):
        key = self.random.choice(group.keys)

        def shown(status, answer):
            if status == 200:
                return [self.see(group, key, answer["data"])]
            return [{"missing": True}] if status == 404 else None

        return await self.read("GET", f"/api/v1/kv/{key}?consistency=strong&meta=true", None, [{"op": "get", "key": key}], shown)

    async def get_many(self, group):
        def shown(status, answer):
            if status != 200:
                return None
            rows = answer["data"]
            return [self.see(group, key, rows[key]) if rows[key]["status"] == "ok" else {"missing": True} for key in group.keys]

        return await self.read("POST", "/api/v1/kv/bulk/get?consistency=strong&meta=true", {"keys": group.keys},
                               [{"op": "get", "key": key} for key in group.keys], shown)

    async def query(self, group):
        def shown(status, answer):
            if status != 200:
                return None
            rows = {row["key"]: row for row in answer["data"]["pairs"]}
            return [self.see(group, key, rows[key]) if key in rows else {"missing": True} for key in group.keys]

        prefix = group.keys[0][:-1]
        return await self.read("POST", "/api/v1/query?consistency=strong&meta=true", {"prefix": prefix},
                               [{"op": "get", "key": key} for key in group.keys], shown)

    @staticmethod
    def see(group, key, row):
        group.seen[key] = (row["value"], row["revision"])
        return {"value": row["value"], "revision": row["revision"]}

    # -----------------------------------------------------------------------------------------------------------------
    # Writes.

    async def write(self, method, path, body, operation, headers=None, understand=None):
        """`understand(status, body)`: the result, or nothing if the answer makes no sense."""
        headers = dict(headers or {})
        repeats = 0
        if self.random.random() < 0.5:
            self.made += 1
            headers["Idempotency-Key"] = f"{self.shared.seed}-{self.number}-{self.made}"
            repeats = MOST_REPEATS
        operation = {"client": self.number, "call": time.monotonic_ns(), **operation}
        maybe_done = False
        while True:
            try:
                status, answer = await self.link().call(method, f"{path}?timeout_ms={CALL_TIMEOUT_MS}", body, headers, ANSWER_SECONDS)
            except NotSent:
                status = None
            except Lost:
                status, maybe_done = None, True
            if status is not None and status not in (*REFUSED, 504):
                return self.decided(operation, status, answer, understand)
            maybe_done = maybe_done or status == 504
            self.move_on()
            if not maybe_done:
                self.shared.counts["refused" if status else "not sent"] += 1
                await asyncio.sleep(0.02)
                return
            if repeats == 0 or self.shared.stopping:
                break
            repeats -= 1
            self.shared.counts["repeated"] += 1
            await asyncio.sleep(self.random.uniform(0, 0.5))
        self.shared.counts["unknown"] += 1
        self.shared.history.add(operation)

    def decided(self, operation, status, answer, understand):
        ended = time.monotonic_ns()
        result = understand(status, answer)
        if result is None:
            self.shared.problems.append(f"{operation} was answered with {status} {answer}")
            self.shared.history.add(operation)
            return
        if "revision" in (answer or {}):
            result["revision"] = answer["revision"]
        self.shared.counts["done"] += 1
        self.shared.history.add({**operation, "return": ended, "result": result})

    async def put(self, group, guards=(), headers=None, **fields):
        """With guards: those that headers and fields say."""
        key, value = self.random.choice(group.keys) if not guards else guards[0]["key"], self.shared.new_value()

        def understand(status, answer):
            if status == 200:
                group.seen[key] = (value, answer["revision"])
                return {"succeeded": True, "steps": [{}]}
            if guards and status in (404, 409, 412) and answer["error"]["code"] in CONDITION_CODES:
                return {"succeeded": False, "steps": []}
            return None

        await self.write("PUT", f"/api/v1/kv/{key}", {"value": value, **fields},
                         {"guards": list(guards), "then": [{"op": "put", "key": key, "value": value}]}, headers, understand)

    async def put_if_revision(self, group):
        key = self.random.choice(group.keys)
        _, revision = group.seen.get(key, (0, 1))
        await self.put(group, [{"key": key, "revision": revision}], {"If-Match": f'"{revision}"'})

    async def create(self, group):
        key = self.random.choice(group.keys)
        await self.put(group, [{"key": key, "exists": False}], {"If-None-Match": "*"})

    async def put_if_value(self, group):
        key = self.random.choice(group.keys)
        value, _ = group.seen.get(key, (0, 1))
        await self.put(group, [{"key": key, "value": value}], expected=value)

    async def delete(self, group):
        key = self.random.choice(group.keys)

        def understand(status, answer):
            if status == 404 and answer["error"]["code"] == "NOT_FOUND":
                return {"succeeded": True, "steps": [{"missing": True}]}
            return {"succeeded": True, "steps": [{}]} if status == 200 else None

        await self.write("DELETE", f"/api/v1/kv/{key}", None, {"then": [{"op": "delete", "key": key}]}, understand=understand)

    async def put_many(self, group):
        steps = [{"op": "put", "key": key, "value": self.shared.new_value()} for key in group.keys]

        def understand(status, _):
            return {"succeeded": True, "steps": [{} for _ in steps]} if status == 200 else None

        await self.write("POST", "/api/v1/kv/bulk", {"operations": [{"key": step["key"], "value": step["value"]} for step in steps]},
                         {"then": steps}, understand=understand)

    # -----------------------------------------------------------------------------------------------------------------
    # Transactions over all keys of a group.

    async def read_in_a_transaction(self, group):
        await self.commit(group, {"then": [{"op": "get", "key": key} for key in group.keys]})

    async def transact(self, group):
        """Reads all and changes some, if the keys are as they were seen; else only reads."""
        gets = [{"op": "get", "key": key} for key in group.keys]
        guards = [self.some_guard(group, key) for key in self.random.sample(group.keys, self.random.randint(0, len(group.keys)))]
        changes = [{"op": "delete", "key": key} if self.random.random() < 0.1 else {"op": "put", "key": key, "value": self.shared.new_value()}
                   for key in self.random.sample(group.keys, self.random.randint(1, len(group.keys)))]
        await self.commit(group, {"guards": guards, "then": gets + changes, "else": gets})

    def some_guard(self, group, key):
        value, revision = group.seen.get(key, (0, 1))
        kind = self.random.choice(["revision", "value", "exists"])
        return {"key": key, kind: {"revision": revision, "value": value, "exists": self.random.random() < 0.8}[kind]}

    async def commit(self, group, operation):
        guards = [{("expected" if name == "value" else name): what for name, what in guard.items()} for guard in operation.get("guards", [])]
        body = {"guards": guards, "then": operation["then"], "else": operation.get("else", [])}

        def understand(status, answer):
            if status != 200:
                return None
            data = answer["data"]
            return {"succeeded": data["succeeded"], "steps": [self.shown(group, row) for row in data["results"]]}

        await self.write("POST", "/api/v1/txn", body, operation, understand=understand)

    @staticmethod
    def shown(group, row):
        if row["status"] == "not_found":
            return {"missing": True}
        if row["op"] != "get":
            return {}
        if "revision" in row:
            group.seen[row["key"]] = (row["value"], row["revision"])
        return {"value": row["value"], **({"revision": row["revision"]} if "revision" in row else {})}

    # -----------------------------------------------------------------------------------------------------------------

    def link(self):
        return self.links[self.home]

    def move_on(self):
        self.home = (self.home + 1) % len(self.links)
