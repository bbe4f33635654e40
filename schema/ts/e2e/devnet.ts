// Starts a devnet of its own with a fresh phrase, runs the story on it, and ends it.
//
// CONCORD_BIN names the `concord` program; target/debug/concord by default.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Secp256k1HdWallet } from "@cosmjs/amino";
import { genesis } from "./genesis.js";

const program = process.env["CONCORD_BIN"] ?? fileURLToPath(new URL("../../../../target/debug/concord", import.meta.url));
const story = fileURLToPath(new URL("./life.test.js", import.meta.url));
const START_MS = 30_000;

const phrase = (await Secp256k1HdWallet.generate(24)).mnemonic;
const folder = mkdtempSync(join(tmpdir(), "concord-ts-"));
const file = join(folder, "genesis.json");
writeFileSync(file, JSON.stringify(await genesis(phrase)), { mode: 0o600 });
const chain = spawn(program, ["devnet", "--genesis", file, "--listen", "127.0.0.1:0", "--block-time-ms", "200", "--json"], {
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const told = await Promise.race([
    once(createInterface({ input: chain.stdout }), "line"),
    once(chain, "error").then(([error]) => Promise.reject(error)),
    once(chain, "exit").then(([code]) => Promise.reject(new Error(`${program} ended with ${code}`))),
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`no devnet after ${START_MS} ms`)), START_MS).unref()),
  ]);
  const { rpc, contract } = JSON.parse(told[0] as string);
  const tests = spawn(process.execPath, ["--test", story], {
    stdio: "inherit",
    env: { ...process.env, CONCORD_RPC: rpc, CONCORD_CONTRACT: contract, CONCORD_MNEMONIC: phrase },
  });
  const [code] = await once(tests, "exit");
  process.exitCode = code ?? 1;
} finally {
  chain.kill();
  rmSync(folder, { recursive: true });
}
