// The console: overview, events, metrics, tokens, members, backups, audit.
import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { freePorts } from "./browser.mjs";
import {
  admin,
  api,
  auditDir,
  button,
  context,
  flag,
  makeToken,
  newPageIn,
  notice,
  open,
  page,
  picture,
  problems,
  put,
  refused,
  signIn,
  stored,
} from "./console_session.mjs";

test("the overview shows the cluster", async () => {
  await signIn();
  const members = page.getByRole("region", { name: "Table of members" });
  for (const name of ["n1", "n2", "n3"]) await members.getByRole("rowheader", { name }).waitFor();
  assert.equal(await members.getByText("healthy", { exact: true }).count(), 3);
  assert.equal(await members.getByText("leader", { exact: true }).count(), 1);
  await page.getByText("caught up").waitFor();
  await picture("overview");
});

test("events come as they happen, are filtered, and wait while the list is paused", async () => {
  await signIn(admin, "#/events");
  const list = page.getByRole("list", { name: "Events" });
  await page.getByText("Nothing has changed since").waitFor();
  await put("users/7", { name: "Grace" });
  await api("POST", "kv/bulk", { operations: [{ key: "a/1", value: 1 }, { key: "a/2", value: 2 }] });
  await api("DELETE", "kv/flags%2Fdark-mode");
  await put("flags/dark-mode", true);
  await list.getByText("2 keys: a/1, a/2").waitFor();
  await list.getByRole("button", { name: "Details" }).last().click();
  await list.getByText('"name": "Grace"').waitFor();
  await picture("events");
  await button("Pause").click();
  await put("users/8", 1);
  await page.getByText("1 new ones wait").waitFor();
  assert.equal(await list.getByText("users/8").count(), 0);
  await button("Go on").click();
  await list.getByRole("link", { name: "users/8" }).waitFor();
  await page.getByLabel("Keys that match").fill("^flags/");
  await page.getByLabel("After revision").fill("0");
  await page.getByLabel("delete", { exact: true }).check();
  await button("Apply").click();
  await list.getByText("2 keys: a/1, a/2").waitFor({ state: "detached" });
  await list.getByRole("link", { name: "flags/dark-mode" }).waitFor();
  assert.equal(await list.getByRole("listitem").count(), 1, "the delete alone, from the history");
  await page.getByLabel("Keys that match").fill("(");
  refused.add("GET 400 /api/v1/events");
  await button("Apply").click();
  await button("Go on from now").waitFor();
});

test("a stream that is cut off goes on behind the last event", async () => {
  await signIn(admin, "#/events");
  await page.getByText("Nothing has changed since").waitFor();
  await put("cut/1", 1);
  const list = page.getByRole("list", { name: "Events" });
  await list.getByText("cut/1").waitFor();
  await context.setOffline(true);
  // A connection that is open stays so in Chromium: going away and back opens another one.
  await page.getByText("no answer").waitFor();
  await context.setOffline(false);
  await put("cut/2", 1);
  await list.getByText("cut/2").waitFor();
  assert.equal(await list.getByText("cut/1").count(), 1);
  problems.splice(0, problems.length, ...problems.filter((problem) => !problem.includes("ERR_INTERNET_DISCONNECTED")));
});

test("metrics are drawn, and said as text", async () => {
  await newPageIn("dark");
  await signIn(admin, "#/metrics");
  const chart = page.getByRole("img", { name: /^HTTP requests: all [\d.]+/ });
  for (let i = 0; i < 60; ++i) await put(`metrics/${i % 7}`, i);
  await chart.waitFor();
  await page.getByRole("img", { name: /^Time of a request: p50 [\d.]+ .s, p99 [\d.]+ .s/ }).waitFor();
  if (flag === "--pictures") {
    for (let i = 0; i < 1500; ++i) {
      await (i % 3 === 0 ? put(`metrics/${i % 7}`, i) : api("GET", "kv/config%2Fapi"));
      await new Promise((done) => setTimeout(done, 40 + 30 * Math.sin(i / 40)));
    }
  }
  await picture("metrics");
});

test("a token is made, shown once, and revoked", async () => {
  await signIn(admin, "#/tokens");
  await button("New token…").click();
  await page.getByLabel("What it is for").fill("of the test");
  await page.getByLabel("write").check();
  await page.getByLabel("Only keys that start with").fill("app/");
  await button("Create").click();
  const secret = await page.getByLabel("Secret of the token").inputValue();
  assert.match(secret, /^sk_concord_/);
  await button("I have kept it").click();
  assert.ok(!(await page.content()).includes(secret));
  const row = page.getByRole("row").filter({ hasText: "of the test" });
  await row.getByText("app/").waitFor();
  await row.getByText(/in (90 d|89 d 23 h)/).waitFor();
  assert.equal((await api("GET", "kv?prefix=app%2F", undefined, secret)).status, 200);
  await row.getByRole("button", { name: "Revoke" }).click();
  await button("Revoke").click();
  await notice("was revoked").waitFor();
  assert.equal((await api("GET", "kv?prefix=app%2F", undefined, secret)).status, 401);
});

