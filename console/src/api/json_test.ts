import assert from "node:assert/strict";
import test from "node:test";

import { JsonError, member, prettyJson, readJson, sourceOf } from "./json.ts";

test("numbers stay as they were written", () => {
  const text = '{"status":"ok","data":{"value":[9223372036854775807,1.0,1e400,-0.10],"revision":7}}';
  const data = member(readJson(text), "data");
  assert.ok(data);
  const value = member(data, "value");
  assert.ok(value);
  assert.equal(sourceOf(text, value), "[9223372036854775807,1.0,1e400,-0.10]");
  assert.equal(prettyJson(text, value), "[9223372036854775807, 1.0, 1e400, -0.10]");
});

test("a document is laid out by its structure", () => {
  assert.equal(prettyJson('{"a":{"b":[]},"c":[{"d":null}],"e":"\\u00e9"}'), [
    "{",
    '  "a": {',
    '    "b": []',
    "  },",
    '  "c": [',
    "    {",
    '      "d": null',
    "    }",
    "  ],",
    '  "e": "\\u00e9"',
    "}",
  ].join("\n"));
  assert.equal(prettyJson("  true "), "true");
});

test("what is laid out means the same", () => {
  for (const text of ['{"":[1,[2,{"x":"\\"y\\\\"}]],"z":{}}', '"\u2028"', "[[],[[]],{}]", "-1.5E-7"]) {
    assert.deepEqual(JSON.parse(prettyJson(text)), JSON.parse(text));
  }
});

test("a string may be as long as a value", () => {
  for (const text of [`"${"x".repeat(8 << 20)}"`, `"${"\\n".repeat(4 << 20)}"`]) assert.equal(readJson(text).end, text.length);
});

test("what is wrong is named with its place", () => {
  const wrong: [string, number, number][] = [
    ["", 1, 1],
    ['{"a":1,}', 1, 8],
    ['{\n  "a" 1\n}', 2, 7],
    ['{"a":1,"a":2}', 1, 8],
    ["[1 2]", 1, 4],
    ["01", 1, 2],
    ["[1", 1, 3],
    ['"a\nb"', 1, 1],
    ['"\\x"', 1, 1],
    ['"\\u12"', 1, 1],
    ["nul", 1, 1],
    ["1 x", 1, 3],
  ];
  for (const [text, line, column] of wrong) {
    assert.throws(
      () => readJson(text),
      (error) => error instanceof JsonError && error.line === line && error.column === column,
      `${JSON.stringify(text)} should be refused at ${line}:${column}`,
    );
  }
  assert.throws(() => readJson("[".repeat(100_000)), JsonError);
});
