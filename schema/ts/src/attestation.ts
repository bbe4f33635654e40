// What is hashed and signed outside of the chain: digests of releases and drafts, and auditors' statements.
import type { StdSignature } from "@cosmjs/amino";
import { fromBase64, toBase64, toHex, toUtf8 } from "@cosmjs/encoding";
import { Canonical } from "./bytes.js";
import type { Claim, Digest, Finding, Release, Reversibility, Signature, Statement } from "./generated/types.js";

const CLAIMS: Readonly<Record<Claim, number>> = { built_reproducibly: 0, passed_on_testnet: 1, reviewed: 2 };
const FINDINGS: Readonly<Record<Finding, number>> = { approves: 0, objects: 1 };
const REVERSIBILITIES: Readonly<Record<Reversibility, number>> = { binary_only: 0, needs_state_restore: 1, forward_only: 2 };

/** Where a statement is good: nowhere else. */
export interface Domain {
  /** The chain's id. */
  readonly chainId: string;
  /** The coordinator's address. */
  readonly contract: string;
  /** The account that states it. */
  readonly auditor: string;
}

/** The name of a release: the digest of all of its fields. */
export function releaseDigest(release: Release): Digest {
  const out = new Canonical("concord/release/1").text(release.component).text(release.version);
  out.list(release.artifacts, (artifact) => {
    out.text(artifact.platform).digest(artifact.digest).number(artifact.size_bytes);
    out.list(artifact.uris, (uri) => out.text(uri));
  });
  out.list(release.upgrades_from, (version) => out.text(version));
  out.list(release.compatibility, (row) => out.text(row.component).list(row.versions, (version) => out.text(version)));
  out.number(release.protocol.min).number(release.protocol.max);
  out.list(release.flags, (flag) => out.text(flag));
  out.number(REVERSIBILITIES[release.reversibility]);
  const procedure = release.rollback_procedure;
  if (procedure) out.number(1).digest(procedure.digest).text(procedure.uri);
  else out.number(0);
  return out.hash();
}

/** The digest over all platforms' digests: what auditors agree on. */
export function platformsDigest(release: Release): Digest {
  const out = new Canonical("concord/platforms/1");
  return out.list(release.artifacts, (artifact) => out.text(artifact.platform).digest(artifact.digest)).hash();
}

/** The digest of a proposal's content, of its bytes as they are stored (`drafts`). Its release is in it by `releaseDigest`. */
export function contentDigest(stored: Uint8Array): Digest {
  return new Canonical("concord/content/1").bytes(stored).hash();
}

/** The bytes that a registered key signs: ed25519 these, secp256k1 their SHA-256. */
export function statementBytes(statement: Statement, domain: Domain): Uint8Array {
  return new Canonical("concord/attestation/1")
    .text(domain.chainId)
    .text(domain.contract)
    .text(domain.auditor)
    .number(statement.proposal)
    .number(statement.revision)
    .digest(statement.release)
    .digest(statement.platforms)
    .number(CLAIMS[statement.claim])
    .number(FINDINGS[statement.finding])
    .number(statement.nonce)
    .number(statement.expires)
    .finish();
}

/** What a wallet shows and signs by ADR-36: give it to `signArbitrary`. */
export function walletText(statement: Statement, domain: Domain): string {
  const lines = [
    "Concord attestation 1",
    `chain: ${domain.chainId}`,
    `contract: ${domain.contract}`,
    `auditor: ${domain.auditor}`,
    `proposal: ${statement.proposal}`,
    `revision: ${statement.revision}`,
    `release: ${statement.release}`,
    `platforms: ${statement.platforms}`,
    `claim: ${statement.claim}`,
    `finding: ${statement.finding}`,
    `nonce: ${statement.nonce}`,
    `expires: ${statement.expires}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** A registered key's 64 bytes as a message carries them. */
export function keySignature(auditor: string, signature: Uint8Array): Signature {
  return { auditor, signature: toBase64(signature) };
}

/** What `signArbitrary` of a wallet answered, as a message carries it. */
export function walletSignature(auditor: string, signed: StdSignature): Signature {
  return { auditor, signature: signed.signature, wallet_key: toHex(fromBase64(signed.pub_key.value)) };
}

/** The document of ADR-36 around a text, for signers that know only amino documents. */
export function adr36Document(signer: string, shown: string) {
  return {
    chain_id: "",
    account_number: "0",
    sequence: "0",
    fee: { gas: "0", amount: [] },
    msgs: [{ type: "sign/MsgSignData", value: { signer, data: toBase64(toUtf8(shown)) } }],
    memo: "",
  };
}
