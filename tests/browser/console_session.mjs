// What the tests of the console share: a cluster of three nodes that asks for tokens, a page for each test, and that no page did what it
// must not.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach } from "node:test";

import { freePorts, launch, packagesOf, startServer, stepTimeoutMs, watch } from "./browser.mjs";


export const [packagesDir, program, workDir, flag, picturesDir] = process.argv.slice(2);
const { chromium } = packagesOf(packagesDir)("playwright-core");

export const admin = "sk_concord_the_first_token_of_the_browser_test";
const nodes = [];
let browser;
export let context;
export let page;
export let problems;
/** Refusals that the running test is about: "GET 404 /api/v1/backups". */
export let refused;

// The cluster and its API ---------------------------------------------------------------------------------------------

const auditDirOf = (i) => join(workDir, `audit${i + 1}`);

async function startCluster() {
  const ports = await freePorts(3);
  const initial = ports.map((port, i) => `n${i + 1}=127.0.0.1:${port}`).join(",");
  const started = ports.map((port, i) =>
    startServer(program, join(workDir, `n${i + 1}`),
      ["--node-name", `n${i + 1}`, "--cluster-peer-port", String(port), "--cluster-initial", initial, "--prometheus-port", "0", "--auth-enabled", "true",
        "--audit-log-enabled", "true", "--audit-log-log-dir", auditDirOf(i)],
      { CONCORD_COOKIE: "of the browser test", CONCORD_AUTH_TOKEN: admin }));
  nodes.push(...(await Promise.all(started)).map((node, i) => ({ ...node, auditDir: auditDirOf(i) })));
  // The console of the leader knows how far the others are.
  const { leader } = JSON.parse((await api("GET", "status")).text).data.cluster;
  nodes.unshift(...nodes.splice(Number(leader.slice(1)) - 1, 1));
}

/** Of the node that the page and `api` talk to. */
export const auditDir = () => nodes[0].auditDir;

export async function api(method, path, body, token = admin) {
  const response = await fetch(`${nodes[0].origin}/api/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

export async function put(key, value, more = {}) {
  const { status, text } = await api("PUT", `kv/${encodeURIComponent(key)}`, { value, ...more });
  assert.equal(status, 200, text);
}

export async function stored(key) {
  const { status, text } = await api("GET", `kv/${encodeURIComponent(key)}`);
  return status === 404 ? undefined : text;
}

export async function makeToken(wanted) {
  const { text } = await api("POST", "tokens", wanted);
  return JSON.parse(text).data;
}

// The page ------------------------------------------------------------------------------------------------------------

export const consoleUrl = (fragment = "") => `${nodes[0].origin}/console/${fragment}`;
export const heading = (name) => page.getByRole("heading", { level: 1, name });
export const button = (name) => page.getByRole("button", { name, exact: true });
export const dialog = () => page.getByRole("dialog");
export const notice = (text) => page.locator(".notices").getByText(text);

export async function signIn(token = admin, fragment = "") {
  await page.goto(consoleUrl(fragment));
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Views" }).waitFor();
}

export async function open(view) {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view }).click();
  await heading(view).waitFor();
}

export const valueField = () => page.getByLabel("Value", { exact: true });

/** Without loading the page again, which would forget the token. */
export async function openKeyOf(key, search = key) {
  await page.evaluate((fragment) => { location.hash = fragment; }, `#/keys?${new URLSearchParams({ search, key })}`);
  await valueField().waitFor();
}

async function newPage(options = {}) {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  page = await context.newPage();
  page.setDefaultTimeout(stepTimeoutMs);
  refused = new Set();
  problems = watch(page, nodes[0].origin, isAwaited);
}

/** A refusal that the running test is about. */
function isAwaited(response) {
  const { pathname } = new URL(response.url());
  const isSignIn = pathname === "/api/v1/status" && response.status() === 401;
  return isSignIn || refused.has(`${response.request().method()} ${response.status()} ${pathname}`);
}

/** A new one, instead of that of the test. */
export async function newPageIn(colorScheme) {
  await context.close();
  await newPage({ colorScheme });
}

/** From here on another server is the only one that may be asked. */
export function watchOnly(origin) {
  page.removeAllListeners("request");
  page.removeAllListeners("response");
  problems = watch(page, origin, isAwaited);
}

export async function picture(name) {
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
