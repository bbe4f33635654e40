// The package against the files it is generated from: examples, keys, events, signatures.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { Secp256k1HdWallet, serializeSignDoc } from "@cosmjs/amino";
import { Random, Secp256k1, Secp256k1Signature, sha256 } from "@cosmjs/crypto";
import { fromBase64, fromHex, toHex, toUtf8 } from "@cosmjs/encoding";
import Ajv from "ajv";
import * as concord from "../src/index.js";
import { Facts, keys } from "../src/generated/keys.js";
import { jsonFolder } from "./folder.js";

// eslint-disable-next-line @typescript-eslint/no-explicit-any
const read = (name: string): any => JSON.parse(readFileSync(join(jsonFolder, name), "utf8"));
const index = read("index.json");
const ajv = new Ajv.default({ strict: false, allErrors: true, validateFormats: false });

test("the package has the version of the interface", () => {
  const own = JSON.parse(readFileSync(join(jsonFolder, "../ts/package.json"), "utf8"));
  assert.equal(own.version, index.version);
  assert.equal(concord.VERSION, index.version);
  assert.equal(concord.FACTS_VERSION, index.facts_version);
});

test("every example is what its own schema allows", () => {
  let seen = 0;
  for (const file of index.files.filter((file: string) => !["keys.json", "signing.json"].includes(file))) {
    const { $id: _, ...schema } = read(file);
    const validate = ajv.compile(schema);
    assert.ok(schema.examples.length > 0, file);
    for (const example of schema.examples) {
      assert.ok(validate(example), `${file}: ${JSON.stringify(example)}: ${ajv.errorsText(validate.errors)}`);
      seen += 1;
    }
  }
  assert.ok(seen > 150, `only ${seen} examples`);
});

test("raw keys are those of the table", () => {
  const table = read("keys.json").keys;
  assert.equal(Object.keys(keys).length, table.length);
  for (const row of table) {
    const name = row.name.replace(/_(\w)/g, (_: string, letter: string) => letter.toUpperCase());
    const given = row.parts.filter((part: { bytes: string }) => part.bytes !== "letter").map((part: { bytes: string; example: string }) => (part.bytes === "u64" ? BigInt(part.example) : part.example));
    const make = (keys as Record<string, (...parts: never[]) => Uint8Array>)[name];
    assert.ok(make, `there is no key ${name}`);
    assert.equal(toHex(make(...(given as never[]))), row.example_key, row.name);
  }
});

test("numbers in keys are whole and fit", () => {
  assert.equal(toHex(concord.keys.seats(2n ** 60n)).slice(12, 28), "1000000000000000");
  for (const bad of [-1, 0.5, 2 ** 53, 2n ** 64n, Number.NaN]) assert.throws(() => concord.keys.proposals(bad), RangeError);
  assert.throws(() => concord.keys.attestations(1, 256, "wasm1x"), RangeError);
});

/** An example as the chain writes it, with what the chain adds. */
function onChain(example: Record<string, unknown>, contract: string): concord.ChainEvent {
  const fields = example["fields"] as Record<string, string>;
  const order: string[] = read("events.json").field_order[example["kind"] as string];
  const own = ["seq", "kind", "who", "height", "time", "prev", "prev_height"];
  const attributes = own.map((key) => ({ key, value: String(example[key]) }));
  for (const key of order) attributes.push({ key, value: fields[key] ?? "" });
  return {
    type: concord.EVENT_TYPE,
    attributes: [{ key: "_contract_address", value: contract }, ...attributes, { key: "msg_index", value: "0" }],
  };
}

test("every kind of event is read, and its hash is what the next one names", () => {
  const examples = read("events.json").examples;
  const events = concord.readEvents(examples.map((example: Record<string, unknown>) => onChain(example, "wasm1c")), "wasm1c");
  assert.equal(events.length, examples.length);
  events.forEach((event, at) => {
    assert.ok(event.known, event.kind);
    const next = events[at + 1];
    if (next) assert.equal(next.prev, concord.entryHash(event), `the hash of ${event.kind}`);
  });
  const sorted = examples.map((example: Record<string, unknown>) => {
    const event = onChain(example, "wasm1c");
    return { ...event, attributes: [...event.attributes].sort((one, two) => (one.key < two.key ? -1 : one.key > two.key ? 1 : 0)) };
  });
  assert.deepEqual(concord.readEvents(sorted, "wasm1c"), events, "as wasmd sorts what comes of a submessage");
  const opened = events.find((event) => event.known && event.kind === "wave_opened");
  assert.ok(opened?.known && opened.kind === "wave_opened");
  assert.deepEqual(opened.fields.canaries, [4]);
  assert.notEqual(opened.height, opened.fields.height);
  const voted = events.find((event) => event.known && event.kind === "voted");
  assert.ok(voted?.known && voted.kind === "voted");
  assert.deepEqual(voted.fields, { proposal: 3, ballot: "yes", weight: "10", rationale: null });
  const proposed = events.find((event) => event.known && event.kind === "proposed");
  assert.ok(proposed?.known && proposed.kind === "proposed");
  assert.equal(proposed.fields.draft.actions.length, 1);
});

