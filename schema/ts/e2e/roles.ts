// Everyone in the story, from one phrase: accounts by their number in it, auditors' keys by its digest.
import { makeCosmoshubPath, Secp256k1HdWallet } from "@cosmjs/amino";
import { Ed25519, type Ed25519Keypair, Secp256k1, type Secp256k1Keypair, sha256 } from "@cosmjs/crypto";
import { toHex, toUtf8 } from "@cosmjs/encoding";
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import type { ClassRules, InstantiateMsg } from "../src/index.js";

/** The accounts, in the order of their numbers. */
export const ROLES = ["member", "ledger", "auditor", "ed25519", "secp256k1", "wallet", "guardian", "operator", "hot"] as const;
export type Role = (typeof ROLES)[number];

export interface Cast {
  readonly addresses: Readonly<Record<Role, string>>;
  /** Signs in direct mode, for every account. */
  readonly direct: DirectSecp256k1HdWallet;
  /** Signs amino JSON only, as a hardware wallet does. */
  readonly amino: Secp256k1HdWallet;
  readonly ed25519: Ed25519Keypair;
  readonly secp256k1: Secp256k1Keypair;
}

export async function cast(phrase: string, prefix: string): Promise<Cast> {
  const hdPaths = ROLES.map((_, number) => makeCosmoshubPath(number));
  const direct = await DirectSecp256k1HdWallet.fromMnemonic(phrase, { prefix, hdPaths });
  const amino = await Secp256k1HdWallet.fromMnemonic(phrase, { prefix, hdPaths });
  const accounts = await direct.getAccounts();
  const addresses = Object.fromEntries(ROLES.map((role, number) => [role, accounts[number]?.address])) as Record<Role, string>;
  const seed = (what: string) => sha256(toUtf8(`${what} ${phrase}`));
  return {
    addresses,
    direct,
    amino,
    ed25519: await Ed25519.makeKeypair(seed("ed25519")),
    secp256k1: await Secp256k1.makeKeypair(seed("secp256k1")),
  };
}

const span = (seconds: number, blocks = 1) => ({ seconds, blocks });

/** The example's settings with this cast, a deposit, four attestations, and spans of seconds. */
export function settings(example: InstantiateMsg, { addresses, ed25519, secp256k1 }: Cast): InstantiateMsg {
  const row = (rules: ClassRules): ClassRules => ({
    ...rules,
    deliberation: span(1),
    validation: span(600),
    voting: span(60, 10),
    voting_min: span(2, 4),
    timelock: span(1),
    early_finish: true,
    auditors_min: 4,
    organisations_min: 4,
    deposit: { denom: "ucosm", amount: "1000" },
  });
  const { routine, standard, critical, constitutional, ...rest } = example.rules;
  return {
    ...example,
    members: [{ addr: addresses.member, weight: "6" }, { addr: addresses.ledger, weight: "4" }],
    auditors: [
      { addr: addresses.auditor, organisation: "one", key: null },
      { addr: addresses.ed25519, organisation: "two", key: { ed25519: toHex(ed25519.pubkey) } },
      { addr: addresses.secp256k1, organisation: "three", key: { secp256k1: toHex(Secp256k1.compressPubkey(secp256k1.pubkey)) } },
      { addr: addresses.wallet, organisation: "four", key: null },
    ],
    guardians: { addrs: [addresses.guardian], threshold: 1 },
    operators: [{ addr: addresses.operator, organisation: "operator", component: "oracle-feeder", power: 100 }],
    rules: { ...rest, routine: row(routine), standard: row(standard), critical: row(critical), constitutional: row(constitutional) },
  };
}
