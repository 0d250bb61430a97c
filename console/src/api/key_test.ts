import assert from "node:assert/strict";
import test from "node:test";

import { idOf, keyOf, keyOfMember, nameOf, pathOf, problemOfKey } from "./key.ts";

test("a key becomes one segment of a path", () => {
  assert.equal(pathOf({ text: "a/b c?#%" }), "api/v1/kv/a%2Fb%20c%3F%23%25");
  assert.equal(pathOf({ text: "k" }, { meta: "true" }), "api/v1/kv/k?meta=true");
});

test("keys that a browser would take for folders, or that are no text, go as base64url", () => {
  assert.equal(pathOf({ text: ".." }), "api/v1/kv/Li4?key_encoding=base64url");
  assert.equal(pathOf({ text: "." }, { meta: "true" }), "api/v1/kv/Lg?meta=true&key_encoding=base64url");
  assert.equal(pathOf({ text: "..." }), "api/v1/kv/...");
  assert.equal(pathOf({ base64: "+/8=" }), "api/v1/kv/-_8?key_encoding=base64url");
});

test("a key that is no text is never taken for one that is", () => {
  assert.notEqual(idOf(keyOf("AP8=")), idOf(keyOf({ key_b64: "AP8=" })));
  assert.deepEqual(keyOfMember({ key_b64: "AP8=" }), { base64: "AP8=" });
  assert.equal(nameOf(keyOfMember({ key: "a" })), "a");
  assert.equal(nameOf({ text: "a\n\0b\x7f" }), "a␊␀b␡");
});

test("what is no key is said before the server is asked", () => {
  assert.equal(problemOfKey("k"), null);
  assert.match(problemOfKey("") ?? "", /at least one/);
  assert.equal(problemOfKey("é".repeat(512)), null);
  assert.match(problemOfKey("é".repeat(513)) ?? "", /1026/);
  assert.match(problemOfKey("\ud800") ?? "", /valid text/);
});
