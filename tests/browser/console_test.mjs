// The web console in a real browser, over a cluster of three nodes that asks for tokens: what people do with it, by mouse and by the
// keyboard alone, in light and dark; that it asks no other host for anything, breaks no policy, and has no faults that axe finds.
//
// usage: node console_test.mjs PACKAGES_DIR PROGRAM WORK_DIR [--pictures FOLDER]
//
// PACKAGES_DIR has node_modules/playwright-core and axe-core. The browser is $CHROMIUM, or `chromium` of the system.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { freePorts, launch, packagesOf, startServer, stepTimeoutMs, watch } from "./browser.mjs";

const [packagesDir, program, workDir, flag, picturesDir] = process.argv.slice(2);
const { chromium } = packagesOf(packagesDir)("playwright-core");
const axe = readFileSync(resolve(packagesDir, "node_modules/axe-core/axe.min.js"), "utf8");

const admin = "sk_concord_the_first_token_of_the_browser_test";
const nodes = [];
let browser;
let context;
let page;
let problems;
/** Refusals that the running test is about: "GET 404 /api/v1/backups". */
let refused;

// The cluster and its API ---------------------------------------------------------------------------------------------

async function startCluster() {
  const ports = await freePorts(3);
  const initial = ports.map((port, i) => `n${i + 1}=127.0.0.1:${port}`).join(",");
  const started = ports.map((port, i) =>
    startServer(program, join(workDir, `n${i + 1}`),
      ["--node-name", `n${i + 1}`, "--cluster-peer-port", String(port), "--cluster-initial", initial, "--prometheus-port", "0", "--auth-enabled", "true"],
      { CONCORD_COOKIE: "of the browser test", CONCORD_AUTH_TOKEN: admin }));
  nodes.push(...(await Promise.all(started)));
  // The console of the leader knows how far the others are.
  const { leader } = JSON.parse((await api("GET", "status")).text).data.cluster;
  nodes.unshift(...nodes.splice(Number(leader.slice(1)) - 1, 1));
}

async function api(method, path, body, token = admin) {
  const response = await fetch(`${nodes[0].origin}/api/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

async function put(key, value, more = {}) {
  const { status, text } = await api("PUT", `kv/${encodeURIComponent(key)}`, { value, ...more });
  assert.equal(status, 200, text);
}

async function stored(key) {
  const { status, text } = await api("GET", `kv/${encodeURIComponent(key)}`);
  return status === 404 ? undefined : text;
}

async function makeToken(wanted) {
  const { text } = await api("POST", "tokens", wanted);
  return JSON.parse(text).data;
}

// The page ------------------------------------------------------------------------------------------------------------

const consoleUrl = (fragment = "") => `${nodes[0].origin}/console/${fragment}`;
const heading = (name) => page.getByRole("heading", { level: 1, name });
const button = (name) => page.getByRole("button", { name, exact: true });
const dialog = () => page.getByRole("dialog");
const notice = (text) => page.locator(".notices").getByText(text);

async function signIn(token = admin, fragment = "") {
  await page.goto(consoleUrl(fragment));
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Views" }).waitFor();
}

async function open(view) {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view }).click();
  await heading(view).waitFor();
}

const valueField = () => page.getByLabel("Value", { exact: true });

/** Without loading the page again, which would forget the token. */
async function openKeyOf(key, search = key) {
  await page.evaluate((fragment) => { location.hash = fragment; }, `#/keys?${new URLSearchParams({ search, key })}`);
  await valueField().waitFor();
}

async function newPage(options = {}) {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  page = await context.newPage();
  page.setDefaultTimeout(stepTimeoutMs);
  refused = new Set();
  problems = watch(page, nodes[0].origin, (response) => {
    const { pathname } = new URL(response.url());
    const isSignIn = pathname === "/api/v1/status" && response.status() === 401;
    return isSignIn || refused.has(`${response.request().method()} ${response.status()} ${pathname}`);
  });
}

async function picture(name) {
  if (flag !== "--pictures") return;
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: join(picturesDir, `console-${name}.png`), animations: "disabled" });
}

before(async () => {
  await startCluster();
  browser = await launch(chromium);
  for (let i = 1; i <= 120; ++i) await put(`users/${i}`, { name: `User ${i}`, tags: ["a", "b"], logins: i });
  await put("config/api", { endpoint: "https://api.example.org", timeout_ms: 2500, retries: { most: 3, wait_ms: [100, 200, 400] } });
  await put("flags/dark-mode", true);
  await put("session/7f3a", { user: 17, from: "10.0.0.9" }, { ttl: 3600 });
});

