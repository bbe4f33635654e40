// Written by scripts/generate.mjs from schema/json; not to be changed by hand.

import type {
  AttestationsAnswer,
  AuditorsAnswer,
  Ballot,
  BallotAnswer,
  BallotsAnswer,
  BrakeAnswer,
  CanIAnswer,
  Coin,
  CommentsAnswer,
  ComponentAnswer,
  ComponentsAnswer,
  ConfigAnswer,
  Digest,
  Document,
  Draft,
  ExecuteMsg,
  ExplainAnswer,
  Guardians,
  Head,
  Member,
  MembersAnswer,
  Node,
  NodesAnswer,
  Operator,
  ProposalAnswer,
  ProposalsAnswer,
  Purpose,
  QueryMsg,
  ReleaseAnswer,
  Report,
  RolloutAnswer,
  RulesAnswer,
  Scope,
  Seat,
  SeatsAnswer,
  Signature,
  Statement,
  Subject,
  ThresholdAnswer,
  TreasuryAnswer,
  VoteAnswer,
  VoteListAnswer,
} from "./types.js";

/** Every query, typed. */
export abstract class Queries {
  /** Asks the contract. */
  protected abstract ask<T>(query: QueryMsg): Promise<T>;

  /** Settings, with `short_floors`. Answers `ConfigAnswer`. */
  config(): Promise<ConfigAnswer> {
    return this.ask({ config: {} });
  }

  /** The rules in force, or of a version. Answers `RulesAnswer`. */
  rules(args: {
    /** Which; the newest by default. */
    version?: number | null;
  } = {}): Promise<RulesAnswer> {
    return this.ask({ rules: args });
  }

  /** The guardians. Answers `Guardians`. */
  guardians(): Promise<Guardians> {
    return this.ask({ guardians: {} });
  }

  /** Auditors by account. Answers `AuditorsAnswer`. */
  auditors(args: {
    /** After this account. */
    after?: string | null;
    /** At most so many. */
    limit?: number | null;
  } = {}): Promise<AuditorsAnswer> {
    return this.ask({ auditors: args });
  }

  /** Forfeited deposits by denomination. Answers `TreasuryAnswer`. */
  treasury(args: {
    /** After this denomination. */
    after?: string | null;
    /** At most so many. */
    limit?: number | null;
  } = {}): Promise<TreasuryAnswer> {
    return this.ask({ treasury: args });
  }

  /** How often accounts commented on a proposal, by account. The comments themselves are in the log. Answers `CommentsAnswer`. */
  comments(args: {
    /** After this account. */
    after?: string | null;
    /** At most so many. */
    limit?: number | null;
    /** Which. */
    proposal: number;
  }): Promise<CommentsAnswer> {
    return this.ask({ comments: args });
  }

  /** A component. Answers `ComponentAnswer`. */
  component(args: {
    /** Its name. */
    name: string;
  }): Promise<ComponentAnswer> {
    return this.ask({ component: args });
  }

  /** Components by name. Answers `ComponentsAnswer`. */
  components(args: {
    /** After this name. */
    after?: string | null;
    /** At most so many. */
    limit?: number | null;
  } = {}): Promise<ComponentsAnswer> {
    return this.ask({ components: args });
  }

  /** A release. Answers `ReleaseAnswer`. */
  release(args: {
    /** Its digest. */
    digest: Digest;
  }): Promise<ReleaseAnswer> {
    return this.ask({ release: args });
  }

  /** A proposal with its content, tally and phase. Answers `ProposalAnswer`. */
  proposal(args: {
    /** Which. */
    proposal: number;
  }): Promise<ProposalAnswer> {
    return this.ask({ proposal: args });
  }

  /** Proposals, the newest first. Answers `ProposalsAnswer`. */
  proposals(args: {
    /** Before this number. */
    before?: number | null;
    /** At most so many. */
    limit?: number | null;
  } = {}): Promise<ProposalsAnswer> {
    return this.ask({ proposals: args });
  }

  /** A member's weight now. Answers `Option<Member>`. */
  member(args: {
    /** Who. */
    addr: string;
  }): Promise<Member | null> {
    return this.ask({ member: args });
  }

  /** Members by account. Answers `MembersAnswer`. */
  members(args: {
    /** After this account. */
    after?: string | null;
    /** At most so many. */
    limit?: number | null;
  } = {}): Promise<MembersAnswer> {
    return this.ask({ members: args });
  }

  /** A ballot. Answers `Option<BallotAnswer>`. */
  ballot(args: {
    /** On which proposal. */
    proposal: number;
    /** Whose. */
    voter: string;
  }): Promise<BallotAnswer | null> {
    return this.ask({ ballot: args });
  }

