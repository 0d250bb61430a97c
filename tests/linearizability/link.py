"""A kept HTTP connection for asyncio that tells apart what was never sent from what may have arrived."""

import asyncio
import json


class NotSent(Exception):
    """There was no connection: nobody has got the request."""


class Lost(Exception):
    """The request may have arrived; there is no answer."""


class Link:
    def __init__(self, host, port):
        self.host, self.port = host, port
        self.streams = None

    async def call(self, method, path, body=None, headers=None, seconds=5):
        """(status, body)."""
        if self.streams is None:
            try:
                self.streams = await asyncio.wait_for(asyncio.open_connection(self.host, self.port), seconds)
            except (OSError, asyncio.TimeoutError) as problem:
                raise NotSent from problem
        try:
            return await asyncio.wait_for(self.exchange(method, path, body, headers or {}), seconds)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError) as problem:
            self.close()
            raise Lost from problem

    async def exchange(self, method, path, body, headers):
        reader, writer = self.streams
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", f"Content-Length: {len(content)}",
                 *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + content)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head[1:] if line)}
        answer = await reader.readexactly(int(fields["content-length"]))
        if fields.get("connection", "").lower() == "close":
            self.close()
        return int(head[0].split()[1]), json.loads(answer) if answer else None

    def close(self):
        if self.streams is not None:
            self.streams[1].transport.abort()
            self.streams = None
