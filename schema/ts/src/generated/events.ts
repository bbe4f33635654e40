// Written by scripts/generate.mjs from schema/json; not to be changed by hand.

import type {
  Ballot,
  Claim,
  Class,
  Digest,
  Draft,
  Finding,
  HaltCause,
  InstantiateMsg,
  Outcome,
  Purpose,
} from "./types.js";

/** The fields of every kind of event, read. */
export interface EventFields {
  /** The deployment began. */
  instantiated: {
    /** Digest of the rules. */
    rules: Digest;
    /** Number of components. */
    components: number;
    /** The whole message, as JSON. */
    genesis: InstantiateMsg;
  };
  /** A proposal was made. */
  proposed: {
    /** Its number. */
    proposal: number;
    /** Its class. */
    class: Class;
    /** Digest of its content. */
    digest: Digest;
    /** Digest of its release, or `-`. */
    release: Digest | null;
    /** Its content, as JSON. */
    draft: Draft;
  };
  /** Its content was replaced. */
  revised: {
    /** Its number. */
    proposal: number;
    /** Its revision. */
    revision: number;
    /** Digest of its content. */
    digest: Digest;
    /** Digest of its release, or `-`. */
    release: Digest | null;
    /** Its content, as JSON. */
    draft: Draft;
  };
  /** Its proposer took it back. */
  withdrawn: {
    /** Its number. */
    proposal: number;
  };
  /** Someone commented. */
  commented: {
    /** On which. */
    proposal: number;
    /** Digest of the text. */
    digest: Digest;
    /** Where it is. */
    uri: string;
  };
  /** An auditor attested. */
  attested: {
    /** Which proposal. */
    proposal: number;
    /** Which revision. */
    revision: number;
    /** Who. */
    auditor: string;
    /** What was done. */
    claim: Claim;
    /** How it went. */
    finding: Finding;
    /** The statement's number. */
    nonce: string;
    /** Block time of its end in seconds. */
    expires: number;
    /** By a signature; else by a transaction of the auditor's. */
    signed: boolean;
  };
  /** The vote opened. */
  vote_opened: {
    /** Of which proposal. */
    proposal: number;
    /** Sum of all weights. */
    total: string;
  };
  /** Someone voted. */
  voted: {
    /** On which proposal. */
    proposal: number;
    /** What. */
    ballot: Ballot;
    /** Of what weight. */
    weight: string;
    /** Digest of the rationale, or `-`. */
    rationale: Digest | null;
  };
  /** A proposal was executed. */
  executed: {
    /** Which. */
    proposal: number;
  };
  /** Its execution failed. */
  execution_failed: {
    /** Which. */
    proposal: number;
    /** How often by now. */
    attempts: number;
    /** Which action. */
    action: number;
    /** Where the error comes from. */
    codespace: string;
    /** Its code there. */
    code: number;
  };
  /** A deposit left its proposal. */
  deposit_settled: {
    /** Which proposal. */
    proposal: number;
    /** `refund` or `treasury`. */
    to: string;
    /** How much. */
    amount: string;
  };
  /** Someone was paid. */
  claimed: {
    /** How much. */
    amount: string;
  };
  /** A node was registered or changed. */
  registered: {
    /** Its number. */
    node: number;
    /** What it runs. */
    component: string;
    /** Its name. */
    node_id: string;
    /** What it counts for. */
    power: number;
    /** The key that reports for it. */
    hot_key: string;
  };
  /** A rollout began. */
  rollout_started: {
    /** Its number. */
    rollout: number;
    /** The proposal that decided it. */
    proposal: number;
    /** What is upgraded. */
    component: string;
    /** Digest of the release. */
    release: Digest;
    /** Registered power. */
    registered: number;
  };
  /** The seed was drawn. */
  drawn: {
    /** Of which rollout. */
    rollout: number;
    /** The seed. */
    seed: Digest;
  };
  /** A node reported. */
  reported: {
    /** In which rollout. */
    rollout: number;
    /** Which node. */
    node: number;
    /** What. */
    report: string;
    /** About which try. */
    attempt: number;
    /** The rest of it: a height, a reason, a digest. */
    detail: string;
  };
  /** A node said two different things. */
  equivocated: {
    /** In which rollout. */
    rollout: number;
    /** Which node. */
    node: number;
    /** The kind of report. */
    report: string;
  };
  /** A node may be down. */
  leased: {
    /** In which rollout. */
    rollout: number;
    /** Which node. */
    node: number;
    /** For which try. */
    attempt: number;
    /** What for. */
    purpose: Purpose;
  };
  /** A node waits for a lease. */
  lease_waits: {
    /** In which rollout. */
    rollout: number;
    /** Which node. */
    node: number;
    /** On what. */
    on: string;
  };
  /** A lease was given back. */
  lease_returned: {
    /** In which rollout. */
    rollout: number;
    /** Which node. */
    node: number;
  };
  /** A lease ran out. */
  lease_expired: {
    /** In which rollout. */
    rollout: number;
    /** Which node. */
    node: number;
  };
  /** A wave opened. */
  wave_opened: {
    /** Of which rollout. */
    rollout: number;
    /** Which wave. */
    wave: number;
    /** Its earliest activation height. */
    height: number;
    /** Nodes that moved into it, by commas, or `-`. */
    canaries: number[];
  };
  /** A height that passed under a brake was replaced. */
  height_fixed: {
    /** Of which rollout. */
    rollout: number;
    /** Which wave. */
    wave: number;
    /** The new height. */
    height: number;
  };
  /** Waiting power moved to the next wave. */
  waiters_moved: {
    /** Of which rollout. */
    rollout: number;
    /** From which wave. */
    wave: number;
    /** How much. */
    power: number;
  };
  /** A rollout halted. */
  rollout_halted: {
    /** Which. */
    rollout: number;
    /** Why. */
    cause: HaltCause;
  };
  /** A halted rollout goes on. */
  rollout_resumed: {
    /** Which. */
    rollout: number;
  };
  /** A rollout goes back; its release is denied. */
  rolling_back: {
    /** Which. */
    rollout: number;
    /** Digest of the release. */
    release: Digest;
  };
  /** A rollout goes back after a stall; its release keeps its standing. */
  rolling_back_stalled: {
    /** Which. */
    rollout: number;
  };
  /** A rollout ended. */
  rollout_ended: {
    /** Which. */
    rollout: number;
    /** How. */
    outcome: Outcome;
    /** Power that never reported that it is back. */
    unaccounted: number;
  };
  /** A guardian pulled the brake or added to it. */
  braked: {
    /** Where. */
    scope: string;
    /** `short` or `full`. */
    length: string;
    /** Block time of its end, at the earliest: a brake above it puts it off. */
    until_seconds: number;
    /** Height of its end, likewise. */
    until_height: number;
  };
  /** A guardian asked for release. */
  release_asked: {
    /** Where. */
    scope: string;
    /** How many asked by now. */
    count: number;
  };
  /** The brake was released. */
  brake_released: {
    /** Where. */
    scope: string;
  };
  /** Members changed. */
  members_changed: {
    /** Set, `account=weight`, by commas. */
    set: string[];
    /** Removed, by commas. */
    removed: string[];
    /** Sum of all weights after it. */
    total: string;
  };
}

