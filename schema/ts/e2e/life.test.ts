// A proposal's whole life through the client, on any chain that has a fresh coordinator with `settings` of roles.ts:
//
//   CONCORD_RPC        a CometBFT RPC
//   CONCORD_CONTRACT   the coordinator
//   CONCORD_MNEMONIC   the phrase of all accounts; its first one has coins
//   CONCORD_PREFIX     `wasm` by default; CONCORD_GAS_PRICE `0.025ucosm` by default
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Ed25519, Secp256k1, sha256 } from "@cosmjs/crypto";
import type { OfflineSigner } from "@cosmjs/proto-signing";
import Ajv from "ajv";
import * as concord from "../src/index.js";
import { jsonFolder } from "../test/folder.js";
import { type Cast, cast, ROLES, type Role } from "./roles.js";

const need = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}; see the head of e2e/life.test.ts`);
  return value;
};
const rpc = need("CONCORD_RPC");
const contract = need("CONCORD_CONTRACT");
const prefix = process.env["CONCORD_PREFIX"] ?? "wasm";
const gasPrice = process.env["CONCORD_GAS_PRICE"] ?? "0.025ucosm";
const WAIT_MS = 60_000;
const COMPONENT = "oracle-feeder";

let everyone: Cast;
let query: concord.CoordinatorQueryClient;
const clients = new Map<Role, concord.CoordinatorClient>();
const log: concord.CoordinatorEvent[] = [];

/** The client of a role; the one called ledger signs amino JSON, all others directly. */
function as(role: Role): concord.CoordinatorClient {
  const client = clients.get(role);
  assert.ok(client, role);
  return client;
}

/** Keeps the entries of what was sent, for the log's chain of hashes. */
async function sent(promise: Promise<concord.Executed>): Promise<concord.Executed> {
  const executed = await promise;
  log.push(...executed.events);
  return executed;
}

function only<K extends concord.KnownEvent["kind"]>(executed: concord.Executed, kind: K) {
  const found = executed.events.filter((event): event is Extract<concord.KnownEvent, { kind: K }> => event.known && event.kind === kind);
  assert.equal(found.length, 1, `${kind} among ${executed.events.map((event) => event.kind).join(", ")}`);
  return found[0] as Extract<concord.KnownEvent, { kind: K }>;
}

async function until<T>(what: string, ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > end) throw new Error(`${what}: still ${JSON.stringify(answer)} after ${WAIT_MS} ms`);
    await pause(150);
  }
}

const phase = (proposal: number, wanted: concord.Phase) =>
  until(`proposal ${proposal} to be ${wanted}`, () => query.proposal({ proposal }), (answer) => answer.phase === wanted);

function draft(version: string): concord.Draft {
  const span = (seconds: number) => ({ seconds, blocks: 1 });
  const document = { digest: "ab".repeat(32), uri: "https://forum.example/t/2" };
  return {
    title: `Oracle feeder ${version} <&>`,
    rationale: document,
    actions: [{
      start_rollout: {
        release: {
          component: COMPONENT, version, upgrades_from: ["1.4.0"], compatibility: [], flags: ["batch-quotes"],
          artifacts: [{ platform: "x86_64-linux", digest: "cd".repeat(32), size_bytes: 18_874_368, uris: ["https://releases.example/2"] }],
          protocol: { min: 3, max: 4 }, reversibility: "binary_only", rollback_procedure: document,
        },
        plan: {
          method: "rolling", ready_bps: 10_000, preparation: span(600), postponement: span(0), notice_blocks: 1,
          waves: [{ lot_bps: 10_000, power_max_bps: null, healthy_bps: 10_000, soak: span(1), deadline: span(600) }],
          lease: span(60), lease_bps: 3_300, one_at_a_time: true, trial: { span: span(1), probe_interval_ms: 100 },
          failure: { wave_bps: 0, rollout_bps: 0, on_crossed: "roll_back", halted: span(60), rolling_back: span(60) },
        },
      },
    }],
  };
}

before(async () => {
  everyone = await cast(need("CONCORD_MNEMONIC"), prefix);
  query = await concord.CoordinatorQueryClient.connect(rpc, contract);
  for (const role of ROLES) {
    const signer: OfflineSigner = role === "ledger" ? everyone.amino : everyone.direct;
    const options = { gasPrice, sender: everyone.addresses[role], broadcastPollIntervalMs: 100 };
    clients.set(role, await concord.CoordinatorClient.connect(rpc, contract, signer, options));
  }
  for (const role of ROLES.slice(1)) {
    const coins = [{ denom: "ucosm", amount: "10000000" }];
    const { client, sender } = as("member");
    const answer = await client.sendTokens(sender, everyone.addresses[role], coins, "auto");
    assert.equal(answer.code, 0, answer.rawLog);
  }
});

after(() => {
  for (const client of clients.values()) client.client.disconnect();
  query?.client.disconnect();
});

let proposal: number;
let rollout: number;

test("a wallet reads the deployment", async () => {
  const config = await query.config();
  assert.equal(config.contract, contract);
  assert.equal(config.chain_id, await query.client.getChainId());
  assert.equal(config.short_floors, true);
  assert.deepEqual((await query.components()).components.map(({ name }) => name), [COMPONENT]);
  assert.equal((await query.member({ addr: everyone.addresses.ledger }))?.weight, "4");
  assert.equal(await query.member({ addr: everyone.addresses.hot }), null);
  const [first] = await firstEntries(config.since_height);
  assert.ok(first?.known && first.kind === "instantiated");
  assert.equal(first.fields.genesis.members.length, 2);
  log.push(first);
});

/** The entries of the block that holds the instantiation. */
async function firstEntries(height: number): Promise<concord.CoordinatorEvent[]> {
  const found = await query.client.searchTx(`tx.height=${height}`);
  const events = found.flatMap((tx) => concord.readEvents(tx.events, contract));
  if (events.length > 0) return events;
  // The devnet instantiates before its first transaction: the entry is the block's own.
  const answer = await fetch(`${rpc}/block_results?height=${height}`);
  const { result } = (await answer.json()) as { result: { finalize_block_events?: concord.ChainEvent[] } };
  return concord.readEvents(result.finalize_block_events ?? [], contract);
}

test("an operator registers a node", async () => {
  const hot = everyone.addresses.hot;
  const node = only(await sent(as("operator").register({ component: COMPONENT, node_id: "feeder-a", power: 100, hot_key: hot })), "registered");
  assert.equal(node.fields.power, 100);
  assert.equal((await query.nodeOf({ hot_key: hot }))?.no, node.fields.node);
});

test("a member proposes, revises, comments and withdraws", async () => {
  const funds = [{ denom: "ucosm", amount: "1000" }];
  const made = await sent(as("member").propose({ draft: draft("1.9.0") }, { funds, memo: "<&>" }));
  const id = only(made, "proposed").fields.proposal;
  assert.deepEqual(only(made, "proposed").fields.draft, draft("1.9.0"));
  assert.deepEqual(await query.eventsOf(made.transactionHash), made.events);
  assert.equal(made.done?.changed, true);
  only(await sent(as("member").revise({ proposal: id, draft: draft("1.9.1") })), "revised");
  const document = { digest: "ef".repeat(32), uri: "https://forum.example/t/3" };
  only(await sent(as("ledger").comment({ proposal: id, document })), "commented");
  only(await sent(as("member").withdraw({ proposal: id })), "withdrawn");
  assert.equal((await query.proposal({ proposal: id })).phase, "withdrawn");
  only(await sent(as("hot").settleDeposit({ proposal: id })), "deposit_settled");
  assert.deepEqual(await query.claimable({ addr: as("member").sender }), funds);
  assert.equal(only(await sent(as("member").claim()), "claimed").fields.amount, "1000ucosm");
});

test("a proposal deliberates, and a vote before its time is refused in words", async () => {
  const funds = [{ denom: "ucosm", amount: "1000" }];
  proposal = only(await sent(as("member").propose({ draft: draft("2.0.0") }, { funds })), "proposed").fields.proposal;
  const { proposal: facts } = await query.proposal({ proposal });
  const vote: concord.ExecuteMsg = { vote: { proposal, ballot: "yes", expect_digest: facts.digest, rationale: null } };
  const can = await query.canI({ addr: as("member").sender, msg: vote });
  assert.equal(can.allowed, false);
  assert.ok(can.why);
  const early = as("member").vote(vote.vote, { fee: { amount: [{ denom: "ucosm", amount: "25000" }], gas: "1000000" } });
  await assert.rejects(early, (error) => error instanceof concord.RefusedError && error.log.length > 0 && error.code === 5);
  await assert.rejects(as("member").vote(vote.vote), /vot/);
  await phase(proposal, "validation");
  const explained = await query.explain({ subject: { proposal } });
  assert.equal(explained.phase, "validation");
  assert.ok(typeof explained.waiting_on === "object" && "attestations" in explained.waiting_on);
  assert.equal(explained.waiting_on.attestations.auditors_min, 4);
});

test("auditors attest: by transaction, by ed25519, by secp256k1, and by a wallet's ADR-36", async () => {
  const { draft: content, proposal: facts } = await query.proposal({ proposal });
  const [action] = content.actions;
  assert.ok(action && "start_rollout" in action);
  const { release } = action.start_rollout;
  assert.equal(concord.releaseDigest(release), facts.release);
  const chainId = await query.client.getChainId();
  const { time } = (await query.explain({ subject: { proposal } })).now;
  const statement = (nonce: number): concord.Statement => ({
    proposal, revision: facts.revision, release: concord.releaseDigest(release), platforms: concord.platformsDigest(release),
    claim: "built_reproducibly", finding: "approves", nonce, expires: time + 3_600,
  });
  const domain = (role: Role): concord.Domain => ({ chainId, contract, auditor: everyone.addresses[role] });

  const plain = only(await sent(as("auditor").attest({ statement: statement(1), signature: null })), "attested");
  assert.deepEqual([plain.fields.auditor, plain.fields.signed], [everyone.addresses.auditor, false]);

  const bytes = concord.statementBytes(statement(2), domain("ed25519"));
  const signature = concord.keySignature(everyone.addresses.ed25519, await Ed25519.createSignature(bytes, everyone.ed25519));
  await assert.rejects(as("member").attest({ statement: statement(3), signature }), /signature/);
  const first = await sent(as("member").attest({ statement: statement(2), signature }));
  assert.equal(only(first, "attested").fields.auditor, everyone.addresses.ed25519);

  const hash = sha256(concord.statementBytes(statement(4), domain("secp256k1")));
  const k256 = (await Secp256k1.createSignature(hash, everyone.secp256k1.privkey)).toFixedLength().slice(0, 64);
  const second = await sent(as("ledger").attest({ statement: statement(4), signature: concord.keySignature(everyone.addresses.secp256k1, k256) }));
  assert.equal(only(second, "attested").fields.signed, true);

  // As `signArbitrary` of a wallet does.
  const wallet = everyone.addresses.wallet;
  const shown = concord.walletText(statement(5), domain("wallet"));
  const signed = await everyone.amino.signAmino(wallet, concord.adr36Document(wallet, shown));
  const third = await sent(as("member").attest({ statement: statement(5), signature: concord.walletSignature(wallet, signed.signature) }));
  assert.equal(only(third, "attested").fields.auditor, wallet);
  // The last one that was needed opens the vote.
  assert.equal(only(third, "vote_opened").fields.total, "10");
  assert.equal((await query.attestations({ proposal })).attestations.length, 4);
});

test("a hardware wallet and a direct signer vote on the content that they hashed themselves", async () => {
  const stored = await query.facts.draftBytes(proposal);
  assert.ok(stored);
  const expect_digest = concord.contentDigest(stored);
  assert.equal(expect_digest, (await query.facts.proposals(proposal))?.digest);
  const rationale = { digest: "12".repeat(32), uri: "https://forum.example/why?a=1&b=<2>" };
  const amino = only(await sent(as("ledger").vote({ proposal, ballot: "yes", expect_digest, rationale })), "voted");
  assert.deepEqual(amino.fields, { proposal, ballot: "yes", weight: "4", rationale: rationale.digest });
  const direct = only(await sent(as("member").vote({ proposal, ballot: "yes", expect_digest, rationale: null })), "voted");
  assert.equal(direct.who, everyone.addresses.member);
  assert.deepEqual((await query.ballots({ proposal })).ballots.map(({ weight }) => weight).sort(), ["4", "6"]);
  assert.deepEqual(await query.facts.ballots(proposal, everyone.addresses.ledger), ["yes", "4"]);
});

test("it is executed after the timelock, by anyone", async () => {
  await phase(proposal, "ready");
  const executed = await sent(as("hot").execute({ proposal }));
  only(executed, "executed");
  rollout = only(executed, "rollout_started").fields.rollout;
  assert.equal((await query.proposal({ proposal })).proposal.rollout, rollout);
  assert.equal((await query.facts.standings((await query.rollout({ rollout })).rollout.release))?.standing, "allowed");
  await sent(as("hot").settleDeposit({ proposal }));
});

test("the node goes through the rollout to its end", async () => {
  const { release } = (await query.rollout({ rollout })).rollout;
  const node = (await query.nodeOf({ hot_key: everyone.addresses.hot }))?.no as number;
  await until("the draw", () => query.explain({ subject: { rollout } }), ({ waiting_on, now }) =>
    typeof waiting_on !== "object" || !("draw" in waiting_on) || now.height >= waiting_on.draw.from);
  await sent(as("hot").draw({ rollout }));
  only(await sent(as("hot").report({ rollout, report: { ready: { release } } })), "reported");
  const opened = only(await sent(as("member").advance({ rollout })), "wave_opened");
  await until("the wave's height", () => query.explain({ subject: { rollout } }), ({ now }) => now.height >= opened.fields.height);
  const lease = only(await sent(as("hot").lease({ rollout, purpose: "activate" })), "leased");
  assert.equal(await query.down({ group: COMPONENT }), 100);
  const attempt = lease.fields.attempt;
  const { height } = (await query.explain({ subject: { seat: { rollout, node } } })).now;
  await sent(as("hot").report({ rollout, report: { activated: { attempt, height } } }));
  await sent(as("hot").report({ rollout, report: { healthy: { attempt, height, downtime_ms: 12 } } }));
  assert.equal((await query.seat({ rollout, node }))?.s, "healthy");
  await until("the rollout's end", async () => {
    const { waiting_on } = await query.explain({ subject: { rollout } });
    if (waiting_on === "advance") await sent(as("member").advance({ rollout }));
    return (await query.rollout({ rollout })).phase;
  }, (now) => typeof now === "object" && "ended" in now);
  assert.deepEqual((await query.rollout({ rollout })).phase, { ended: "completed" });
  assert.equal((await query.component({ name: COMPONENT })).component.current, release);
});

test("a guardian brakes and releases; a repeat changes nothing", async () => {
  const scope = { component: COMPONENT };
  assert.equal(only(await sent(as("guardian").brake({ scope })), "braked").fields.scope, COMPONENT);
  assert.equal((await query.brake({ scope })).holds, true);
  const again = await sent(as("guardian").brake({ scope }));
  assert.deepEqual([again.done?.changed, again.events.length], [false, 0]);
  only(await sent(as("guardian").release({ scope })), "brake_released");
  assert.equal((await query.brake({ scope })).holds, false);
});

test("the log is one chain of hashes, from the first entry to the head", async () => {
  log.forEach((event, at) => {
    assert.equal(event.seq, at + 1);
    assert.equal(event.prev, at === 0 ? "0".repeat(64) : concord.entryHash(log[at - 1] as concord.CoordinatorEvent), `entry ${event.seq}`);
  });
  const last = log.at(-1) as concord.CoordinatorEvent;
  assert.deepEqual(await query.logHead(), [1, last.seq, concord.entryHash(last), last.height]);
});

const ajv = new Ajv.default({ strict: false, allErrors: true, validateFormats: false });
function fits(file: string, value: unknown) {
  const { $id: _, ...schema } = JSON.parse(readFileSync(join(jsonFolder, file), "utf8"));
  assert.ok(ajv.validate(schema, value), `${file}: ${JSON.stringify(value)}: ${ajv.errorsText()}`);
}

test("every query is answered as its schema says", async () => {
  const node = 1;
  const digest = (await query.rollout({ rollout })).rollout.release;
  const addr = everyone.addresses.member;
  const answers: Record<string, unknown> = {
    config: await query.config(), rules: await query.rules(), guardians: await query.guardians(),
    component: await query.component({ name: COMPONENT }), components: await query.components(),
    release: await query.release({ digest }), proposal: await query.proposal({ proposal }), proposals: await query.proposals(),
    member: await query.member({ addr }), members: await query.members(), ballot: await query.ballot({ proposal, voter: addr }),
    ballots: await query.ballots({ proposal }), my_ballots: await query.myBallots({ voter: addr }),
    attestations: await query.attestations({ proposal }),
    operator: await query.operator({ addr: everyone.addresses.operator, component: COMPONENT }), node: await query.node({ node }),
    node_of: await query.nodeOf({ hot_key: everyone.addresses.hot }), nodes: await query.nodes({}),
    rollout: await query.rollout({ rollout }), seat: await query.seat({ rollout, node }), seats: await query.seats({ rollout }),
    down: await query.down({ group: COMPONENT }), brake: await query.brake({ scope: "all" }), log_head: await query.logHead(),
    explain: await query.explain({ subject: { rollout } }), can_i: await query.canI({ addr, msg: { claim: {} } }),
    claimable: await query.claimable({ addr }), threshold: await query.threshold({ proposal_id: proposal }),
    auditors: await query.auditors(), treasury: await query.treasury(), comments: await query.comments({ proposal }),
    vote: await query.vote({ proposal_id: proposal, voter: addr }), list_votes: await query.listVotes({ proposal_id: proposal }),
  };
  assert.deepEqual(Object.keys(answers).sort(), readdirSync(join(jsonFolder, "answers")).map((file) => file.replace(".json", "")).sort());
  for (const [name, answer] of Object.entries(answers)) fits(`answers/${name}.json`, answer);
});

test("what is stored is read by its raw keys as its schemas say", async () => {
  const { facts } = query;
  const a = everyone.addresses;
  const { release } = (await query.rollout({ rollout })).rollout;
  const stored: Record<string, unknown> = {
    config: await facts.config(), rules_head: await facts.rulesHead(), rules: await facts.rules(1),
    class_rules: await facts.classRules(1, "s"), members: await facts.members(a.member), members_total: await facts.membersTotal(),
    auditors: await facts.auditors(a.ed25519), guardians: await facts.guardians(), brakes: await facts.brakes("*"),
    log_head: await facts.logHead(), proposal_count: await facts.proposalCount(), proposals: await facts.proposals(proposal),
    drafts: await facts.drafts(proposal), tallies: await facts.tallies(proposal), ballots: await facts.ballots(proposal, a.member),
    ballots_of: await facts.ballotsOf(a.member, proposal), attestations: await facts.attestations(proposal, 0, a.wallet),
    approvals: await facts.approvals(proposal), comments: await facts.comments(1, a.ledger), claimable: await facts.claimable(a.member),
    liabilities: await facts.liabilities("ucosm"), components: await facts.components(COMPONENT),
    operators: await facts.operators(a.operator, COMPONENT), down: await facts.down(COMPONENT), releases: await facts.releases(release),
    standings: await facts.standings(release), rollout_count: await facts.rolloutCount(), rollouts: await facts.rollouts(rollout),
    progress: await facts.progress(rollout), seats: await facts.seats(1), node_count: await facts.nodeCount(),
    nodes: await facts.nodes(1), node_names: await facts.nodeNames(a.operator, COMPONENT, "feeder-a"),
    nodes_by_power: await facts.nodesByPower(COMPONENT, 100, 1), hot_keys: await facts.hotKeys(a.hot),
  };
  for (const [name, value] of Object.entries(stored)) {
    assert.notEqual(value, null, name);
    fits(`facts/${name}.json`, value);
  }
  // Nothing is under these in this story: no deposit was forfeited, and a lot is not known beforehand.
  const others = ["treasury", "ready_by_lot"];
  assert.equal(await facts.treasury("ucosm"), null);
  assert.deepEqual([...Object.keys(stored), ...others].sort(), readdirSync(join(jsonFolder, "facts")).map((file) => file.replace(".json", "")).sort());
});