  /** Ballots of a proposal by voter. Answers `BallotsAnswer`. */
  ballots(args: {
    /** After this voter. */
    after?: string | null;
    /** At most so many. */
    limit?: number | null;
    /** Which. */
    proposal: number;
  }): Promise<BallotsAnswer> {
    return this.ask({ ballots: args });
  }

  /** Ballots of a voter by proposal. Answers `BallotsAnswer`. */
  myBallots(args: {
    /** After this proposal. */
    after?: number | null;
    /** At most so many. */
    limit?: number | null;
    /** Whose. */
    voter: string;
  }): Promise<BallotsAnswer> {
    return this.ask({ my_ballots: args });
  }

  /** Attestations of a proposal's current revision. Answers `AttestationsAnswer`. */
  attestations(args: {
    /** After this auditor. */
    after?: string | null;
    /** At most so many. */
    limit?: number | null;
    /** Which. */
    proposal: number;
  }): Promise<AttestationsAnswer> {
    return this.ask({ attestations: args });
  }

  /** An operator for a component. Answers `Option<Operator>`. */
  operator(args: {
    /** Who. */
    addr: string;
    /** For which component. */
    component: string;
  }): Promise<Operator | null> {
    return this.ask({ operator: args });
  }

  /** A node by number. Answers `Node`. */
  node(args: {
    /** Which. */
    node: number;
  }): Promise<Node> {
    return this.ask({ node: args });
  }

  /** A node by its hot key. Answers `Option<Node>`. */
  nodeOf(args: {
    /** The hot key. */
    hot_key: string;
  }): Promise<Node | null> {
    return this.ask({ node_of: args });
  }

  /** Nodes by number. Answers `NodesAnswer`. */
  nodes(args: {
    /** After this number. */
    after?: number | null;
    /** At most so many. */
    limit?: number | null;
  } = {}): Promise<NodesAnswer> {
    return this.ask({ nodes: args });
  }

  /** A rollout with its progress and phase. Answers `RolloutAnswer`. */
  rollout(args: {
    /** Which. */
    rollout: number;
  }): Promise<RolloutAnswer> {
    return this.ask({ rollout: args });
  }

  /** A node in a rollout, until it takes part in a newer one. Answers `Option<Seat>`. */
  seat(args: {
    /** The node. */
    node: number;
    /** The rollout. */
    rollout: number;
  }): Promise<Seat | null> {
    return this.ask({ seat: args });
  }

  /** Nodes in a rollout by number, those that have not gone on to a newer one. A page may hold fewer than it read. Answers `SeatsAnswer`. */
  seats(args: {
    /** After this node. */
    after?: number | null;
    /** At most so many. */
    limit?: number | null;
    /** The rollout. */
    rollout: number;
  }): Promise<SeatsAnswer> {
    return this.ask({ seats: args });
  }

  /** Power that is down by lease in a group. Answers `Power`. */
  down(args: {
    /** The group. */
    group: string;
  }): Promise<number> {
    return this.ask({ down: args });
  }

  /** A brake. Answers `BrakeAnswer`. */
  brake(args: {
    /** Its scope. */
    scope: Scope;
  }): Promise<BrakeAnswer> {
    return this.ask({ brake: args });
  }

  /** The log's head. Answers `Head`. */
  logHead(): Promise<Head> {
    return this.ask({ log_head: {} });
  }

  /** Why something does not move now. Answers `ExplainAnswer`. */
  explain(args: {
    /** What. */
    subject: Subject;
  }): Promise<ExplainAnswer> {
    return this.ask({ explain: args });
  }

  /** Would this message of this account be taken now, and if not, why? Answers `CanIAnswer`. */
  canI(args: {
    /** Who. */
    addr: string;
    /** What. */
    msg: ExecuteMsg;
  }): Promise<CanIAnswer> {
    return this.ask({ can_i: args });
  }

  /** What an account can claim. Answers `Vec<Coin>`. */
  claimable(args: {
    /** Who. */
    addr: string;
  }): Promise<Coin[]> {
    return this.ask({ claimable: args });
  }

  /** cw3's question: the bars of a proposal's vote. Answers `ThresholdAnswer`. */
  threshold(args: {
    /** Which. */
    proposal_id: number;
  }): Promise<ThresholdAnswer> {
    return this.ask({ threshold: args });
  }

  /** cw3's question: a voter's ballot. Answers `VoteAnswer`. */
  vote(args: {
    /** Which. */
    proposal_id: number;
    /** Whose. */
    voter: string;
  }): Promise<VoteAnswer> {
    return this.ask({ vote: args });
  }

