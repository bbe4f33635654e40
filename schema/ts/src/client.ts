// The clients: queries and raw facts need an address of an RPC, messages a wallet's signer too.
import {
  CosmWasmClient,
  type MsgExecuteContractEncodeObject,
  SigningCosmWasmClient,
  type SigningCosmWasmClientOptions,
} from "@cosmjs/cosmwasm";
import type { OfflineSigner } from "@cosmjs/proto-signing";
import { fromUtf8, toUtf8 } from "@cosmjs/encoding";
import { type Coin as StargateCoin, type DeliverTxResponse, GasPrice, type StdFee } from "@cosmjs/stargate";
import { connectComet } from "@cosmjs/tendermint-rpc";
import { MsgExecuteContractResponse } from "cosmjs-types/cosmwasm/wasm/v1/tx";
import { readEvents, type CoordinatorEvent } from "./events.js";
import { Messages, Queries } from "./generated/clients.js";
import { Facts, keys } from "./generated/keys.js";
import { FACTS_VERSION, type Done, type ExecuteMsg, type Head, type QueryMsg } from "./generated/types.js";

/** Facts that a newer contract stored in another way. */
export class FactsVersionError extends Error {
  override readonly name = "FactsVersionError";

  constructor(found: unknown) {
    super(`the facts are of version ${String(found)}, this package knows ${FACTS_VERSION}; take a newer package`);
  }
}

/** A message that the chain took into a block and refused. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";

  constructor(
    /** The transaction. */
    readonly transactionHash: string,
    /** Where the code comes from. */
    readonly code: number,
    /** What the contract said. */
    readonly log: string,
  ) {
    super(`transaction ${transactionHash} was refused (code ${code}): ${log}`);
  }
}

/** What is stored, read by raw keys, without the contract's queries. An RPC answers: for a proof ask it yourself. */
export class CoordinatorFacts extends Facts {
  constructor(
    private readonly client: CosmWasmClient,
    private readonly contract: string,
  ) {
    super();
  }

  /** The bytes of a proposal's content: `contentDigest` of them is what a ballot names. */
  async draftBytes(proposal: number): Promise<Uint8Array | null> {
    return this.client.queryContractRaw(this.contract, keys.drafts(proposal));
  }

  /** The log's newest entry. */
  override async logHead(): Promise<Head | null> {
    const head = await super.logHead();
    // A list has no names: its version is its first item.
    if (head !== null && head[0] !== FACTS_VERSION) throw new FactsVersionError(head[0]);
    return head;
  }

  protected async read<T>(key: Uint8Array): Promise<T | null> {
    const bytes = await this.client.queryContractRaw(this.contract, key);
    if (bytes === null || bytes.length === 0) return null;
    const value: unknown = JSON.parse(fromUtf8(bytes));
    const version = typeof value === "object" && value !== null && "v" in value ? value.v : FACTS_VERSION;
    if (version !== FACTS_VERSION) throw new FactsVersionError(version);
    return value as T;
  }
}

/** Every query, typed; and `facts`, what is stored. */
export class CoordinatorQueryClient extends Queries {
  /** What is stored, by raw keys. */
  readonly facts: CoordinatorFacts;

  constructor(
    /** The client of the chain. */
    readonly client: CosmWasmClient,
    /** The coordinator's address. */
    readonly contract: string,
  ) {
    super();
    this.facts = new CoordinatorFacts(client, contract);
  }

  /** Connects to a CometBFT RPC. */
  static async connect(rpc: string, contract: string): Promise<CoordinatorQueryClient> {
    return new CoordinatorQueryClient(await CosmWasmClient.connect(rpc), contract);
  }

  /** The entries that a transaction wrote to the log. */
  async eventsOf(transactionHash: string): Promise<CoordinatorEvent[]> {
    const found = await this.client.getTx(transactionHash);
    if (found === null) throw new Error(`there is no transaction ${transactionHash}`);
    return readEvents(found.events, this.contract);
  }

  protected async ask<T>(query: QueryMsg): Promise<T> {
    return (await this.client.queryContractSmart(this.contract, query)) as T;
  }
}

/** How one message is sent. */
export interface SendOptions {
  /** Coins that go with it: a proposal's deposit. */
  readonly funds?: readonly StargateCoin[];
  /** The transaction's memo. */
  readonly memo?: string;
  /** The fee; by default the gas is estimated. */
  readonly fee?: StdFee | "auto" | number;
}

/** What became of a message. */
export interface Executed {
  readonly transactionHash: string;
  readonly height: number;
  readonly gasUsed: bigint;
  /** What the contract answered, where the chain hands it on. */
  readonly done: Done | null;
  /** The entries that it wrote to the log; none when there was nothing to do. */
  readonly events: readonly CoordinatorEvent[];
}

/** How a signing client connects. */
export interface ConnectOptions extends Omit<SigningCosmWasmClientOptions, "gasPrice"> {
  /** As `0.025ucosm`. */
  readonly gasPrice: string;
}

/** Every message, typed, from one account; `query` asks. */
export class CoordinatorClient extends Messages<SendOptions, Executed> {
  /** Every query. */
  readonly query: CoordinatorQueryClient;

  constructor(
    /** The client of the chain. */
    readonly client: SigningCosmWasmClient,
    /** Who signs. */
    readonly sender: string,
    /** The coordinator's address. */
    readonly contract: string,
  ) {
    super();
    this.query = new CoordinatorQueryClient(client, contract);
  }

  /** Connects to a CometBFT RPC with a wallet's signer, and its first account or the one named. */
  static async connect(
    rpc: string,
    contract: string,
    signer: OfflineSigner,
    options: ConnectOptions & { readonly sender?: string },
  ): Promise<CoordinatorClient> {
    const accounts = await signer.getAccounts();
    const wanted = options.sender;
    const account = wanted === undefined ? accounts[0] : accounts.find(({ address }) => address === wanted);
    if (account === undefined) throw new Error(`the signer has no account ${wanted ?? "at all"}`);
    const { gasPrice, sender: _, ...rest } = options;
    const comet = await connectComet(rpc);
    const client = SigningCosmWasmClient.createWithSigner(comet, signer, { ...rest, gasPrice: GasPrice.fromString(gasPrice) });
    return new CoordinatorClient(client, account.address, contract);
  }

  protected async tell(message: ExecuteMsg, options: SendOptions = {}): Promise<Executed> {
    const encoded: MsgExecuteContractEncodeObject = {
      typeUrl: "/cosmwasm.wasm.v1.MsgExecuteContract",
      value: {
        sender: this.sender,
        contract: this.contract,
        msg: toUtf8(JSON.stringify(message)),
        funds: [...(options.funds ?? [])],
      },
    };
    const sent = await this.client.signAndBroadcast(this.sender, [encoded], options.fee ?? "auto", options.memo ?? "");
    if (sent.code !== 0) throw new RefusedError(sent.transactionHash, sent.code, sent.rawLog ?? "");
    return {
      transactionHash: sent.transactionHash,
      height: sent.height,
      gasUsed: sent.gasUsed,
      done: answered(sent),
      events: readEvents(sent.events, this.contract),
    };
  }
}

function answered(sent: DeliverTxResponse): Done | null {
  const first = sent.msgResponses[0];
  const data = first === undefined ? undefined : MsgExecuteContractResponse.decode(first.value).data;
  return data === undefined || data.length === 0 ? null : (JSON.parse(fromUtf8(data)) as Done);
}
