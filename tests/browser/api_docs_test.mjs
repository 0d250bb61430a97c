// The page of the API documentation in a real browser: it shows the server's own OpenAPI document, its "Execute" puts and gets
// a key, it says nothing on the console, and it asks no other host for anything.
//
// usage: node api_docs_test.mjs PACKAGES_DIR PROGRAM WORK_DIR [--screenshot FILE]
//
// PACKAGES_DIR has node_modules/playwright-core. The browser is $CHROMIUM, or `chromium` of the system.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";

import { launch, packagesOf, startServer, stepTimeoutMs, watch } from "./browser.mjs";

const [packagesDir, program, workDir, flag, screenshotFile] = process.argv.slice(2);
const { chromium } = packagesOf(packagesDir)("playwright-core");

/** Opens the operation of the document, fills in what it needs, presses Execute; the status and the text that are shown. */
async function execute(page, method, path, key, body) {
  const operation = page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });
  await operation.locator(".opblock-summary-control").click();
  await operation.locator('tr[data-param-name="key"] input').fill(key);
  if (body !== undefined) await operation.locator("textarea.body-param__text").fill(body);
  await operation.getByRole("button", { name: "Execute" }).click();
  const answer = operation.locator(".live-responses-table tbody tr.response").first();
  await answer.locator(".response-col_status").waitFor();
  const shown = {
    status: (await answer.locator(".response-col_status").innerText()).trim().split(/\s/)[0],
    body: JSON.parse(await answer.locator(".highlight-code code, pre.microlight").first().innerText()),
  };
  return { operation, shown };
}

async function use(page, origin) {
  const answer = await page.goto(`${origin}/api/docs`);
  assert.equal(answer.status(), 200);
  await page.locator(".information-container .title").waitFor();
  const put = await execute(page, "put", "/api/v1/kv/{key}", "shown/in a browser", '{"value": {"greeting": "Hello"}}');
  assert.deepEqual(put.shown, { status: "200", body: { status: "ok", revision: 1 } });
  await put.operation.locator(".opblock-summary-control").click();
  const get = await execute(page, "get", "/api/v1/kv/{key}", "shown/in a browser");
  assert.deepEqual(get.shown, { status: "200", body: { status: "ok", data: { value: { greeting: "Hello" } } } });
  const stored = await page.request.get(`${origin}/api/v1/kv/shown%2Fin%20a%20browser`);
  assert.deepEqual(await stored.json(), { status: "ok", data: { value: { greeting: "Hello" } } });
  await get.operation.locator(".opblock-summary-control").click();
}

async function takePicture(page) {
  await page.evaluate(() => {
    document.activeElement.blur();
    window.scrollTo(0, 0);
  });
  await page.screenshot({ path: screenshotFile, animations: "disabled" });
}

async function main() {
  const { server, origin } = await startServer(program, workDir);
  let browser;
  try {
    browser = await launch(chromium);
    const page = await browser.newPage({ viewport: { width: 1100, height: 1000 } });
    page.setDefaultTimeout(stepTimeoutMs);
    const problems = watch(page, origin);
    try {
      await use(page, origin);
      if (flag === "--screenshot") await takePicture(page);
    } catch (error) {
      problems.push(`${error.stack}`, `the page shows: ${(await page.locator("body").innerText()).slice(0, 2000)}`);
    }
    assert.deepEqual(problems, []);
    console.log("the page works, and asks only its own server");
  } finally {
    await browser?.close();
    server.kill("SIGKILL");
    rmSync(workDir, { recursive: true, force: true });
  }
}

await main();
