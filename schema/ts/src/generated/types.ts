// Written by scripts/generate.mjs from schema/json; not to be changed by hand.

/** Version of the interface that these types describe. */
export const VERSION = "0.1.0";
/** Version of the stored facts that these types describe: their `v`. */
export const FACTS_VERSION = 1;

/** What a proposal does when it is executed. A closed set: [`Action::class`] is the one table of what each needs. */
export type Action = 
  /** Starts a rollout of a release to its component's fleet. */
  | {
    start_rollout: {
      /** How. */
      plan: Plan;
      /** The release, whole. */
      release: Release;
    };
  }
  /** Ends a rollout before any node activated; after that, halts it. */
  | {
    cancel_rollout: {
      /** Which. */
      rollout: number;
    };
  }
  /** Lets a halted rollout go on with the wave that it halted in. */
  | {
    resume_rollout: {
      /** Which. */
      rollout: number;
    };
  }
  /** Takes a rollout back and denies its release. */
  | {
    roll_back_rollout: {
      /** Which. */
      rollout: number;
    };
  }
  /** Lifts the brake. */
  | {
    lift_brake: {
      /** Where. */
      scope: Scope;
    };
  }
  /** Sets and removes voting members. */
  | {
    change_members: {
      /** Accounts that leave. */
      remove: string[];
      /** New weights. */
      set: Member[];
    };
  };

/** Stored counts of one revision's approvals. */
export interface Approvals {
  /** Distinct auditors. */
  auditors: number;
  /** Their distinct organisations. */
  organisations: string[];
  /** The revision that they are for. */
  revision: number;
  /** Version of these facts. */
  v: number;
}

/** The bytes of a release for one platform. */
export interface Artifact {
  /** SHA-256 of the bytes. */
  digest: Digest;
  /** Rust's words for a platform: `x86_64-linux`. */
  platform: string;
  /** Exact length: fetching stops there. */
  size_bytes: number;
  /** Where to fetch it, tried in order: `https`, `http` or `file`. */
  uris: string[];
}

/** Why the last attempt of an execution failed. */
export interface Attempt {
  /** Which action. */
  action: number;
  /** When, on the raw clock. */
  at: Moment;
  /** Its code there. */
  code: number;
  /** Where the error comes from. */
  codespace: string;
}

/** Stored facts of one auditor's attestation of one revision. */
export interface Attestation {
  /** The auditor's organisation at that time. */
  organisation: string;
  /** Verified by signature in the contract, or sent by the auditor's own transaction. */
  signed: boolean;
  /** What it states. */
  statement: Statement;
  /** Version of these facts. */
  v: number;
}

/** An attestation. */
export interface AttestationAnswer {
  /** Its facts. */
  attestation: Attestation;
  /** Whose. */
  auditor: string;
}

/** Attestations. */
export interface AttestationsAnswer {
  /** The page. */
  attestations: AttestationAnswer[];
  /** Go on after this one. */
  scanned_to?: string | null;
}

/** An auditor, as stored. */
export interface Auditor {
  /** The key of its signed statements. */
  key?: SigningKey | null;
  /** Who controls it. */
  organisation: string;
  /** Version of these facts. */
  v: number;
}

/** An auditor. */
export interface AuditorAnswer {
  /** Account. */
  addr: string;
  /** Its facts. */
  auditor: Auditor;
}

/** Auditors. */
export interface AuditorsAnswer {
  /** The page. */
  auditors: AuditorAnswer[];
  /** Go on after this one. */
  scanned_to?: string | null;
}

/** What a ballot says. */
export type Ballot = 
  /** For it. */
  | "yes"
  /** Against it. */
  | "no"
  /** Present, of no opinion: counts for quorum only. */
  | "abstain"
  /** Against it, and it must not come back like this. */
  | "veto";

/** A ballot. */
export interface BallotAnswer {
  /** What. */
  ballot: Ballot;
  /** On which proposal. */
  proposal: number;
  /** Whose. */
  voter: string;
  /** Its weight. */
  weight: Uint128;
}

/** Ballots. */
export interface BallotsAnswer {
  /** The page. */
  ballots: BallotAnswer[];
  /** Go on after this key. */
  scanned_to?: string | null;
}

/** The bars of a vote, in basis points. */
export interface Bars {
  /** Cast weight of the total. */
  quorum_bps: number;
  /** Yes of the opinions (yes, no, veto). */
  threshold_bps: number;
  /** Veto of the cast weight, exceeded; `None`: ballots of veto only count as no. */
  veto_bps?: number | null;
  /** Veto of the total, reached: below it a veto line is not crossed. */
  veto_floor_bps: number;
  /** Yes of the total. */
  yes_min_bps: number;
}

/** Binary is a wrapper around Vec<u8> to add base64 de/serialization with serde. It also adds some helper methods to help encode inline. This is only needed as serde-json-{core,wasm} has a horrible encoding for Vec<u8>. See also <https://github.com/CosmWasm/cosmwasm/blob/main/docs/MESSAGE_TYPES.md>. */
export type Binary = string;

/** Stored facts of one scope; always present, off or on, so that an agent proves presence. Invariant BRAKE-1: a pull debits at most the full span once per rollout and scope, so braked time is bounded. */
export interface Brake {
  /** Braked time of all earlier pulls. */
  closed: Span;
  /** When the last pull began, on the clock that the outer scope leaves. */
  from?: Moment | null;
  /** What a clock ran between its first end and the pull's lengthening: it was not braked then. */
  gap?: Span;
  /** Who pulled this time (positions in the guardian list), first one first. */
  pulled_by: number[];
  /** Who asked for release this time. */
  released_by: number[];
  /** The rollout that the last pull was for, 0 for none: one pull per rollout and scope. */
  spent_on: number;
  /** When it ends or ended, on the same clock. */
  until?: Moment | null;
  /** Version of these facts. */
  v: number;
}

/** A brake. */
export interface BrakeAnswer {
  /** Its facts. */
  brake: Brake;
  /** While it holds: when it ends, in block time and height, at the earliest. */
  ends?: Moment | null;
  /** It holds now. */
  holds: boolean;
}

/** Would a message be taken? */
export interface CanIAnswer {
  /** Yes or no. */
  allowed: boolean;
  /** Why not. */
  why?: string | null;
}

/** What an auditor says that it did. */
export type Claim = 
  /** Built it and found the same bytes. */
  | "built_reproducibly"
  /** Ran it on a testnet. */
  | "passed_on_testnet"
  /** Read the change. */
  | "reviewed";