test("other contracts' events are passed over, newer kinds are kept, broken ones are refused", () => {
  const [example] = read("events.json").examples;
  const event = onChain(example, "wasm1c");
  assert.deepEqual(concord.readEvents([event], "wasm1other"), []);
  assert.deepEqual(concord.readEvents([{ ...event, type: "wasm" }], "wasm1c"), []);
  const changed = (key: string, value?: string) => ({
    ...event,
    attributes: event.attributes.flatMap((one) => (one.key !== key ? [one] : value === undefined ? [] : [{ key, value }])),
  });
  const newer = concord.readEvent(changed("kind", "of_a_newer_contract"));
  assert.equal(newer.known, false);
  assert.ok(newer.texts.some(([key]) => key === "genesis"));
  for (const kind of ["toString", "__proto__"]) assert.equal(concord.readEvent(changed("kind", kind)).known, false);
  for (const [key, value] of [["seq"], ["seq", "x"], ["height", "9007199254740993"], ["genesis"], ["genesis", "{"], ["rules", "-"]]) {
    assert.throws(() => concord.readEvent(changed(key as string, value)), concord.EventError, `${key} ${value}`);
  }
});

class StoredFacts extends concord.CoordinatorFacts {
  constructor(stored: Map<string, string>) {
    const client = { queryContractRaw: async (_: string, key: Uint8Array) => (stored.has(toHex(key)) ? toUtf8(stored.get(toHex(key)) as string) : null) };
    super(client as never, "wasm1c");
  }
}

test("facts are read by their keys; unknown versions stop the reader, absence is null", async () => {
  const example = read("facts/proposals.json").examples[0];
  const key = toHex(keys.proposals(3));
  const facts = new StoredFacts(new Map([[key, JSON.stringify(example)]]));
  assert.deepEqual(await facts.proposals(3), example);
  assert.equal(await facts.proposals(4), null);
  const newer = new StoredFacts(new Map([[key, JSON.stringify({ ...example, v: 2 })]]));
  await assert.rejects(newer.proposals(3), concord.FactsVersionError);
  const head = new StoredFacts(new Map([[toHex(keys.logHead()), '[2,1,"00",1]']]));
  await assert.rejects(head.logHead(), concord.FactsVersionError);
  assert.ok(facts instanceof Facts);
});

test("digests and statements are those of the contract", async () => {
  const { digests, attestation } = read("signing.json");
  assert.equal(concord.releaseDigest(digests.release), digests.release_digest);
  assert.equal(concord.platformsDigest(digests.release), digests.platforms_digest);
  assert.equal(concord.contentDigest(toUtf8(digests.content_bytes)), digests.draft_digest);
  const domain = { chainId: attestation.chain_id, contract: attestation.contract, auditor: attestation.auditor };
  const bytes = concord.statementBytes(attestation.statement, domain);
  assert.equal(toHex(bytes), attestation.statement_bytes);
  assert.equal(toHex(sha256(bytes)), attestation.statement_sha256);
  const shown = concord.walletText(attestation.statement, domain);
  assert.equal(shown, attestation.wallet_text);
  const document = serializeSignDoc(concord.adr36Document(attestation.auditor, shown));
  assert.equal(new TextDecoder().decode(document), attestation.adr36_document);
  assert.throws(() => concord.statementBytes({ ...attestation.statement, release: "AB" }, domain), TypeError);
});

test("a wallet's answer becomes a signature that holds over the shown text", async () => {
  const wallet = await Secp256k1HdWallet.generate(24, { prefix: "wasm" });
  const [account] = await wallet.getAccounts();
  assert.ok(account);
  const document = concord.adr36Document(account.address, `shown ${toHex(Random.getBytes(4))}`);
  const { signature } = await wallet.signAmino(account.address, document);
  const carried = concord.walletSignature(account.address, signature);
  const holds = await Secp256k1.verifySignature(
    Secp256k1Signature.fromFixedLength(fromBase64(carried.signature)),
    sha256(serializeSignDoc(document)),
    fromHex(carried.wallet_key as string),
  );
  assert.ok(holds);
});
