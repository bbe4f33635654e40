// Prints what a deployment of this story is made of. The phrase comes from CONCORD_MNEMONIC, never as an argument.
//
// usage: node build/e2e/genesis.js devnet|instantiate|wallet
//
//   devnet       a devnet's genesis for the story
//   instantiate  the story's instantiate message
//   wallet       a devnet's genesis on which the first account is the only member, and a vote needs no attestation
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { InstantiateMsg } from "../src/index.js";
import { cast, settings } from "./roles.js";

/** The example of the docs, seen from the compiled story. */
export const example = () => JSON.parse(readFileSync(fileURLToPath(new URL("../../../../docs/genesis.example.json", import.meta.url)), "utf8"));

/** A devnet's genesis on which only the first account has coins. */
export async function genesis(phrase: string) {
  const base = example();
  const all = await cast(phrase, base.bech32_prefix);
  return {
    ...base,
    accounts: [{ address: all.addresses.member, coins: [{ denom: "ucosm", amount: "1000000000" }] }],
    sender: all.addresses.member,
    instantiate: settings(base.instantiate, all),
  };
}

/** The same with one member, and a vote that can be opened two seconds after the proposal. */
export async function walletGenesis(phrase: string) {
  const made = await genesis(phrase);
  const { instantiate } = made;
  const rules = Object.fromEntries(
    Object.entries(instantiate.rules as InstantiateMsg["rules"]).map(([name, row]) => [
      name,
      "bars" in row ? { ...row, auditors_min: 0, organisations_min: 0, deposit: null, voting: { seconds: 3_600, blocks: 10 } } : row,
    ]),
  );
  return { ...made, instantiate: { ...instantiate, members: [{ addr: made.sender, weight: "10" }], rules } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const phrase = process.env["CONCORD_MNEMONIC"];
  const [what] = process.argv.slice(2);
  if (!phrase || (what !== "devnet" && what !== "instantiate" && what !== "wallet")) {
    console.error("usage: CONCORD_MNEMONIC=... node build/e2e/genesis.js devnet|instantiate|wallet");
    process.exit(2);
  }
  const made = what === "wallet" ? await walletGenesis(phrase) : await genesis(phrase);
  console.log(JSON.stringify(what === "instantiate" ? made.instantiate : made, null, 2));
}
