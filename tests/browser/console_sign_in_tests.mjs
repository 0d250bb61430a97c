// The console: who gets in, and with what.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { startServer } from "./browser.mjs";
import {
  admin,
  api,
  button,
  consoleUrl,
  heading,
  makeToken,
  open,
  openKeyOf,
  page,
  program,
  refused,
  signIn,
  valueField,
  watchOnly,
  workDir,
} from "./console_session.mjs";

test("who has no token is asked for one, and a wrong one is refused", async () => {
  await page.goto(consoleUrl());
  await page.getByLabel("Token").fill("sk_concord_guessed");
  await button("Sign in").click();
  await page.getByRole("alert").getByText("does not know this token").waitFor();
  await page.getByLabel("Token").fill(admin);
  await button("Sign in").click();
  await heading("Overview").waitFor();
});

test("a token is kept in memory only, unless it is to stay for the tab; never in an address", async () => {
  await signIn();
  assert.ok(!page.url().includes("sk_concord"));
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ""]);
  await page.reload();
  await page.getByLabel("Token").fill(admin);
  await page.getByLabel("Stay signed in").check();
  await button("Sign in").click();
  await heading("Overview").waitFor();
  await page.reload();
  await heading("Overview").waitFor();
  await button("Sign out").click();
  await page.reload();
  await page.getByLabel("Token").waitFor();
});

test("a token that is revoked ends what it shows", async () => {
  const made = await makeToken({ permissions: ["read"], description: "to be revoked" });
  await signIn(made.token);
  await heading("Overview").waitFor();
  for (const path of ["/api/v1/status", "/api/v1/kv", "/metrics"]) refused.add(`GET 401 ${path}`);
  await api("DELETE", `tokens/${made.id}`);
  await page.getByText("The token is not valid any more").waitFor();
});

test("what a token may not do is said, with the permission that it lacks", async () => {
  const made = await makeToken({ permissions: ["read"], description: "a reader" });
  refused.add("GET 403 /api/v1/tokens");
  await signIn(made.token, "#/tokens");
  await page.getByText("the token lacks the permission admin").waitFor();
  await openKeyOf("config/api");
  refused.add("PUT 403 /api/v1/kv/config%2Fapi");
  await valueField().fill("1");
  await button("Save").click();
  await page.getByText("the token lacks the permission write").waitFor();
  assert.equal(await valueField().inputValue(), "1", "what was typed stays");
});

test("where nobody is asked for a token the console asks for none", async () => {
  const { server, origin } = await startServer(program, join(workDir, "open"), ["--prometheus-port", "0"]);
  try {
    watchOnly(origin);
    await page.goto(`${origin}/console`);
    await heading("Overview").waitFor();
    assert.equal(page.url(), `${origin}/console/`);
    await open("Tokens");
    await page.getByText("Authentication is off").waitFor();
    assert.equal(await button("Sign out").count(), 0);
    refused.add("GET 404 /api/v1/audit");
    await open("Audit");
    await page.getByText("This node keeps no audit log").waitFor();
  } finally {
    server.kill("SIGKILL");
  }
});
