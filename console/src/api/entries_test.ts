import assert from "node:assert/strict";
import test from "node:test";

import type { Api } from "./api.ts";
import { problemOfDraft, readEntry, textOfBytes, writeEntry } from "./entries.ts";

test("a value is shown with all its digits", () => {
  const entry = readEntry('{"status":"ok","data":{"value":{"n":9223372036854775807},"ttl":5,"revision":12,"create_revision":3,"version":2}}');
  assert.deepEqual(entry, {
    value: { format: "json", text: '{\n  "n": 9223372036854775807\n}' },
    sizeBytes: 25,
    revision: "12",
    createRevision: "3",
    version: "2",
    ttl: 5,
  });
});

test("bytes are shown as base64 with their size", () => {
  const entry = readEntry('{"status":"ok","data":{"value":"AP8=","encoding":"base64","ttl":null,"revision":1,"create_revision":1,"version":1}}');
  assert.deepEqual(entry.value, { format: "bytes", text: "AP8=" });
  assert.equal(entry.sizeBytes, 2);
  assert.equal(entry.ttl, null);
});

test("what can't be stored is said before it is sent", () => {
  assert.equal(problemOfDraft({ format: "json", text: '{"a": 1}' }), null);
  assert.match(problemOfDraft({ format: "json", text: "{a: 1}" }) ?? "", /line 1, column 2/);
  assert.equal(problemOfDraft({ format: "bytes", text: "AP8A\nAAA=" }), null);
  assert.match(problemOfDraft({ format: "bytes", text: "AP8" }) ?? "", /base64/);
});

test("bytes that are text are told from others", () => {
  assert.equal(textOfBytes(btoa("plain\n")), "plain\n");
  assert.equal(textOfBytes("AP8="), null);
  assert.equal(textOfBytes(btoa("\0\x01")), null);
});

test("a write says which revision it replaces", async () => {
  const sent: unknown[] = [];
  const api = { call: async (...parts: unknown[]) => (sent.push(parts), { status: 200, text: "", headers: new Headers() }) } as unknown as Api;
  await writeEntry(api, { text: "k" }, { format: "json", text: "[1, 18446744073709551615]" }, { kind: "keep" }, "7");
  await writeEntry(api, { text: "k" }, { format: "bytes", text: "AP\n8=" }, { kind: "in", seconds: 60 }, null);
  assert.deepEqual(sent, [
    ["PUT", "api/v1/kv/k", { body: '{"value":[1, 18446744073709551615],"keep_ttl":true}', headers: { "If-Match": '"7"' } }],
    ["PUT", "api/v1/kv/k", { body: '{"value":"AP8=","encoding":"base64","ttl":60}', headers: { "If-None-Match": "*" } }],
  ]);
});
