// Written by scripts/generate.mjs from schema/json; not to be changed by hand.

import { rawKey, text, u32, u64, u8 } from "../bytes.js";
import type {
  Approvals,
  Attestation,
  Auditor,
  Ballot,
  Brake,
  ClassRules,
  Coin,
  Component,
  Config,
  Content,
  Empty,
  Guardians,
  Head,
  Node,
  Operator,
  Progress,
  Proposal,
  Release,
  ReleaseFacts,
  Rollout,
  Rules,
  RulesHead,
  Seat,
  Tally,
  Uint128,
  Uint256,
} from "./types.js";

/** The raw key of everything that is stored and is an interface. */
export const keys = {
  /** Settings, fixed at instantiation. */
  config: (): Uint8Array => rawKey("config"),
  /** The rules in force, in short. */
  rulesHead: (): Uint8Array => rawKey("rules_head"),
  /** Rules of a version, whole. */
  rules: (version: number): Uint8Array => rawKey("rules", u32(version), text("a")),
  /** Rules of a version for one class: r, s, c or k for routine, standard, critical, constitutional. */
  classRules: (version: number, classLetter: string): Uint8Array => rawKey("rules", u32(version), text(classLetter)),
  /** A member's weight. */
  members: (addr: string): Uint8Array => rawKey("members", text(addr)),
  /** Sum of all weights. */
  membersTotal: (): Uint8Array => rawKey("members_total"),
  /** An auditor. */
  auditors: (addr: string): Uint8Array => rawKey("auditors", text(addr)),
  /** The guardians. */
  guardians: (): Uint8Array => rawKey("guardians"),
  /** A brake, always there, off or on. Scope: `*` for everything, else a component's name. */
  brakes: (scope: string): Uint8Array => rawKey("brakes", text(scope)),
  /** The log's newest entry. */
  logHead: (): Uint8Array => rawKey("log"),
  /** Number of the newest proposal. */
  proposalCount: (): Uint8Array => rawKey("proposal_count"),
  /** Facts of a proposal. */
  proposals: (proposal: number | bigint): Uint8Array => rawKey("proposals", u64(proposal)),
  /** Content of a proposal. */
  drafts: (proposal: number | bigint): Uint8Array => rawKey("drafts", u64(proposal)),
  /** Tally of a proposal. */
  tallies: (proposal: number | bigint): Uint8Array => rawKey("tallies", u64(proposal)),
  /** A ballot and its weight. */
  ballots: (proposal: number | bigint, voter: string): Uint8Array => rawKey("ballots", u64(proposal), text(voter)),
  /** That a voter cast a ballot. */
  ballotsOf: (voter: string, proposal: number | bigint): Uint8Array => rawKey("ballots_of", text(voter), u64(proposal)),
  /** An auditor's attestation of a revision. */
  attestations: (proposal: number | bigint, revision: number, auditor: string): Uint8Array => rawKey("attestations", u64(proposal), u8(revision), text(auditor)),
  /** Approvals of the current revision. */
  approvals: (proposal: number | bigint): Uint8Array => rawKey("approvals", u64(proposal)),
  /** Number of an account's comments. */
  comments: (proposal: number | bigint, addr: string): Uint8Array => rawKey("comments", u64(proposal), text(addr)),
  /** What an account can claim. */
  claimable: (addr: string): Uint8Array => rawKey("claimable", text(addr)),
  /** What the contract owes. */
  liabilities: (denom: string): Uint8Array => rawKey("liabilities", text(denom)),
  /** Forfeited deposits. */
  treasury: (denom: string): Uint8Array => rawKey("treasury", text(denom)),
  /** A component. */
  components: (component: string): Uint8Array => rawKey("components", text(component)),
  /** An operator for a component. */
  operators: (operator: string, component: string): Uint8Array => rawKey("operators", text(operator), text(component)),
  /** Power that is down by lease, always there. */
  down: (group: string): Uint8Array => rawKey("down", text(group)),
  /** Metadata of a release. */
  releases: (digest: string): Uint8Array => rawKey("releases", text(digest)),
  /** What a release may do. */
  standings: (digest: string): Uint8Array => rawKey("standings", text(digest)),
  /** Number of the newest rollout. */
  rolloutCount: (): Uint8Array => rawKey("rollout_count"),
  /** Fixed facts of a rollout. */
  rollouts: (rollout: number | bigint): Uint8Array => rawKey("rollouts", u64(rollout)),
  /** Moving facts of a rollout. */
  progress: (rollout: number | bigint): Uint8Array => rawKey("pr", u64(rollout)),
  /** Power, wave and organisation of a ready node, in the order of lots. */
  readyByLot: (rollout: number | bigint, lot: number | bigint, node: number | bigint): Uint8Array => rawKey("lots", u64(rollout), u64(lot), u64(node)),
  /** A node in its newest rollout. */
  seats: (node: number | bigint): Uint8Array => rawKey("seat", u64(node)),
  /** Number of the newest node. */
  nodeCount: (): Uint8Array => rawKey("node_count"),
  /** Facts of a node. */
  nodes: (node: number | bigint): Uint8Array => rawKey("nodes", u64(node)),
  /** A node's number by its name. */
  nodeNames: (operator: string, component: string, nodeId: string): Uint8Array => rawKey("node_names", text(operator), text(component), text(nodeId)),
  /** That a node has a power. */
  nodesByPower: (component: string, power: number | bigint, node: number | bigint): Uint8Array => rawKey("nodes_by_power", text(component), u64(power), u64(node)),
  /** Facts of a node by a hot key, also one that it used before. */
  hotKeys: (hotKey: string): Uint8Array => rawKey("hot_keys", text(hotKey)),
} as const;

