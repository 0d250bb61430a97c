// The tests that stand beside the console's code (console/src/**/*_test.ts), in node.
//
// usage: node console_units.mjs MODULES_DIR CONSOLE_DIR WORK_DIR
//
// MODULES_DIR has esbuild, which takes the types out.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const [modulesDir, consoleDir, workDir] = process.argv.slice(2);

function testsBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testsBelow(path);
    return entry.name.endsWith("_test.ts") ? [path] : [];
  });
}

function run(program, ...parameters) {
  const { status, error } = spawnSync(program, parameters, { stdio: "inherit", env: { ...process.env, NODE_PATH: modulesDir } });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const tests = testsBelow(join(consoleDir, "src"));
if (tests.length === 0) throw new Error(`there are no tests below ${consoleDir}`);
rmSync(workDir, { recursive: true, force: true });
run(join(modulesDir, ".bin/esbuild"), ...tests, "--bundle", "--platform=node", "--format=esm", "--out-extension:.js=.mjs", `--outdir=${workDir}`, "--log-level=warning");
run(process.execPath, "--test", ...readdirSync(workDir).map((name) => join(workDir, name)));
