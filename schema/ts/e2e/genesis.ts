// Prints what a deployment of this story is made of. The phrase comes from CONCORD_MNEMONIC, never as an argument.
//
// usage: node build/e2e/genesis.js devnet|instantiate
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const phrase = process.env["CONCORD_MNEMONIC"];
  const [what] = process.argv.slice(2);
  if (!phrase || (what !== "devnet" && what !== "instantiate")) {
    console.error("usage: CONCORD_MNEMONIC=... node build/e2e/genesis.js devnet|instantiate");
    process.exit(2);
  }
  const made = await genesis(phrase);
  console.log(JSON.stringify(what === "devnet" ? made : made.instantiate, null, 2));
}