/** Everything that is stored and is an interface, by its raw key; null where nothing is. */
export abstract class Facts {
  /** Reads the value under a raw key. */
  protected abstract read<T>(key: Uint8Array): Promise<T | null>;

  /** Settings, fixed at instantiation. */
  config(): Promise<Config | null> {
    return this.read(keys.config());
  }

  /** The rules in force, in short. */
  rulesHead(): Promise<RulesHead | null> {
    return this.read(keys.rulesHead());
  }

  /** Rules of a version, whole. */
  rules(version: number): Promise<Rules | null> {
    return this.read(keys.rules(version));
  }

  /** Rules of a version for one class: r, s, c or k for routine, standard, critical, constitutional. */
  classRules(version: number, classLetter: string): Promise<ClassRules | null> {
    return this.read(keys.classRules(version, classLetter));
  }

  /** A member's weight. */
  members(addr: string): Promise<Uint128 | null> {
    return this.read(keys.members(addr));
  }

  /** Sum of all weights. */
  membersTotal(): Promise<Uint128 | null> {
    return this.read(keys.membersTotal());
  }

  /** An auditor. */
  auditors(addr: string): Promise<Auditor | null> {
    return this.read(keys.auditors(addr));
  }

  /** The guardians. */
  guardians(): Promise<Guardians | null> {
    return this.read(keys.guardians());
  }

  /** A brake, always there, off or on. Scope: `*` for everything, else a component's name. */
  brakes(scope: string): Promise<Brake | null> {
    return this.read(keys.brakes(scope));
  }

  /** The log's newest entry. */
  logHead(): Promise<Head | null> {
    return this.read(keys.logHead());
  }

  /** Number of the newest proposal. */
  proposalCount(): Promise<number | null> {
    return this.read(keys.proposalCount());
  }

  /** Facts of a proposal. */
  proposals(proposal: number | bigint): Promise<Proposal | null> {
    return this.read(keys.proposals(proposal));
  }

  /** Content of a proposal. */
  drafts(proposal: number | bigint): Promise<Content | null> {
    return this.read(keys.drafts(proposal));
  }

