// The console for whoever uses it: by the keyboard alone, in light and dark, and what axe finds.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";

import {
  admin,
  api,
  button,
  consoleUrl,
  heading,
  newPageIn,
  notice,
  open,
  openKeyOf,
  packagesDir,
  page,
  refused,
  signIn,
  valueField,
} from "./console_session.mjs";

const axe = readFileSync(resolve(packagesDir, "node_modules/axe-core/axe.min.js"), "utf8");

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

test("the audit log is filtered and opened by the keyboard alone", async () => {
  await signIn(admin, "#/audit");
  await pressUntil("Tab", page.getByLabel("Operation"));
  await page.keyboard.type("put_many");
  await page.keyboard.press("Enter");
  const details = page.getByRole("region", { name: "Table of audit entries" }).getByRole("button", { name: "Details of" }).first();
  await details.waitFor();
  await pressUntil("Tab", details);
  await page.keyboard.press("Enter");
  await page.locator("tr.details pre").waitFor();
  await page.keyboard.press("Enter");
  await page.locator("tr.details pre").waitFor({ state: "detached" });
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
    for (const view of ["Overview", "Keys", "Events", "Metrics", "Members", "Tokens", "Backups", "Audit"]) {
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