/** What a proposal touches decides its class; it is computed, never chosen. */
export type Class = 
  /** Stops or undoes something. */
  | "routine"
  /** A software upgrade that can be undone. */
  | "standard"
  /** An upgrade that breaks state or cannot be undone. */
  | "critical"
  /** Who decides. */
  | "constitutional";

/** The rules of one governance class. */
export interface ClassRules {
  /** Auditors that must attest a release. */
  auditors_min: number;
  /** The bars of the vote. */
  bars: Bars;
  /** Time to talk; a revision starts it again. */
  deliberation: Span;
  /** What a proposer deposits. */
  deposit?: Coin | null;
  /** true: ballots are final and early pass and early reject apply. false: ballots may change and neither does. */
  early_finish: boolean;
  /** In which it may be executed. */
  grace: Span;
  /** Organisations that they must come from. */
  organisations_min: number;
  /** Weight that a proposer must have. */
  proposer_weight_min: Uint128;
  /** Between pass and execution. */
  timelock: Span;
  /** Time for attestations after it. */
  validation: Span;
  /** Time for ballots. */
  voting: Span;
  /** Before this nothing passes early. */
  voting_min: Span;
}

export interface Coin {
  amount: Uint256;
  denom: string;
}

/** How often an account commented. */
export interface CommentAnswer {
  /** Account. */
  addr: string;
  /** Comments. */
  count: number;
}

/** Comments on a proposal. */
export interface CommentsAnswer {
  /** The page. */
  comments: CommentAnswer[];
  /** Go on after this one. */
  scanned_to?: string | null;
}

/** Versions of another component that this release works with. */
export interface Compatibility {
  /** The other component. */
  component: string;
  /** Its versions. */
  versions: string[];
}

/** Stored facts of a component. */
export interface Component {
  /** The release that the fleet runs. */
  current: Digest;
  /** One more with each rollout: registrations of a later epoch do not count in it. */
  epoch: number;
  /** Components of one group share the bound on what is down. */
  group: string;
  /** The largest power of any node, with changes that count from the next epoch. */
  largest: number;
  /** The newest rollout, live or not. */
  last?: number | null;
  /** The rollout in motion: at most one. */
  live?: number | null;
  /** Registered power, with changes that count from the next epoch. */
  registered: number;
  /** Version of these facts. */
  v: number;
  /** Its version. */
  version: string;
}

/** A component. */
export interface ComponentAnswer {
  /** Its facts. */
  component: Component;
  /** Its name. */
  name: string;
}

/** Components. */
export interface ComponentsAnswer {
  /** The page. */
  components: ComponentAnswer[];
  /** Go on after this one. */
  scanned_to?: string | null;
}

/** A deployment's settings, as stored. */
export interface Config {
  /** Shortest spans. */
  floors: Floors;
  /** The block of the instantiation. */
  since_height: number;
  /** Version of these facts. */
  v: number;
}

/** Settings. */
export interface ConfigAnswer {
  /** The chain's id. */
  chain_id: string;
  /** This contract's address. */
  contract: string;
  /** Shortest spans. */
  floors: Floors;
  /** They are below the production floors: for development or a demo. Every client shows it. */
  short_floors: boolean;
  /** The block of the instantiation, where the log begins. */
  since_height: number;
  /** Version of the contract. */
  version: string;
}

/** Stored content of a proposal: its draft, with the release by digest. */
export interface Content {
  /** All actions but the start of a rollout, in order. */
  actions: Action[];
  /** As [`Draft::rationale`]. */
  rationale: Document;
  /** The start of a rollout; a draft holds at most one ([`Draft::check`]). */
  start?: Start | null;
  /** As [`Draft::title`]. */
  title: string;
  /** Version of these facts. */
  v: number;
}

export type Digest = string;

/** A document that lives elsewhere: its digest and where to find it. */
export interface Document {
  /** SHA-256 of the document. */
  digest: Digest;
  /** Where to read it. */
  uri: string;
}

/** Answer of a message that may have nothing to do, in the transaction's data. */
export interface Done {
  /** It changed the facts. */
  changed: boolean;
  /** What it did, or what it waits on, in words. */
  what: string;
}

/** What a proposer sends. */
export interface Draft {
  /** What, in order. */
  actions: Action[];
  /** Why, in full, elsewhere. */
  rationale: Document;
  /** One line. */
  title: string;
}

/** The seed, once drawn. */
export interface Drawn {
  /** When preparation began, on the braked clock. */
  f: Moment;
  /** Places every node in a wave. Base64 in JSON. */
  s: string;
}

/** An empty struct that serves as a placeholder in different places, such as contracts that don't set a custom message. It is designed to be expressible in correct JSON and JSON Schema but contains no meaningful data. Previously we used enums without cases, but those cannot be represented as valid JSON Schema (https://github.com/CosmWasm/cosmwasm/issues/451) */
export type Empty = Record<string, never>;