  /** Tally of a proposal. */
  tallies(proposal: number | bigint): Promise<Tally | null> {
    return this.read(keys.tallies(proposal));
  }

  /** A ballot and its weight. */
  ballots(proposal: number | bigint, voter: string): Promise<[Ballot, Uint128] | null> {
    return this.read(keys.ballots(proposal, voter));
  }

  /** That a voter cast a ballot. */
  ballotsOf(voter: string, proposal: number | bigint): Promise<Empty | null> {
    return this.read(keys.ballotsOf(voter, proposal));
  }

  /** An auditor's attestation of a revision. */
  attestations(proposal: number | bigint, revision: number, auditor: string): Promise<Attestation | null> {
    return this.read(keys.attestations(proposal, revision, auditor));
  }

  /** Approvals of the current revision. */
  approvals(proposal: number | bigint): Promise<Approvals | null> {
    return this.read(keys.approvals(proposal));
  }

  /** Number of an account's comments. */
  comments(proposal: number | bigint, addr: string): Promise<number | null> {
    return this.read(keys.comments(proposal, addr));
  }

  /** What an account can claim. */
  claimable(addr: string): Promise<Coin[] | null> {
    return this.read(keys.claimable(addr));
  }

  /** What the contract owes. */
  liabilities(denom: string): Promise<Uint256 | null> {
    return this.read(keys.liabilities(denom));
  }

  /** Forfeited deposits. */
  treasury(denom: string): Promise<Uint256 | null> {
    return this.read(keys.treasury(denom));
  }

  /** A component. */
  components(component: string): Promise<Component | null> {
    return this.read(keys.components(component));
  }

  /** An operator for a component. */
  operators(operator: string, component: string): Promise<Operator | null> {
    return this.read(keys.operators(operator, component));
  }

  /** Power that is down by lease, always there. */
  down(group: string): Promise<number | null> {
    return this.read(keys.down(group));
  }

  /** Metadata of a release. */
  releases(digest: string): Promise<Release | null> {
    return this.read(keys.releases(digest));
  }

  /** What a release may do. */
  standings(digest: string): Promise<ReleaseFacts | null> {
    return this.read(keys.standings(digest));
  }

  /** Number of the newest rollout. */
  rolloutCount(): Promise<number | null> {
    return this.read(keys.rolloutCount());
  }

  /** Fixed facts of a rollout. */
  rollouts(rollout: number | bigint): Promise<Rollout | null> {
    return this.read(keys.rollouts(rollout));
  }

  /** Moving facts of a rollout. */
  progress(rollout: number | bigint): Promise<Progress | null> {
    return this.read(keys.progress(rollout));
  }

  /** Power, wave and organisation of a ready node, in the order of lots. */
  readyByLot(rollout: number | bigint, lot: number | bigint, node: number | bigint): Promise<[number, number, string] | null> {
    return this.read(keys.readyByLot(rollout, lot, node));
  }

  /** A node in its newest rollout. */
  seats(node: number | bigint): Promise<Seat | null> {
    return this.read(keys.seats(node));
  }

  /** Number of the newest node. */
  nodeCount(): Promise<number | null> {
    return this.read(keys.nodeCount());
  }

  /** Facts of a node. */
  nodes(node: number | bigint): Promise<Node | null> {
    return this.read(keys.nodes(node));
  }

  /** A node's number by its name. */
  nodeNames(operator: string, component: string, nodeId: string): Promise<number | null> {
    return this.read(keys.nodeNames(operator, component, nodeId));
  }

  /** That a node has a power. */
  nodesByPower(component: string, power: number | bigint, node: number | bigint): Promise<Empty | null> {
    return this.read(keys.nodesByPower(component, power, node));
  }

  /** Facts of a node by a hot key, also one that it used before. */
  hotKeys(hotKey: string): Promise<Node | null> {
    return this.read(keys.hotKeys(hotKey));
  }
}
