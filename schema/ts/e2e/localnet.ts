// Starts a wasmd of its own with scripts/localnet.sh, deploys a coordinator of this story's cast on it, runs the story,
// and ends it. The first account is the net's deployer.
//
// CONCORD_BASE_PORT is where its ports begin; 27650 by default. CONCORD_WASM names the contract, as --wasm does.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { genesis } from "./genesis.js";

const script = fileURLToPath(new URL("../../../../scripts/localnet.sh", import.meta.url));
const story = fileURLToPath(new URL("./life.test.js", import.meta.url));
const port = process.env["CONCORD_BASE_PORT"] ?? "27650";
const wasm = process.env["CONCORD_WASM"];

const folder = mkdtempSync(join(tmpdir(), "concord-ts-"));
const net = join(folder, "net");
const localnet = (...options: string[]) =>
  execFileSync(script, [...options, "--dir", net], { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
try {
  localnet("up", "--base-port", port, "--no-deploy");
  const accounts = JSON.parse(readFileSync(join(net, "accounts.json"), "utf8")) as { name: string; mnemonic: string }[];
  const phrase = accounts.find(({ name }) => name === "deployer")?.mnemonic;
  if (!phrase) throw new Error("the net has no account called deployer");
  const message = join(folder, "instantiate.json");
  writeFileSync(message, JSON.stringify((await genesis(phrase)).instantiate));
  localnet("up", "--instantiate", message, ...(wasm ? ["--wasm", wasm] : []));
  const { nodes, coordinator } = JSON.parse(localnet("status", "--json"));
  const tests = spawn(process.execPath, ["--test", story], {
    stdio: "inherit",
    env: { ...process.env, CONCORD_RPC: nodes[0].rpc, CONCORD_CONTRACT: coordinator.address, CONCORD_MNEMONIC: phrase },
  });
  const [code] = await once(tests, "exit");
  process.exitCode = code ?? 1;
} finally {
  localnet("down", "--remove");
  rmSync(folder, { recursive: true });
}
