// The programs of README.md, run as they stand there, on a devnet whose only member is the first account of
// CONCORD_MNEMONIC.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { jsonFolder } from "../test/folder.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const RUN_MS = 60_000;

test("the programs of README.md run as they stand there", () => {
  const project = mkdtempSync(join(tmpdir(), "concord-readme-"));
  try {
    mkdirSync(join(project, "node_modules/@concord-upgrades"), { recursive: true });
    symlinkSync(root, join(project, "node_modules/@concord-upgrades/client"));
    symlinkSync(join(root, "node_modules/@cosmjs"), join(project, "node_modules/@cosmjs"));
    const programs = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/```js\n\/\/ (\w+\.mjs)\n(.*?)```/gs)];
    assert.deepEqual(programs.map(([, name]) => name), ["read.mjs", "vote.mjs", "propose.mjs"]);
    for (const [, name, text] of programs) writeFileSync(join(project, name as string), text as string);
    const run = (...options: string[]) =>
      execFileSync(process.execPath, options, { cwd: project, encoding: "utf8", timeout: RUN_MS, stdio: ["ignore", "pipe", "inherit"] });
    assert.match(run("propose.mjs", join(jsonFolder, "execute.json")), /proposal 1 can be voted on/);
    assert.match(run("read.mjs"), /^1: .* \(voting\)/);
    assert.match(run("vote.mjs"), /voted .*ballot: 'yes'/s);
  } finally {
    rmSync(project, { recursive: true });
  }
});