after(async () => {
  await browser?.close();
  for (const { server } of nodes) server.kill("SIGKILL");
  rmSync(workDir, { recursive: true, force: true });
});

beforeEach(() => newPage());

afterEach(async () => {
  const shown = await page.locator("body").innerText();
  await context.close();
  assert.deepEqual(problems, [], `the page showed: ${shown.slice(0, 2000)}`);
});

// Signing in ----------------------------------------------------------------------------------------------------------

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
    problems = watch(page, origin);
    problems.length = 0;
    page.removeAllListeners("request");
    await page.goto(`${origin}/console`);
    await heading("Overview").waitFor();
    assert.equal(page.url(), `${origin}/console/`);
    await open("Tokens");
    await page.getByText("Authentication is off").waitFor();
    assert.equal(await button("Sign out").count(), 0);
  } finally {
    server.kill("SIGKILL");
  }
});

// Keys ----------------------------------------------------------------------------------------------------------------

test("the overview shows the cluster", async () => {
  await signIn();
  const members = page.getByRole("region", { name: "Table of members" });
  for (const name of ["n1", "n2", "n3"]) await members.getByRole("rowheader", { name }).waitFor();
  assert.equal(await members.getByText("healthy", { exact: true }).count(), 3);
  assert.equal(await members.getByText("leader", { exact: true }).count(), 1);
  await page.getByText("caught up").waitFor();
  await picture("overview");
});

test("keys are found by prefix and filter, and turned over page by page", async () => {
  await signIn(admin, "#/keys");
  await page.getByText("123 keys").waitFor();
  await openKeyOf("config/api", "");
  await picture("keys");
  const list = page.getByRole("list", { name: "Keys" });
  assert.equal(await list.getByRole("link").count(), 100);
  await button("Next").click();
  await page.getByText("Page 2").waitFor();
  await list.getByRole("link", { name: "users/99" }).waitFor();
  await page.getByLabel("What to search for").fill("users/11");
  await page.getByText("11 keys").waitFor();
  await page.getByLabel("How to search").selectOption("Value matches filter");
  await page.getByLabel("What to search for").fill('{"logins": {"$gte": 119}}');
  await page.keyboard.press("Enter");
  await page.getByText("2 keys").waitFor();
  assert.deepEqual(await list.getByRole("link").allInnerTexts(), ["users/119", "users/120"]);
});

test("a new key is made with all digits of its numbers, and never over another one", async () => {
  await signIn(admin, "#/keys?search=new%2F");
  await page.getByRole("link", { name: "New key" }).click();
  await page.getByLabel("Key", { exact: true }).fill("new/one");
  await valueField().fill('{"big": 9223372036854775807, "exact": 1.0');
  await page.getByText("should stand behind a member (line 1, column 42)").waitFor();
  assert.ok(await button("Create").isDisabled());
  await valueField().press("End");
  await valueField().press("}");
  await page.getByLabel("in", { exact: true }).check();
  await button("Create").click();
  await notice("new/one was made").waitFor();
  assert.match(await stored("new/one"), /"value":\{"big":9223372036854775807,"exact":1\.0\}/);
  assert.match(await valueField().inputValue(), /"big": 9223372036854775807,\n {2}"exact": 1\.0/);
  await page.getByText("as it is, in").waitFor();

  await page.getByRole("link", { name: "New key" }).click();
  await page.getByLabel("Key", { exact: true }).fill("new/one");
  refused.add("PUT 412 /api/v1/kv/new%2Fone");
  await button("Create").click();
  await page.getByText("This key exists already").waitFor();
});

test("an edit keeps the expiry unless another one is chosen", async () => {
  await put("edit/ttl", 1, { ttl: 1000 });
  await signIn(admin, "#/keys?key=edit%2Fttl");
  await valueField().fill("2");
  await valueField().press("Control+s");
  await notice("edit/ttl was saved").waitFor();
  const { text } = await api("GET", "kv/edit%2Fttl?with_ttl=true");
  const { value, ttl } = JSON.parse(text).data;
  assert.equal(value, 2);
  assert.ok(ttl > 900 && ttl <= 1000, `${ttl} s are left`);
  await page.getByLabel("never").check();
  await button("Save").click();
  await page.getByText("Expires").locator("xpath=following-sibling::dd[text()='never']").waitFor();
  assert.match((await api("GET", "kv/edit%2Fttl/ttl")).text, /"ttl":null/);
});