/** What can be asked of the contract. Who may is one table: the contract's `auth.rs`. */
export type ExecuteMsg = 
  /** Proposes; the deposit of the class goes with it. */
  | {
    propose: {
      /** What and why. */
      draft: Draft;
    };
  }
  /** Replaces the content during deliberation or validation; voids attestations. */
  | {
    revise: {
      /** What and why. */
      draft: Draft;
      /** Which. */
      proposal: number;
    };
  }
  /** Takes a proposal back before its vote. */
  | {
    withdraw: {
      /** Which. */
      proposal: number;
    };
  }
  /** Comments, by digest and address. */
  | {
    comment: {
      /** Where the text is. */
      document: Document;
      /** On which. */
      proposal: number;
    };
  }
  /** Attests a release: by an auditor's signature that anyone may carry, or by the auditor's own transaction. */
  | {
    attest: {
      /** The signature; none for a plain transaction of the auditor. */
      signature?: Signature | null;
      /** The statement. */
      statement: Statement;
    };
  }
  /** Opens the vote of a validated proposal. */
  | {
    open_vote: {
      /** Which. */
      proposal: number;
    };
  }
  /** Votes. */
  | {
    vote: {
      /** What. */
      ballot: Ballot;
      /** The content that the voter saw. */
      expect_digest: Digest;
      /** On which. */
      proposal: number;
      /** Why. */
      rationale?: Document | null;
    };
  }
  /** Executes a proposal that is ready. */
  | {
    execute: {
      /** Which. */
      proposal: number;
    };
  }
  /** Makes a proposal's deposit claimable once it has ended, or moves it to the treasury if it was vetoed. */
  | {
    settle_deposit: {
      /** Which. */
      proposal: number;
    };
  }
  /** Pays out what the sender can claim. */
  | {
    claim: Record<string, never>;
  }
  /** Registers a node of the sender, or changes its power or hot key. */
  | {
    register: {
      /** What it runs. */
      component: string;
      /** The key that reports for it. */
      hot_key: string;
      /** The sender's name for it. */
      node_id: string;
      /** What it counts for, of the sender's power. */
      power: number;
    };
  }
  /** Fixes the seed of a rollout. */
  | {
    draw: {
      /** Which. */
      rollout: number;
    };
  }
  /** Reports, by the node's hot key. */
  | {
    report: {
      /** What. */
      report: Report;
      /** In which rollout. */
      rollout: number;
    };
  }
  /** Asks to be down, by the node's hot key. */
  | {
    lease: {
      /** What for. */
      purpose: Purpose;
      /** In which rollout. */
      rollout: number;
    };
  }
  /** Gives a lease back, by the node's hot key. */
  | {
    return_lease: {
      /** The try that it was granted for: a return that arrives late must not end a newer one. */
      attempt: number;
      /** In which rollout. */
      rollout: number;
    };
  }
  /** Ends a lease that ran out. */
  | {
    expire_lease: {
      /** Whose. */
      node: number;
      /** In which rollout. */
      rollout: number;
    };
  }
  /** Does the one thing that is due in a rollout. */
  | {
    advance: {
      /** Which. */
      rollout: number;
    };
  }
  /** Pulls the brake, or adds a guardian to it. */
  | {
    brake: {
      /** Where. */
      scope: Scope;
    };
  }
  /** Asks for the brake's release. */
  | {
    release: {
      /** Where. */
      scope: Scope;
    };
  };

/** Why something does not move. */
export interface ExplainAnswer {
  /** The block that answers. */
  now: Now;
  /** Where it is, in a word. */
  phase: string;
  /** The same in a sentence. */
  sentence: string;
  /** Why it does not move. */
  waiting_on: WaitingOn;
}

/** When a rollout has failed, and what then. */
export interface Failure {
  /** How long a halted rollout waits for a vote. */
  halted: Span;
  /** The policy. */
  on_crossed: OnFailure;
  /** How long going back may take before the rest is recorded as unaccounted. */
  rolling_back: Span;
  /** Failed power of the registered power over the whole rollout: crossed when exceeded. */
  rollout_bps: number;
  /** Failed power of a wave's assigned power: crossed when exceeded. */
  wave_bps: number;
}

/** How it went. */
export type Finding = 
  /** Counts towards closing the validation. */
  | "approves"
  /** Is recorded and does not count. */
  | "objects";

/** Shortest spans of a deployment, fixed at instantiation; no proposal can lower them. */
export interface Floors {
  /** Of deliberation. */
  deliberation: Span;
  /** Of the soak between waves. */
  soak: Span;
  /** Of the timelock. */
  timelock: Span;
  /** Of voting. */
  voting_min: Span;
}

/** An auditor at instantiation. */
export interface GenesisAuditor {
  /** Account. */
  addr: string;
  /** The key of its signed statements; without one it attests by transaction only. */
  key?: SigningKey | null;
  /** Who controls it. */
  organisation: string;
}

/** A component at instantiation. */
export interface GenesisComponent {
  /** What its fleet runs today. Its standing is allowed. */
  baseline: Release;
  /** Components of one group share the bound on what is down; its own name by default. */
  group?: string | null;
  /** Its name. */
  name: string;
}

/** The guardians at instantiation. */
export interface GenesisGuardians {
  /** Accounts. */
  addrs: string[];
  /** How many lengthen the brake, and how many release it. */
  threshold: number;
}

/** An operator's power for one component at instantiation. */
export interface GenesisOperator {
  /** Account: the owner key. */
  addr: string;
  /** For which component. */
  component: string;
  /** Who controls it. */
  organisation: string;
  /** Power to split over its nodes. */
  power: number;
}

/** The brake's lengths and the guardians, as answered and stored. */
export interface Guardians {
  /** Accounts. */
  addrs: string[];
  /** How many lengthen the brake, and how many release it. */
  threshold: number;
  /** Version of these facts. */
  v: number;
}

/** A halt. */
export interface Halt {
  /** Why. */
  c: HaltCause;
  /** Since when, on the raw clock: the brake never holds up a way back. */
  s: Moment;
}

/** Why a rollout halted. */
export type HaltCause = 
  /** A failure bar was crossed. */
  | "failures"
  /** The wave's gate was not reached by its deadline; what was silent counts as failed. */
  | "stalled"
  /** A vote cancelled it after a node had activated. */
  | "cancelled";

/** The newest entry's place and hash: version of these facts, number (0 for an empty log), hash, height. */
export type Head = [number, number, Digest, number];

/** This is a wrapper around Vec<u8> to add hex de/serialization with serde. It also adds some helper methods to help encode inline. This is similar to `cosmwasm_std::Binary` but uses hex. See also <https://github.com/CosmWasm/cosmwasm/blob/main/docs/MESSAGE_TYPES.md>. */
export type HexBinary = string;

/** Which scope holds. */
export type Hold = 
  /** The brake on everything. */
  | "all"
  /** The component's own brake. */
  | "component";

/** Sets up a deployment. */
export interface InstantiateMsg {
  /** Who attests. */
  auditors: GenesisAuditor[];
  /** What is upgraded. */
  components: GenesisComponent[];
  /** Shortest spans, for ever. */
  floors: Floors;
  /** Who brakes. */
  guardians: GenesisGuardians;
  /** Who votes. */
  members: Member[];
  /** Who runs nodes. */
  operators: GenesisOperator[];
  /** Every governance number. */
  rules: Rules;
}

/** A member and its weight. */
export interface Member {
  /** Account. */
  addr: string;
  /** Weight, above zero. */
  weight: Uint128;
}

/** Members. */
export interface MembersAnswer {
  /** The page. */
  members: Member[];
  /** Go on after this one. */
  scanned_to?: string | null;
}

/** How the fleet switches. */
export type Method = 
  /** Node by node under leases, while the rest serves. */
  | "rolling";

/** A stored point on both clocks, `[seconds, height]` in JSON. On the braked clock (see [`crate::brake`]) both parts stand still while the brake holds. */
export type Moment = [number, number];