test("members are led over, added and removed, each after a question", async () => {
  await signIn(admin, "#/members");
  const table = page.getByRole("region", { name: "Table of members" });
  const rowOf = (name) => table.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
  const follower = table.getByRole("row").filter({ has: page.getByRole("button", { name: /^Make leader/ }) }).first();
  const name = (await follower.getByRole("rowheader").innerText()).split(" ")[0];
  await follower.getByRole("button", { name: /^Make leader/ }).click();
  await button("Hand over").click();
  await rowOf(name).getByText("leader", { exact: true }).waitFor();

  const [port] = await freePorts(1);
  await button("Add a member…").click();
  await page.getByLabel("Name of the new node").fill("n4");
  await page.getByLabel("Its peer address").fill(`127.0.0.1:${port}`);
  await button("Add").click();
  await notice("n4 was added as a learner").waitFor();
  await rowOf("n4").getByText("learner").waitFor();
  await rowOf("n4").getByRole("button", { name: "Remove" }).click();
  assert.ok(await button("Remove").isDisabled(), "its name is to be typed");
  await page.getByLabel("to confirm").fill("n4");
  await button("Remove").click();
  await notice("n4 was removed").waitFor();
  await rowOf("n4").waitFor({ state: "detached" });
});

test("a server without backups is said to have none; with them they are made, verified and restored", async () => {
  refused.add("GET 404 /api/v1/backups");
  await signIn(admin, "#/backups");
  if ((await api("GET", "backups")).status === 404) {
    await page.getByText("This server has no backups").waitFor();
    return;
  }
  await put("kept/by-backup", "before");
  await button("Back up now").click();
  await notice("was made").waitFor();
  const row = page.getByRole("region", { name: "Table of backups" }).getByRole("row").nth(1);
  const name = await row.getByRole("rowheader").locator("code").innerText();
  await row.getByRole("button", { name: "Verify" }).click();
  await row.getByText("valid", { exact: true }).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("button", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), name);
  await put("kept/by-backup", "after");
  await row.getByRole("button", { name: "Restore" }).click();
  assert.ok(await button("Replace all data").isDisabled());
  await page.getByLabel("to confirm").fill(name);
  await picture("restore");
  await button("Replace all data").click();
  await notice("All data are those of").waitFor();
  assert.match(await stored("kept/by-backup"), /before/);
});

test("the audit log is asked by operation, user, result and time, exported, and found to be changed", async () => {
  const reader = await makeToken({ permissions: ["read"], description: "of the audit test" });
  await put("audited/1", 1);
  await api("POST", "kv/bulk", { operations: [{ key: "audited/2", value: 2 }] });
  assert.equal((await api("DELETE", "kv/audited%2F1", undefined, reader.token)).status, 403);
  await signIn(admin, "#/audit");
  const rows = page.getByRole("region", { name: "Table of audit entries" }).getByRole("row");
  await rows.nth(1).waitFor();
  await page.getByText("Written since the start").waitFor();
  await rows.filter({ hasText: "forbidden" }).filter({ hasText: `token:${reader.id}` }).first().waitFor();
  await picture("audit");

  await page.getByLabel("Operation").fill("delete");
  await page.getByLabel("User").fill(`token:${reader.id}`);
  await page.getByLabel("Result").selectOption("forbidden");
  await button("Apply").click();
  await page.getByText("1 entry, newest first.").waitFor();
  await rows.nth(1).getByRole("button", { name: "Details of" }).click();
  await page.locator("tr.details").getByText('"unauthorized_attempt": true').waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export" }).click()]);
  const lines = readFileSync(await download.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ operation, result }) => [operation, result]), [["delete", "forbidden"]]);
  assert.match(download.suggestedFilename(), /^audit-n\d\.jsonl$/);

  await page.getByLabel("From", { exact: true }).fill("2001-01-01T00:00");
  await page.getByLabel("To", { exact: true }).fill("2001-01-02T00:00");
  await button("Apply").click();
  await page.getByText("0 entries, newest first.").waitFor();
  await button("Clear").click();
  await rows.nth(2).waitFor();

  await button("Verify").click();
  await page.getByText("nothing was changed, removed or put in").waitFor();
  const [name] = readdirSync(auditDir()).filter((each) => each.endsWith(".jsonl"));
  const file = openSync(join(auditDir(), name), "r+");
  writeSync(file, '"operation":"get"', readFileSync(file, "utf8").indexOf('"operation":"put"')); // in place: the node writes behind it
  closeSync(file);
  await button("Verify").click();
  await page.getByText("The log is NOT as it was written").waitFor();
  await page.getByText(`${name}:`).waitFor();
});

test("a token without admin is told what it lacks to see the audit log", async () => {
  const reader = await makeToken({ permissions: ["read"] });
  refused.add("GET 403 /api/v1/audit");
  await signIn(reader.token, "#/audit");
  await page.getByRole("alert").getByText(/Not permitted: .*admin/).waitFor();
});