/** How a field is read from its text. */
export type Read = "number" | "text" | "truth" | "digest" | "digest_or_none" | "texts" | "numbers" | "json" | "word";

/** Names and reading of the fields of every kind, in their order. */
export const FIELD_READS: { readonly [kind in keyof EventFields]: readonly (readonly [string, Read])[] } = {
  instantiated: [["rules", "digest"], ["components", "number"], ["genesis", "json"]],
  proposed: [["proposal", "number"], ["class", "word"], ["digest", "digest"], ["release", "digest_or_none"], ["draft", "json"]],
  revised: [["proposal", "number"], ["revision", "number"], ["digest", "digest"], ["release", "digest_or_none"], ["draft", "json"]],
  withdrawn: [["proposal", "number"]],
  commented: [["proposal", "number"], ["digest", "digest"], ["uri", "text"]],
  attested: [["proposal", "number"], ["revision", "number"], ["auditor", "text"], ["claim", "word"], ["finding", "word"], ["nonce", "text"], ["expires", "number"], ["signed", "truth"]],
  vote_opened: [["proposal", "number"], ["total", "text"]],
  voted: [["proposal", "number"], ["ballot", "word"], ["weight", "text"], ["rationale", "digest_or_none"]],
  executed: [["proposal", "number"]],
  execution_failed: [["proposal", "number"], ["attempts", "number"], ["action", "number"], ["codespace", "text"], ["code", "number"]],
  deposit_settled: [["proposal", "number"], ["to", "text"], ["amount", "text"]],
  claimed: [["amount", "text"]],
  registered: [["node", "number"], ["component", "text"], ["node_id", "text"], ["power", "number"], ["hot_key", "text"]],
  rollout_started: [["rollout", "number"], ["proposal", "number"], ["component", "text"], ["release", "digest"], ["registered", "number"]],
  drawn: [["rollout", "number"], ["seed", "digest"]],
  reported: [["rollout", "number"], ["node", "number"], ["report", "text"], ["attempt", "number"], ["detail", "text"]],
  equivocated: [["rollout", "number"], ["node", "number"], ["report", "text"]],
  leased: [["rollout", "number"], ["node", "number"], ["attempt", "number"], ["purpose", "word"]],
  lease_waits: [["rollout", "number"], ["node", "number"], ["on", "text"]],
  lease_returned: [["rollout", "number"], ["node", "number"]],
  lease_expired: [["rollout", "number"], ["node", "number"]],
  wave_opened: [["rollout", "number"], ["wave", "number"], ["height", "number"], ["canaries", "numbers"]],
  height_fixed: [["rollout", "number"], ["wave", "number"], ["height", "number"]],
  waiters_moved: [["rollout", "number"], ["wave", "number"], ["power", "number"]],
  rollout_halted: [["rollout", "number"], ["cause", "word"]],
  rollout_resumed: [["rollout", "number"]],
  rolling_back: [["rollout", "number"], ["release", "digest"]],
  rolling_back_stalled: [["rollout", "number"]],
  rollout_ended: [["rollout", "number"], ["outcome", "word"], ["unaccounted", "number"]],
  braked: [["scope", "text"], ["length", "text"], ["until_seconds", "number"], ["until_height", "number"]],
  release_asked: [["scope", "text"], ["count", "number"]],
  brake_released: [["scope", "text"]],
  members_changed: [["set", "texts"], ["removed", "texts"], ["total", "text"]],
};