/** A power that counts from a later epoch on. */
export interface NextPower {
  /** From which epoch. */
  epoch: number;
  /** How much. */
  power: number;
}

/** Stored facts of a node. */
export interface Node {
  /** What it runs. */
  component: string;
  /** The key that reports, leases and cranks, and nothing else. */
  hot_key: string;
  /** What it will count for. */
  next?: NextPower | null;
  /** Its number. */
  no: number;
  /** Its name, the operator's choice. */
  node_id: string;
  /** Whose it is; its owner key. */
  operator: string;
  /** Who controls the operator. */
  organisation: string;
  /** What it counts for. */
  power: number;
  /** Counts from this epoch on. */
  since: number;
  /** Version of these facts. */
  v: number;
}

/** Nodes. */
export interface NodesAnswer {
  /** The page. */
  nodes: Node[];
  /** Go on after this one. */
  scanned_to?: number | null;
}

/** The block that asks: what every rule takes as its time. */
export interface Now {
  /** Height of the block. */
  height: number;
  /** Its time, in whole seconds since the Unix epoch. */
  time: number;
}

/** What happens when a failure bar is crossed by two organisations. */
export type OnFailure = 
  /** Stop and wait for a vote. */
  | "halt"
  /** Go back by itself. */
  | "roll_back";

/** The open wave. */
export interface Open {
  /** Since when the gate has been reached, on the braked clock; void if it drops. */
  g?: Moment | null;
  /** Its earliest activation height, on the raw clock. */
  h: number;
  /** Power under a lease, not yet activated. */
  l?: number;
  /** What waited past the deadline counts in the next wave, and gets its leases there. */
  mv?: boolean;
  /** Organisations of healthy nodes, two at most; kept where the gate wants two. */
  of?: string[];
  /** Power that waits for a lease. */
  q?: number;
  /** Since when, on the braked clock. */
  s: Moment;
  /** Power on trial. */
  t?: number;
  /** Its gate wants healthy reports of two organisations. */
  two?: boolean;
  /** Which. */
  w: number;
  /** Healthy power. */
  y?: number;
}

/** An operator's standing for one component. */
export interface Operator {
  /** Registered nodes. */
  nodes: number;
  /** Who controls it. */
  organisation: string;
  /** Power that it may split over its nodes. */
  power: number;
  /** What it has split so far. */
  split: number;
  /** Version of these facts. */
  v: number;
}

/** How a rollout ended. */
export type Outcome = 
  /** Every wave passed; the release is the component's current one. */
  | "completed"
  /** Everything that ran it went back, or was given up at the deadline. */
  | "rolled_back"
  /** It stays as it is; people decide. */
  | "contained"
  /** Too few got ready in time. */
  | "expired"
  /** A vote ended it before any node activated. */
  | "cancelled";

/** Where a proposal is. Terminal phases absorb (PHASE-1). */
export type Phase = 
  /** People talk. */
  | "deliberation"
  /** Auditors attest. */
  | "validation"
  /** Waits for `open_vote`. */
  | "validated"
  /** Members vote. */
  | "voting"
  /** Passed; the timelock runs. */
  | "timelocked"
  /** May be executed. */
  | "ready"
  /** Was executed. */
  | "executed"
  /** Its proposer took it back. */
  | "withdrawn"
  /** Too few attestations, or the threshold was missed. */
  | "rejected"
  /** Too few took part. */
  | "quorum_failed"
  /** The veto line was crossed. */
  | "vetoed"
  /** Cancelled after it passed. */
  | "cancelled"
  /** Not executed in time. */
  | "expired"
  /** Its execution failed three times. */
  | "failed";

/** The immutable "how" of an upgrade. */
export interface Plan {
  /** Failure bars and policy. */
  failure: Failure;
  /** How long a lease is good for. */
  lease: Span;
  /** The most power that is down by lease, as a share of the registered power. */
  lease_bps: number;
  /** How the fleet switches. */
  method: Method;
  /** Blocks between the opening of a wave and its earliest activation height. */
  notice_blocks: number;
  /** One node at a time, whatever its power. */
  one_at_a_time: boolean;
  /** The one extension of that window. */
  postponement: Span;
  /** The window in which the fleet gets ready. */
  preparation: Span;
  /** Ready power of the registered power that starts the rollout. */
  ready_bps: number;
  /** The trial of each node. */
  trial: Trial;
  /** The waves, first one first. */
  waves: Wave[];
}

/** Stored facts of a rollout that reports and cranks move. */
export interface Progress {
  /** It goes back since then, on the raw clock. */
  b?: Moment | null;
  /** Nodes moved into the first wave, so that there is always a canary. */
  c?: number[];
  /** The seed, once drawn. */
  d?: Drawn | null;
  /** It has ended. */
  end?: Outcome | null;
  /** Organisations whose nodes failed, two at most, until it goes back. */
  fo?: string[];
  /** Power under a lease to activate, in any wave. */
  l?: number;
  /** Power that refused. */
  n?: number;
  /** The open wave. */
  o?: Open | null;
  /** Organisations assigned to the first wave, two at most, until it opens. */
  of?: string[];
  /** Power that reported ready. */
  r: number;
  /** A node may have run the release though no sum says so: its lease ran out, or it counts for nothing. */
  t?: boolean;
  /** The first wave held two organisations once: its gate goes on wanting two, whoever of them leaves; until it opens. */
  two?: boolean;
  /** Power that runs the release: activated, and not yet back. */
  u?: number;
  /** Version of these facts. */
  v: number;
  /** One a wave. */
  w: WaveSum[];
  /** It stands still until a vote or its deadline. */
  x?: Halt | null;
}

/** Stored facts of a proposal; its content, tally and ballots are keys of their own, so a vote costs the same whatever the text. What is not there yet is not written. */
export interface Proposal {
  /** Failed attempts. */
  attempts: number;
  /** It was cancelled after it passed. */
  cancelled?: boolean;
  /** Computed class. */
  class: Class;
  /** The component that it concerns. */
  component?: string | null;
  /** What is deposited, until it is refunded or forfeited. */
  deposit?: Coin | null;
  /** Digest of the content. */
  digest: Digest;
  /** It was executed. */
  executed?: boolean;
  /** Every action only stops or undoes: its clocks run and it executes while braked. */
  exempt?: boolean;
  /** Begin of the deliberation, on the raw clock. */
  from: Moment;
  /** The last failed attempt. */
  last_attempt?: Attempt | null;
  /** Who proposed it. */
  proposer: string;
  /** The release that it proposes. */
  release?: Digest | null;
  /** 0, and one more a revision. */
  revision: number;
  /** The rollout that it started. */
  rollout?: number | null;
  /** Digest of the pinned rules. */
  rules: Digest;
  /** Version of the pinned rules. */
  rules_version: number;
  /** Version of these facts. */
  v: number;
  /** Enough attestations stand for this revision. */
  validated?: boolean;
  /** Opening facts of the vote. */
  vote?: Vote | null;
  /** Its proposer took it back. */
  withdrawn?: boolean;
}