  /** cw3's question: all ballots. Answers `VoteListAnswer`. */
  listVotes(args: {
    /** At most so many. */
    limit?: number | null;
    /** Which. */
    proposal_id: number;
    /** After this voter. */
    start_after?: string | null;
  }): Promise<VoteListAnswer> {
    return this.ask({ list_votes: args });
  }
}

/** Every message, typed. */
export abstract class Messages<Options, Executed> {
  /** Sends a message to the contract. */
  protected abstract tell(message: ExecuteMsg, options?: Options): Promise<Executed>;

  /** Proposes; the deposit of the class goes with it. */
  propose(args: {
    /** What and why. */
    draft: Draft;
  }, options?: Options): Promise<Executed> {
    return this.tell({ propose: args }, options);
  }

  /** Replaces the content during deliberation or validation; voids attestations. */
  revise(args: {
    /** What and why. */
    draft: Draft;
    /** Which. */
    proposal: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ revise: args }, options);
  }

  /** Takes a proposal back before its vote. */
  withdraw(args: {
    /** Which. */
    proposal: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ withdraw: args }, options);
  }

  /** Comments, by digest and address. */
  comment(args: {
    /** Where the text is. */
    document: Document;
    /** On which. */
    proposal: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ comment: args }, options);
  }

  /** Attests a release: by an auditor's signature that anyone may carry, or by the auditor's own transaction. */
  attest(args: {
    /** The signature; none for a plain transaction of the auditor. */
    signature?: Signature | null;
    /** The statement. */
    statement: Statement;
  }, options?: Options): Promise<Executed> {
    return this.tell({ attest: args }, options);
  }

  /** Opens the vote of a validated proposal. */
  openVote(args: {
    /** Which. */
    proposal: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ open_vote: args }, options);
  }

  /** Votes. */
  vote(args: {
    /** What. */
    ballot: Ballot;
    /** The content that the voter saw. */
    expect_digest: Digest;
    /** On which. */
    proposal: number;
    /** Why. */
    rationale?: Document | null;
  }, options?: Options): Promise<Executed> {
    return this.tell({ vote: args }, options);
  }

  /** Executes a proposal that is ready. */
  execute(args: {
    /** Which. */
    proposal: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ execute: args }, options);
  }

  /** Makes a proposal's deposit claimable once it has ended, or moves it to the treasury if it was vetoed. */
  settleDeposit(args: {
    /** Which. */
    proposal: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ settle_deposit: args }, options);
  }

  /** Pays out what the sender can claim. */
  claim(options?: Options): Promise<Executed> {
    return this.tell({ claim: {} }, options);
  }

  /** Registers a node of the sender, or changes its power or hot key. */
  register(args: {
    /** What it runs. */
    component: string;
    /** The key that reports for it. */
    hot_key: string;
    /** The sender's name for it. */
    node_id: string;
    /** What it counts for, of the sender's power. */
    power: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ register: args }, options);
  }

  /** Fixes the seed of a rollout. */
  draw(args: {
    /** Which. */
    rollout: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ draw: args }, options);
  }

  /** Reports, by the node's hot key. */
  report(args: {
    /** What. */
    report: Report;
    /** In which rollout. */
    rollout: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ report: args }, options);
  }

  /** Asks to be down, by the node's hot key. */
  lease(args: {
    /** What for. */
    purpose: Purpose;
    /** In which rollout. */
    rollout: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ lease: args }, options);
  }

  /** Gives a lease back, by the node's hot key. */
  returnLease(args: {
    /** The try that it was granted for: a return that arrives late must not end a newer one. */
    attempt: number;
    /** In which rollout. */
    rollout: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ return_lease: args }, options);
  }

  /** Ends a lease that ran out. */
  expireLease(args: {
    /** Whose. */
    node: number;
    /** In which rollout. */
    rollout: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ expire_lease: args }, options);
  }

  /** Does the one thing that is due in a rollout. */
  advance(args: {
    /** Which. */
    rollout: number;
  }, options?: Options): Promise<Executed> {
    return this.tell({ advance: args }, options);
  }

  /** Pulls the brake, or adds a guardian to it. */
  brake(args: {
    /** Where. */
    scope: Scope;
  }, options?: Options): Promise<Executed> {
    return this.tell({ brake: args }, options);
  }

  /** Asks for the brake's release. */
  release(args: {
    /** Where. */
    scope: Scope;
  }, options?: Options): Promise<Executed> {
    return this.tell({ release: args }, options);
  }
}
