import assert from "node:assert/strict";
import test from "node:test";

import { auditParameters, everything, readAuditEntries } from "./audit.ts";

test("a filter asks for what was filled in and nothing else", () => {
  assert.equal(auditParameters(everything).toString(), "");
  assert.equal(auditParameters({ ...everything, operation: " put ", result: "error" }).toString(), "operation=put&result=error");
  assert.equal(auditParameters({ ...everything, user: "token:a&b" }).get("user"), "token:a&b");
});

test("times are those of the browser's zone, and a minute is meant as a whole", () => {
  const asked = auditParameters({ ...everything, from: "2026-02-03T04:05", to: "2026-02-03T04:05" });
  const from = new Date(asked.get("from") ?? ""), to = new Date(asked.get("to") ?? "");
  assert.deepEqual([from.getHours(), from.getMinutes()], [4, 5]);
  assert.equal(to.getTime() - from.getTime(), 59_999);
  assert.equal(auditParameters({ ...everything, to: "2026-02-03T04:05:06" }).get("to"), new Date("2026-02-03T04:05:06").toISOString());
});

test("an entry is shown as the log has it, with all digits of its numbers", () => {
  const line = '{"timestamp":"2026-02-03T04:05:06Z","event_id":"a","operation":"put","metadata":{"n":18446744073709551615}}';
  const [first, second] = readAuditEntries(`{"status":"ok","data":{"entries":[${line},{"event_id":"b"}]}}`);
  assert.equal(first?.text, line);
  assert.equal(first?.entry.operation, "put");
  assert.equal(second?.entry.event_id, "b");
  assert.deepEqual(readAuditEntries('{"status":"ok","data":{"entries":[]}}'), []);
});