/** A proposal. */
export interface ProposalAnswer {
  /** Approvals of its revision. */
  approvals: Approvals;
  /** Its content. */
  draft: Draft;
  /** Its number. */
  id: number;
  /** Where it is. */
  phase: Phase;
  /** Its facts. */
  proposal: Proposal;
  /** Its tally. */
  tally: Tally;
  /** Why it does not move. */
  waiting_on: WaitingOn;
}

/** A line of a list of proposals. */
export interface ProposalLine {
  /** Its number. */
  id: number;
  /** Where it is. */
  phase: Phase;
  /** Its facts. */
  proposal: Proposal;
}

/** Proposals. */
export interface ProposalsAnswer {
  /** The page. */
  proposals: ProposalLine[];
  /** Go on before this one. */
  scanned_to?: number | null;
}

/** The protocol versions that a release speaks, both ends included. */
export interface ProtocolRange {
  /** The newest. */
  max: number;
  /** The oldest. */
  min: number;
}

/** What a lease is for. */
export type Purpose = 
  /** To switch to the release. */
  | "activate"
  /** To take a healthy node back. */
  | "roll_back";

/** What can be asked. */
export type QueryMsg = 
  /** Settings, with `short_floors`. Answers `ConfigAnswer`. */
  | {
    config: Record<string, never>;
  }
  /** The rules in force, or of a version. Answers `RulesAnswer`. */
  | {
    rules: {
      /** Which; the newest by default. */
      version?: number | null;
    };
  }
  /** The guardians. Answers `Guardians`. */
  | {
    guardians: Record<string, never>;
  }
  /** Auditors by account. Answers `AuditorsAnswer`. */
  | {
    auditors: {
      /** After this account. */
      after?: string | null;
      /** At most so many. */
      limit?: number | null;
    };
  }
  /** Forfeited deposits by denomination. Answers `TreasuryAnswer`. */
  | {
    treasury: {
      /** After this denomination. */
      after?: string | null;
      /** At most so many. */
      limit?: number | null;
    };
  }
  /** How often accounts commented on a proposal, by account. The comments themselves are in the log. Answers `CommentsAnswer`. */
  | {
    comments: {
      /** After this account. */
      after?: string | null;
      /** At most so many. */
      limit?: number | null;
      /** Which. */
      proposal: number;
    };
  }
  /** A component. Answers `ComponentAnswer`. */
  | {
    component: {
      /** Its name. */
      name: string;
    };
  }
  /** Components by name. Answers `ComponentsAnswer`. */
  | {
    components: {
      /** After this name. */
      after?: string | null;
      /** At most so many. */
      limit?: number | null;
    };
  }
  /** A release. Answers `ReleaseAnswer`. */
  | {
    release: {
      /** Its digest. */
      digest: Digest;
    };
  }
  /** A proposal with its content, tally and phase. Answers `ProposalAnswer`. */
  | {
    proposal: {
      /** Which. */
      proposal: number;
    };
  }
  /** Proposals, the newest first. Answers `ProposalsAnswer`. */
  | {
    proposals: {
      /** Before this number. */
      before?: number | null;
      /** At most so many. */
      limit?: number | null;
    };
  }
  /** A member's weight now. Answers `Option<Member>`. */
  | {
    member: {
      /** Who. */
      addr: string;
    };
  }
  /** Members by account. Answers `MembersAnswer`. */
  | {
    members: {
      /** After this account. */
      after?: string | null;
      /** At most so many. */
      limit?: number | null;
    };
  }
  /** A ballot. Answers `Option<BallotAnswer>`. */
  | {
    ballot: {
      /** On which proposal. */
      proposal: number;
      /** Whose. */
      voter: string;
    };
  }
  /** Ballots of a proposal by voter. Answers `BallotsAnswer`. */
  | {
    ballots: {
      /** After this voter. */
      after?: string | null;
      /** At most so many. */
      limit?: number | null;
      /** Which. */
      proposal: number;
    };
  }
  /** Ballots of a voter by proposal. Answers `BallotsAnswer`. */
  | {
    my_ballots: {
      /** After this proposal. */
      after?: number | null;
      /** At most so many. */
      limit?: number | null;
      /** Whose. */
      voter: string;
    };
  }
  /** Attestations of a proposal's current revision. Answers `AttestationsAnswer`. */
  | {
    attestations: {
      /** After this auditor. */
      after?: string | null;
      /** At most so many. */
      limit?: number | null;
      /** Which. */
      proposal: number;
    };
  }
  /** An operator for a component. Answers `Option<Operator>`. */
  | {
    operator: {
      /** Who. */
      addr: string;
      /** For which component. */
      component: string;
    };
  }
  /** A node by number. Answers `Node`. */
  | {
    node: {
      /** Which. */
      node: number;
    };
  }
  /** A node by its hot key. Answers `Option<Node>`. */
  | {
    node_of: {
      /** The hot key. */
      hot_key: string;
    };
  }
  /** Nodes by number. Answers `NodesAnswer`. */
  | {
    nodes: {
      /** After this number. */
      after?: number | null;
      /** At most so many. */
      limit?: number | null;
    };
  }
  /** A rollout with its progress and phase. Answers `RolloutAnswer`. */
  | {
    rollout: {
      /** Which. */
      rollout: number;
    };
  }
  /** A node in a rollout, until it takes part in a newer one. Answers `Option<Seat>`. */
  | {
    seat: {
      /** The node. */
      node: number;
      /** The rollout. */
      rollout: number;
    };
  }
  /** Nodes in a rollout by number, those that have not gone on to a newer one. A page may hold fewer than it read. Answers `SeatsAnswer`. */
  | {
    seats: {
      /** After this node. */
      after?: number | null;
      /** At most so many. */
      limit?: number | null;
      /** The rollout. */
      rollout: number;
    };
  }
  /** Power that is down by lease in a group. Answers `Power`. */
  | {
    down: {
      /** The group. */
      group: string;
    };
  }
  /** A brake. Answers `BrakeAnswer`. */
  | {
    brake: {
      /** Its scope. */
      scope: Scope;
    };
  }
  /** The log's head. Answers `Head`. */
  | {
    log_head: Record<string, never>;
  }
  /** Why something does not move now. Answers `ExplainAnswer`. */
  | {
    explain: {
      /** What. */
      subject: Subject;
    };
  }
  /** Would this message of this account be taken now, and if not, why? Answers `CanIAnswer`. */
  | {
    can_i: {
      /** Who. */
      addr: string;
      /** What. */
      msg: ExecuteMsg;
    };
  }
  /** What an account can claim. Answers `Vec<Coin>`. */
  | {
    claimable: {
      /** Who. */
      addr: string;
    };
  }
  /** cw3's question: the bars of a proposal's vote. Answers `ThresholdAnswer`. */
  | {
    threshold: {
      /** Which. */
      proposal_id: number;
    };
  }
  /** cw3's question: a voter's ballot. Answers `VoteAnswer`. */
  | {
    vote: {
      /** Which. */
      proposal_id: number;
      /** Whose. */
      voter: string;
    };
  }
  /** cw3's question: all ballots. Answers `VoteListAnswer`. */
  | {
    list_votes: {
      /** At most so many. */
      limit?: number | null;
      /** Which. */
      proposal_id: number;
      /** After this voter. */
      start_after?: string | null;
    };
  };

