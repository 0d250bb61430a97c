import assert from "node:assert/strict";
import test from "node:test";

import { EventParser, readEvents, type ServerSentEvent } from "./server_sent_events.ts";

const stream = ': revision 16\n\nid: 17\nevent: put\ndata: {"key":"é"}\n\nevent: end\r\ndata:a\r\ndata: b\r\n\r\nid: 18\nevent: put\ndata: unfinished\n';
const expected: ServerSentEvent[] = [
  { type: "put", data: '{"key":"é"}', id: "17" },
  { type: "end", data: "a\nb", id: "17" },
];

test("events come whole, however the stream is cut", () => {
  for (let size = 1; size <= stream.length; ++size) {
    const events: ServerSentEvent[] = [];
    const parser = new EventParser((event) => events.push(event));
    for (let at = 0; at < stream.length; at += size) parser.take(stream.slice(at, at + size));
    assert.deepEqual(events, expected, `in pieces of ${size}`);
  }
});

test("a character that is cut in two is put together again", async () => {
  const bytes = new TextEncoder().encode(stream);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events: ServerSentEvent[] = [];
  await readEvents(body, (event) => events.push(event));
  assert.deepEqual(events, expected);
});
