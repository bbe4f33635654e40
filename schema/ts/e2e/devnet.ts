// Runs the story and the README's programs, each on a devnet of its own with a fresh phrase.
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
import { genesis, walletGenesis } from "./genesis.js";

const program = process.env["CONCORD_BIN"] ?? fileURLToPath(new URL("../../../../target/debug/concord", import.meta.url));
const START_MS = 30_000;

/** Runs a test file on a devnet, and answers its exit code. */
async function run(file: string, made: (phrase: string) => Promise<unknown>): Promise<number> {
  const phrase = (await Secp256k1HdWallet.generate(24)).mnemonic;
  const folder = mkdtempSync(join(tmpdir(), "concord-ts-"));
  const settings = join(folder, "genesis.json");
  writeFileSync(settings, JSON.stringify(await made(phrase)), { mode: 0o600 });
  const options = ["devnet", "--genesis", settings, "--listen", "127.0.0.1:0", "--block-time-ms", "200", "--json"];
  const chain = spawn(program, options, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const told = await Promise.race([
      once(createInterface({ input: chain.stdout }), "line"),
      once(chain, "error").then(([error]) => Promise.reject(error)),
      once(chain, "exit").then(([code]) => Promise.reject(new Error(`${program} ended with ${code}`))),
      new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`no devnet after ${START_MS} ms`)), START_MS).unref()),
    ]);
    const { rpc, contract } = JSON.parse(told[0] as string);
    const tests = spawn(process.execPath, ["--test", fileURLToPath(new URL(file, import.meta.url))], {
      stdio: "inherit",
      env: { ...process.env, CONCORD_RPC: rpc, CONCORD_CONTRACT: contract, CONCORD_MNEMONIC: phrase },
    });
    const [code] = await once(tests, "exit");
    return code ?? 1;
  } finally {
    chain.kill();
    rmSync(folder, { recursive: true });
  }
}

process.exitCode = (await run("./life.test.js", genesis)) || (await run("./readme.test.js", walletGenesis));