/** A release's full metadata. */
export interface Release {
  /** One a platform. */
  artifacts: Artifact[];
  /** What it works with. */
  compatibility: Compatibility[];
  /** The component that it is a version of. */
  component: string;
  /** Feature flags that it brings. */
  flags: string[];
  /** What it speaks. */
  protocol: ProtocolRange;
  /** How it can be undone. */
  reversibility: Reversibility;
  /** The written rollback procedure. */
  rollback_procedure?: Document | null;
  /** Versions that it can replace; empty only for a baseline. */
  upgrades_from: string[];
  /** Semantic version. */
  version: string;
}

/** A release. */
export interface ReleaseAnswer {
  /** Its metadata. */
  release: Release;
  /** What it may do. */
  standing: Standing;
}

/** Stored facts of a release, by its digest: presence that agents prove. Its metadata is a key of its own. */
export interface ReleaseFacts {
  /** The rollout that was taken back with it, the newest one; kept when a vote allows it again. */
  by?: number | null;
  /** What it may do now. */
  standing: Standing;
  /** Version of these facts. */
  v: number;
}

/** What a node says. Repeats of the same statement change nothing; another payload under the same key is an equivocation, and the first stands. */
export type Report = 
  /** The release is verified and staged. */
  | {
    ready: {
      /** Digest of the release. */
      release: Digest;
    };
  }
  /** It will not take part. */
  | {
    refused: {
      /** Why. */
      reason: string;
    };
  }
  /** Ready, but not before a time; counts as ready until its wave's deadline. */
  | {
    deferred: {
      /** Block time. */
      until: number;
    };
  }
  /** The new release was started. */
  | {
    activated: {
      /** Which try. */
      attempt: number;
      /** Height of the verified state on which it left Armed. */
      height: number;
    };
  }
  /** The trial passed, and the node committed. */
  | {
    healthy: {
      /** Which try. */
      attempt: number;
      /** How long it did not serve, in milliseconds. */
      downtime_ms: number;
      /** Height of the tip then. */
      height: number;
    };
  }
  /** The release failed here. */
  | {
    failed: {
      /** Which try. */
      attempt: number;
      /** Why. */
      reason: string;
    };
  }
  /** Back on the release of before. */
  | {
    rolled_back: {
      /** Which try. */
      attempt: number;
      /** Digest of the release that runs now. */
      release: Digest;
    };
  }
  /** It needs its operator. */
  | {
    contained: {
      /** Which try. */
      attempt: number;
      /** Why. */
      reason: string;
    };
  };

/** How an upgrade to a release can be undone. */
export type Reversibility = 
  /** The old binary runs on the new one's data. */
  | "binary_only"
  /** Going back needs the data of before. */
  | "needs_state_restore"
  /** There is no way back: only containment. */
  | "forward_only";

/** Stored facts of a rollout that reports never change. */
export interface Rollout {
  /** What is upgraded. */
  component: string;
  /** The first block whose time may be the seed. */
  draw_from: number;
  /** The snapshot: nodes count as of this epoch. */
  epoch: number;
  /** Its group, for the bound on what is down. */
  group: string;
  /** How. */
  plan: Plan;
  /** The release of before: where rolling back leads. */
  previous: Digest;
  /** Its version. */
  previous_version: string;
  /** The proposal that decided it. */
  proposal: number;
  /** The snapshot's sum. */
  registered: number;
  /** The release that it brings. */
  release: Digest;
  /** How the upgrade can be undone. */
  reversibility: Reversibility;
  /** Version of these facts. */
  v: number;
  /** Its version. */
  version: string;
}

/** A rollout. */
export interface RolloutAnswer {
  /** Its number. */
  id: number;
  /** Where it is. */
  phase: RolloutPhase;
  /** Its moving facts. */
  progress: Progress;
  /** Its fixed facts. */
  rollout: Rollout;
  /** Why it does not move. */
  waiting_on: WaitingOn;
}

/** Where a rollout is. Computed, never stored; terminal phases absorb (PHASE-1). */
export type RolloutPhase = 
  /** Waits for the block that fixes the seed. */
  | "drawing"
  /** Nodes get ready. */
  | "preparing"
  /** The one extension of it. */
  | "postponed"
  /** This wave is open. */
  | {
    wave: number;
  }
  /** Stands still until a vote or its deadline. */
  | "halted"
  /** Goes back. */
  | "rolling_back"
  /** Ended. */
  | {
    ended: Outcome;
  };

/** All rules. A proposal pins the whole set by version and hash (RULES-1). */
export interface Rules {
  /** The brake that k guardians pull, from its beginning. */
  brake_full: Span;
  /** The brake that the first guardian pulls. */
  brake_short: Span;
  /** Row of [`Class::Constitutional`]. */
  constitutional: ClassRules;
  /** Row of [`Class::Critical`]. */
  critical: ClassRules;
  /** Between two attempts of an execution. */
  retry: Span;
  /** Row of [`Class::Routine`]. */
  routine: ClassRules;
  /** Row of [`Class::Standard`]. */
  standard: ClassRules;
}