test("a change of somebody else is shown and not overwritten", async () => {
  await put("edit/both", { color: "red", size: 1 });
  await signIn(admin, "#/keys?key=edit%2Fboth");
  await valueField().fill('{"color": "red", "size": 2}');
  await put("edit/both", { color: "green", size: 1 });
  refused.add("PUT 412 /api/v1/kv/edit%2Fboth");
  await button("Save").click();
  await dialog().getByText("was changed meanwhile").waitFor();
  await dialog().getByText('"color": "green"').waitFor();
  assert.deepEqual(await dialog().locator("mark").allInnerTexts(), ['  "color": "green",\n', '  "size": 1\n', '  "color": "red",\n', '  "size": 2\n']);
  await picture("conflict");
  assert.match(await stored("edit/both"), /green/);
  await button("Go on editing").click();
  assert.equal(await valueField().inputValue(), '{"color": "red", "size": 2}', "what was typed stays");
  await button("Save").click();
  await button("Overwrite with mine").click();
  await notice("edit/both was saved").waitFor();
  assert.match(await stored("edit/both"), /"value":\{"color":"red","size":2\}/);
});

test("an entry that nobody edits follows the changes of others", async () => {
  await put("edit/followed", "before");
  await signIn(admin, "#/keys?key=edit%2Ffollowed");
  await valueField().waitFor();
  await put("edit/followed", "after");
  await notice("was changed by somebody else").waitFor();
  assert.equal(await valueField().inputValue(), '"after"');
  refused.add("GET 404 /api/v1/kv/edit%2Ffollowed");
  await api("DELETE", "kv/edit%2Ffollowed");
  await page.getByText("Meanwhile this key was deleted").waitFor();
  await button("Close").click();
  await page.getByText("Choose a key").waitFor();
});

test("what was typed is still there after a look elsewhere", async () => {
  await put("edit/kept", 1);
  await signIn(admin, "#/keys?search=edit%2Fkept&key=edit%2Fkept");
  await valueField().fill("[2");
  await page.getByLabel("What to search for").fill("users/1");
  await page.getByText("32 keys").waitFor();
  assert.equal(await valueField().inputValue(), "[2");
  await page.getByRole("link", { name: "users/10", exact: true }).click();
  await page.getByRole("heading", { name: "users/10" }).waitFor();
  await open("Events");
  await put("edit/kept", 3);
  await openKeyOf("edit/kept");
  assert.equal(await valueField().inputValue(), "[2");
  await page.getByText("Meanwhile somebody changed this key").waitFor();
  await button("Revert").click();
  await button("Show it").click();
  assert.equal(await valueField().inputValue(), "3");
});

test("deleting asks first, and deletes only what was seen", async () => {
  await put("edit/gone", 1);
  await signIn(admin, "#/keys?key=edit%2Fgone");
  await button("Delete…").click();
  await dialog().getByText("edit/gone").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await dialog().count(), 0);
  await button("Delete…").click();
  await put("edit/gone", 2);
  refused.add("DELETE 412 /api/v1/kv/edit%2Fgone");
  await button("Delete").click();
  await dialog().getByText("nothing was deleted").waitFor();
  await page.keyboard.press("Escape");
  await notice("was changed by somebody else").waitFor();
  await button("Delete…").click();
  await button("Delete").click();
  await notice("edit/gone was deleted").waitFor();
  assert.equal(await stored("edit/gone"), undefined);
});

test("bytes are edited as base64, and keys that are no text are shown", async () => {
  await api("PUT", "kv/_wB_?key_encoding=base64url", { value: "AP8=", encoding: "base64" });
  await signIn(admin, "#/keys?key_b64=%2FwB%2F");
  await page.getByRole("heading", { name: "base64:/wB/" }).waitFor();
  assert.equal(await valueField().inputValue(), "AP8=");
  await valueField().fill("AP8");
  await page.getByText("this is no base64").waitFor();
  await valueField().fill(Buffer.from("plain text").toString("base64"));
  await page.getByText("These bytes are text").click();
  await page.getByText("plain text").waitFor();
  await button("Save").click();
  await notice("was saved").waitFor();
  assert.match((await api("GET", "kv/_wB_?key_encoding=base64url")).text, /"value":"cGxhaW4gdGV4dA=="/);
  await api("DELETE", "kv/_wB_?key_encoding=base64url");
});

