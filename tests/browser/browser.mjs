// What the tests in a browser share: a server, a browser, and a watch over what a page must not do.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { resolve } from "node:path";

export const stepTimeoutMs = 20_000;

/** What node finds in PACKAGES_DIR/node_modules. */
export function packagesOf(packagesDir) {
  return createRequire(resolve(packagesDir, "package.json"));
}

/** Free a moment ago, all different. */
export async function freePorts(number) {
  const servers = await Promise.all(
    Array.from({ length: number }, () => new Promise((done) => { const server = createServer().listen(0, "127.0.0.1", () => done(server)); })),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** A node that is ready; resolves to its process and its origin. `settings` become CONCORD_... of its environment. */
export async function startServer(program, dataDir, flags = [], settings = {}) {
  rmSync(dataDir, { recursive: true, force: true });
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CONCORD_")));
  const server = spawn(program, ["start", "--node-data-dir", dataDir, "--backup-dir", `${dataDir}/backups`, "--api-port", "0", "--log-level", "warn", ...flags], {
    env: { ...environment, ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const part of server.stdout) {
    output += part;
    const ready = /^concord ready .*\bapi=(http:\/\/127\.0\.0\.1:\d+) .*\n/m.exec(output);
    if (ready) return { server, origin: ready[1] };
  }
  throw new Error(`the server ended without a ready line: ${output}`);
}

export function launch(chromium) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    // Chromium's sandbox refuses root; the page is our own. The last one: /dev/shm is small in containers.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}

/** What a page must not do is noted in the returned list. `mayFail(response)`: refusals that a test is about. */
export function watch(page, origin, mayFail = () => false) {
  const problems = [];
  page.on("console", (message) => {
    // That a response is an error is judged below, where it is known which one.
    if (message.text().startsWith("Failed to load resource")) return;
    if (["error", "warning"].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`page error: ${error}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    if (why !== "net::ERR_ABORTED") problems.push(`failed: ${request.url()} ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !mayFail(response)) problems.push(`status ${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.protocol !== "blob:" && url.origin !== origin) {
      problems.push(`leaves the server: ${request.url()}`);
    }
  });
  return problems;
}