/** Rules. */
export interface RulesAnswer {
  /** Their digest. */
  digest: Digest;
  /** All numbers. */
  rules: Rules;
  /** Their version. */
  version: number;
}

/** Stored facts of the rules in force: what most messages need of them, without a look at all. */
export interface RulesHead {
  /** As [`Rules::brake_full`]. */
  brake_full: Span;
  /** As [`Rules::brake_short`]. */
  brake_short: Span;
  /** Digest of the whole set. */
  digest: Digest;
  /** Version of these facts. */
  v: number;
  /** Their number. */
  version: number;
}

/** What a brake stops. */
export type Scope = 
  /** Everything. */
  | "all"
  /** One component, by name. */
  | {
    component: string;
  };

/** Stored facts of one node in the newest rollout that it takes part in. A node has one seat, which it takes along, so that it never counts twice in what is down; what it did in earlier rollouts is in the log. */
export interface Seat {
  /** Number of its newest try, from 1; 0 before the first lease. */
  a?: number;
  /** Its lease is for going back. */
  b?: boolean;
  /** It counts in what is down. */
  d?: boolean;
  /** It said two different things at once. */
  eq?: boolean;
  /** When its lease was granted, on the raw clock. */
  l?: Moment | null;
  /** The wave that it moved to, where it waited for its lease past a deadline. */
  m?: number | null;
  /** The rollout. */
  o: number;
  /** What it counts for. */
  p: number;
  /** What it said in this try. */
  r?: string[];
  /** Where it is. */
  s: SeatState;
  /** It said that it is ready from this block time on, and has not said `ready` since. */
  t?: number | null;
  /** It runs the release. */
  u?: boolean;
  /** Version of these facts. */
  v: number;
  /** The wave of its lot; `None` for one that got ready after the last wave opened, outside of the gates. */
  w?: number | null;
}

/** A node in a rollout. */
export interface SeatAnswer {
  /** Which node. */
  node: number;
  /** Its facts. */
  seat: Seat;
}

/** Where a node is in a rollout, as the chain knows it. */
export type SeatState = 
  /** Ready, in its wave. */
  | "assigned"
  /** Will not take part; its owner may change its mind until the waves open. */
  | "refused"
  /** Asked for a lease and did not get it yet. */
  | "waiting"
  /** May be down now. */
  | "leased"
  /** Its lease ended without a word; it stays in what is down. */
  | "lost"
  /** Runs the release on trial. */
  | "trial"
  /** Committed. */
  | "healthy"
  /** Failed; still on the release or going back. */
  | "failed"
  /** Back on the release of before. */
  | "rolled_back"
  /** Needs its operator. */
  | "contained";

/** Nodes in a rollout. */
export interface SeatsAnswer {
  /** Go on after this one. */
  scanned_to?: number | null;
  /** The page. */
  seats: SeatAnswer[];
}

/** A signature by an auditor's registered key, sent by anyone. */
export interface Signature {
  /** The auditor's account. */
  auditor: string;
  /** 64 bytes. */
  signature: Binary;
  /** The account's secp256k1 key, 33 bytes compressed, where a wallet signed [`Statement::wallet_text`] by ADR-36; none where the registered key signed [`Statement::sign_bytes`]. */
  wallet_key?: HexBinary | null;
}

/** A key that signs statements. */
export type SigningKey = 
  /** Signs the bytes themselves; 32 bytes. */
  | {
    ed25519: HexBinary;
  }
  /** Signs the SHA-256 of the bytes; 33 bytes, compressed. */
  | {
    secp256k1: HexBinary;
  };

/** A length on both clocks. */
export interface Span {
  /** Number of blocks. */
  blocks: number;
  /** Seconds of block time. */
  seconds: number;
}

/** What a release may do. */
export type Standing = 
  /** Written at propose; no node may run it. */
  | "proposed"
  /** A vote, or the instantiation, allowed it. */
  | "allowed"
  /** It failed on two organisations' nodes, or a vote took it back: denied until a vote (NODE-5). */
  | "rolled_back";

/** The start of a rollout, with its release by digest. */
export interface Start {
  /** Its place among the actions. */
  place: number;
  /** How. */
  plan: Plan;
  /** The release. */
  release: Digest;
}

/** What an auditor states. */
export interface Statement {
  /** What was done. */
  claim: Claim;
  /** Good before this block time. */
  expires: number;
  /** How it went. */
  finding: Finding;
  /** Chosen by the auditor; keeps two statements apart. */
  nonce: number;
  /** Digest over all platforms' digests ([`crate::release::Release::platforms_digest`]). */
  platforms: Digest;
  /** The proposal. */
  proposal: number;
  /** Digest of the release. */
  release: Digest;
  /** Its revision. */
  revision: number;
}

/** What can be asked about. */
export type Subject = 
  /** A proposal. */
  | {
    proposal: number;
  }
  /** A rollout. */
  | {
    rollout: number;
  }
  /** A node in a rollout. */
  | {
    seat: {
      /** The node. */
      node: number;
      /** The rollout. */
      rollout: number;
    };
  };

/** Sums of the ballots, and since when they decide. All that a ballot changes is this one key. Invariant TALLY-1: they sum to at most the snapshot total. Invariant TALLY-2: no yes, no pass. */
export interface Tally {
  /** Weight abstaining. */
  abstain: Uint128;
  /** When no ballot to come could change the verdict any more, where the class finishes early. */
  decided?: Moment | null;
  /** Weight against. */
  no: Uint128;
  /** Weight of vetoes. */
  veto: Uint128;
  /** Weight for. */
  yes: Uint128;
}

/** cw3's shape of a threshold with quorum. */
export type ThresholdAnswer = 
  /** Shares of all and of the opinions. */
  | {
    threshold_quorum: {
      /** Cast of all, as a decimal fraction. */
      quorum: string;
      /** Yes of the opinions, as a decimal fraction. */
      threshold: string;
      /** All weight. */
      total_weight: Uint128;
    };
  };

/** Forfeited deposits. */
export interface TreasuryAnswer {
  /** The page. */
  coins: Coin[];
  /** Go on after this one. */
  scanned_to?: string | null;
}

/** How long a node tries a release before it commits. Operators may only lengthen it. */
export interface Trial {
  /** Time between two probes in milliseconds. */
  probe_interval_ms: number;
  /** Length on both clocks. */
  span: Span;
}