test("a key that a browser takes for a folder is a key", async () => {
  await api("PUT", "kv/Li4?key_encoding=base64url", { value: "two dots" });
  await signIn(admin, "#/keys?key=..");
  await valueField().waitFor();
  assert.equal(await valueField().inputValue(), '"two dots"');
  await api("DELETE", "kv/Li4?key_encoding=base64url");
});

test("text is never markup", async () => {
  const evil = '<img src=x onerror="document.title=\'taken\'">';
  await put(evil, { [evil]: evil });
  await signIn(admin, `#/keys?key=${encodeURIComponent(evil)}`);
  await page.getByRole("heading", { name: evil }).waitFor();
  await page.evaluate(() => { location.hash = "#/events"; });
  await page.getByText("Nothing has changed since").waitFor();
  await put(evil, evil);
  await page.getByRole("list", { name: "Events" }).getByText(evil).waitFor();
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  assert.notEqual(await page.title(), "taken");
  await api("DELETE", `kv/${encodeURIComponent(evil)}`);
});

// Events, metrics, tokens, members, backups -----------------------------------------------------------------------------

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

// Whoever uses it -------------------------------------------------------------------------------------------------------

async function newPageIn(colorScheme) {
  await context.close();
  await newPage({ colorScheme });
}

/** Presses the key until what is named has the focus. */
async function pressUntil(key, locator, most = 40) {
  for (let i = 0; i < most; ++i) {
    if (await locator.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${key} never leads to ${locator}`);
}

test("everything goes by the keyboard alone", async () => {
  await page.goto(consoleUrl());
  await page.getByLabel("Token").waitFor();
  await page.keyboard.type(admin);
  await page.keyboard.press("Enter");
  await heading("Overview").waitFor();
  await pressUntil("Tab", page.getByRole("link", { name: "To the content" }));
  await pressUntil("Tab", page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Keys" }));
  await page.keyboard.press("Enter");
  await heading("Keys").waitFor();
  await pressUntil("Tab", page.getByRole("link", { name: "New key" }));
  await page.keyboard.press("Enter");
  await page.getByLabel("Key", { exact: true }).waitFor();
  await page.keyboard.type("keyboard/one");
  await pressUntil("Tab", valueField());
  await page.keyboard.press("Control+a");
  await page.keyboard.type("[1, 2]");
  await pressUntil("Tab", button("Create"));
  await page.keyboard.press("Enter");
  await notice("keyboard/one was made").waitFor();

  await pressUntil("Shift+Tab", page.getByLabel("What to search for"));
  await page.keyboard.type("users/1");
  await page.getByText("32 keys").waitFor();
  const links = page.getByRole("list", { name: "Keys" }).getByRole("link");
  await pressUntil("Tab", links.first());
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "users/100" }).waitFor();

  await pressUntil("Tab", page.getByRole("button", { name: "Delete…" }));
  await page.keyboard.press("Enter");
  await pressUntil("Tab", button("Cancel"), 1);
  await page.keyboard.press("Escape");
  assert.ok(await button("Delete…").evaluate((element) => element === document.activeElement), "the focus goes back");
  await api("DELETE", "kv/keyboard%2Fone");
});

test("colors are the system's, or those that were chosen", async () => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await newPageIn("dark");
  await page.goto(consoleUrl());
  const dark = await ground();
  await page.emulateMedia({ colorScheme: "light" });
  const light = await ground();
  assert.notEqual(dark, light);
  await signIn();
  await page.getByLabel("Colors").selectOption("dark");
  assert.equal(await ground(), dark);
  await page.reload({ waitUntil: "commit" });
  await page.getByLabel("Token").waitFor();
  assert.equal(await ground(), dark);
});

test("axe finds no fault in any view, in light and in dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await newPageIn(colorScheme);
    refused.add("GET 404 /api/v1/backups");
    await page.goto(consoleUrl());
    await page.getByLabel("Token").waitFor();
    await expectNoFaults(`signing in, ${colorScheme}`);
    await signIn();
    for (const view of ["Overview", "Keys", "Events", "Metrics", "Members", "Tokens", "Backups"]) {
      await open(view);
      await expectNoFaults(`${view}, ${colorScheme}`);
    }
    await openKeyOf("config/api");
    await expectNoFaults(`an entry, ${colorScheme}`);
    await button("Delete…").click();
    await expectNoFaults(`a question, ${colorScheme}`);
  }
});

async function expectNoFaults(where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }));
  const faults = violations.map(({ id, help, nodes: found }) => `${id}: ${help}: ${found.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
  assert.deepEqual(faults, [], where);
}