/** A thin wrapper around u128 that is using strings for JSON encoding/decoding, such that the full u128 range can be used for clients that convert JSON numbers to floats, like JavaScript and jq. # Examples Use `from` to create instances of this and `u128` to get the value out: ``` # use cosmwasm_std::Uint128; let a = Uint128::from(123u128); assert_eq!(a.u128(), 123); let b = Uint128::from(42u64); assert_eq!(b.u128(), 42); let c = Uint128::from(70u32); assert_eq!(c.u128(), 70); ``` */
export type Uint128 = string;

/** An implementation of u256 that is using strings for JSON encoding/decoding, such that the full u256 range can be used for clients that convert JSON numbers to floats, like JavaScript and jq. # Examples Use `new` to create instances out of u128, `from` for other primitive uint types or `from_be_bytes` to provide big endian bytes: ``` # use cosmwasm_std::Uint256; let a = Uint256::new(258u128); let b = Uint256::from(258u16); let c = Uint256::from_be_bytes([ 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 0u8, 1u8, 2u8, ]); assert_eq!(a, b); assert_eq!(a, c); ``` */
export type Uint256 = string;

/** The opening facts of a vote. */
export interface Vote {
  /** Braked time before it opened. */
  braked: Span;
  /** When it opened, on the raw clock: voting never stops. */
  from: Moment;
  /** Weights are those at the end of the block before this height. */
  snapshot_height: number;
  /** Their sum. */
  total: Uint128;
}

/** cw3's shape of an answer. */
export interface VoteAnswer {
  /** The ballot, if there is one. */
  vote?: VoteInfo | null;
}

/** cw3's shape of a ballot. */
export interface VoteInfo {
  /** Which. */
  proposal_id: number;
  /** What. */
  vote: Ballot;
  /** Whose. */
  voter: string;
  /** Its weight. */
  weight: Uint128;
}

/** cw3's shape of a list. */
export interface VoteListAnswer {
  /** The page. */
  votes: VoteInfo[];
}

/** What a proposal, rollout, wave or lease waits on. */
export type WaitingOn = 
  /** Both clocks of the deliberation. */
  | {
    deliberation: {
      /** Still to run. */
      left: Span;
    };
  }
  /** Auditors' attestations. */
  | {
    attestations: {
      /** Standing approvals. */
      auditors: number;
      /** Needed. */
      auditors_min: number;
      /** Until the validation ends. */
      left: Span;
      /** Organisations that they come from. */
      organisations: number;
      /** Needed. */
      organisations_min: number;
    };
  }
  /** Anyone's `open_vote`. */
  | "open_vote"
  /** Ballots, and both clocks of the vote. */
  | {
    voting: {
      /** Still to run. */
      left: Span;
    };
  }
  /** Both clocks of the timelock. */
  | {
    timelock: {
      /** Still to run. */
      left: Span;
    };
  }
  /** Anyone's `execute`. */
  | {
    execute: {
      /** Until it expires. */
      left: Span;
    };
  }
  /** The span between two attempts. */
  | {
    retry: {
      /** Still to run. */
      left: Span;
    };
  }
  /** The component's rollout in motion. */
  | {
    live_rollout: {
      /** Which. */
      rollout: number;
    };
  }
  /** A current release of the component that the proposed one can replace. */
  | {
    version: {
      /** What is current. */
      current: string;
    };
  }
  /** A change of what refuses an action. It is no attempt. */
  | {
    action: {
      /** Its place in the proposal. */
      action: number;
      /** What refuses it. */
      why: string;
    };
  }
  /** The brake. */
  | {
    brake: {
      /** Which scope holds. */
      scope: Hold;
    };
  }
  /** The block that fixes the seed. */
  | {
    draw: {
      /** The first that may. */
      from: number;
    };
  }
  /** Nodes' `ready`. */
  | {
    readiness: {
      /** The bar. */
      bar_bps: number;
      /** Ready power. */
      ready: number;
      /** Of all. */
      registered: number;
    };
  }
  /** An earlier wave. */
  | {
    wave: {
      /** The open one. */
      open: number;
      /** The node's. */
      wave: number;
    };
  }
  /** The wave's activation height. */
  | {
    activation_height: {
      /** Which. */
      height: number;
    };
  }
  /** `advance` to fix a new height, since the old one passed under a brake. */
  | "new_height"
  /** The time that the node named. */
  | {
    deferred: {
      /** Block time. */
      until: number;
    };
  }
  /** Room below the lease bound. */
  | {
    power: {
      /** What the node would add. */
      asked: number;
      /** The bound. */
      bound_bps: number;
      /** Down by lease. */
      down: number;
    };
  }
  /** Healthy reports of the wave. */
  | {
    gate: {
      /** Assigned power. */
      assigned: number;
      /** Healthy power. */
      healthy: number;
      /** Until it counts as stalled. */
      left: Span;
      /** The wave. */
      wave: number;
    };
  }
  /** The soak of a wave that is healthy. */
  | {
    soak: {
      /** Still to run. */
      left: Span;
      /** The wave. */
      wave: number;
    };
  }
  /** `advance`, which is due. */
  | "advance"
  /** A vote to resume or roll back a halted rollout. */
  | {
    halt_vote: {
      /** Why it halted. */
      cause: HaltCause;
      /** Until it is decided without one. */
      left: Span;
    };
  }
  /** Nodes on their way back. */
  | {
    going_back: {
      /** Until the rest is unaccounted. */
      left: Span;
      /** Their power. */
      power: number;
    };
  }
  /** The end of the waves, for a node that got ready late. */
  | "completion"
  /** The node: it may act, or must report. */
  | "node"
  /** A lease's holder: its report, its return, or the lease's end. */
  | {
    holder: {
      /** Until the lease may be expired. */
      left: Span;
    };
  }
  /** Nothing: it has ended. */
  | "nothing";

/** One step of a rollout. */
export interface Wave {
  /** From opening until the wave counts as stalled. */
  deadline: Span;
  /** Healthy power of the wave's assigned power that opens the gate. */
  healthy_bps: number;
  /** Nodes whose lot lies below this share of all lots (cumulative) belong to this wave or an earlier one. */
  lot_bps: number;
  /** The most power in this wave, as a share of the registered power. The last wave has no cap. */
  power_max_bps?: number | null;
  /** How long the gate must stay open before the next wave. */
  soak: Span;
}

/** What a wave holds: assigned power, and of it what failed. `[assigned, failed]` in JSON. */
export type WaveSum = [number, number];
