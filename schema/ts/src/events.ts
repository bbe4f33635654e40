// Entries of the log from the events of a transaction.
import { Canonical } from "./bytes.js";
import { type EventFields, FIELD_READS, type Read } from "./generated/events.js";
import type { Digest } from "./generated/types.js";

/** An event as CosmJS and the RPC give it. */
export interface ChainEvent {
  readonly type: string;
  readonly attributes: readonly { readonly key: string; readonly value: string }[];
}

/** What every entry of the log has. */
export interface Entry {
  /** Number, from 1. */
  seq: number;
  /** Hash of the entry before. */
  prev: Digest;
  /** Height of the entry before. */
  prevHeight: number;
  /** Height of this one. */
  height: number;
  /** Its block's time in seconds. */
  time: number;
  /** Whose message it was. */
  who: string;
  /** The fields as texts, in their order: what the hash covers. */
  texts: readonly (readonly [string, string])[];
}

/** An entry of a kind that this package knows. */
export type KnownEvent = { [kind in keyof EventFields]: Entry & { known: true; kind: kind; fields: EventFields[kind] } }[keyof EventFields];
/** An entry of a kind that a newer contract brought; its texts are in `texts`. */
export type NewerEvent = Entry & { known: false; kind: string };
/** An entry of the log. */
export type CoordinatorEvent = KnownEvent | NewerEvent;

/** The type of the coordinator's events. */
export const EVENT_TYPE = "wasm-concord";
const OWN = ["seq", "kind", "who", "height", "time", "prev", "prev_height"] as const;
const ADDED = new Set(["_contract_address", "msg_index"]);

/** An event that says it is an entry and is none. */
export class EventError extends Error {
  override readonly name = "EventError";
}

/** The entries that a contract wrote, in their order; everything else is passed over. */
export function readEvents(events: readonly ChainEvent[], contract: string): CoordinatorEvent[] {
  return events
    .filter((event) => event.type === EVENT_TYPE)
    .filter((event) => event.attributes.some(({ key, value }) => key === "_contract_address" && value === contract))
    .map(readEvent);
}

/** One entry. */
export function readEvent(event: ChainEvent): CoordinatorEvent {
  const own = new Map<string, string>();
  const texts: [string, string][] = [];
  for (const { key, value } of event.attributes) {
    // A field may be called `height` too: the entry's own comes first.
    if ((OWN as readonly string[]).includes(key) && !own.has(key)) own.set(key, value);
    else if (!ADDED.has(key)) texts.push([key, value]);
  }
  const of = (key: (typeof OWN)[number]): string => {
    const value = own.get(key);
    if (value === undefined) throw new EventError(`the event lacks attribute ${key}`);
    return value;
  };
  const kind = of("kind");
  const entry: Entry = {
    seq: whole("seq", of("seq")),
    prev: of("prev"),
    prevHeight: whole("prev_height", of("prev_height")),
    height: whole("height", of("height")),
    time: whole("time", of("time")),
    who: of("who"),
    texts,
  };
  if (!Object.hasOwn(FIELD_READS, kind)) return { ...entry, known: false, kind };
  const forms = FIELD_READS[kind as keyof EventFields];
  // wasmd sorts the attributes of what comes of a submessage; the hash covers the fields in their own order.
  const place = ([key]: readonly [string, string]) => {
    const at = forms.findIndex(([name]) => name === key);
    return at < 0 ? forms.length : at;
  };
  texts.sort((one, two) => place(one) - place(two));
  const fields: Record<string, unknown> = {};
  for (const [name, how] of forms) {
    const found = texts.find(([key]) => key === name);
    if (!found) throw new EventError(`the event ${kind} lacks attribute ${name}`);
    fields[name] = read(how, name, found[1]);
  }
  return { ...entry, known: true, kind, fields } as unknown as KnownEvent;
}

/**
 * The hash that the next entry names as `prev`, and the log's head as its own. Of a kind that is not known, the order
 * of its fields is not known either: where the chain changed it, the hash is another.
 */
export function entryHash(event: CoordinatorEvent): Digest {
  const out = new Canonical("concord/log/1")
    .digest(event.prev)
    .number(event.prevHeight)
    .number(event.seq)
    .number(event.height)
    .number(event.time)
    .text(event.who)
    .text(event.kind);
  return out.list(event.texts, ([key, value]) => out.text(key).text(value)).hash();
}

function whole(name: string, value: string): number {
  const number = Number(value);
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(number)) {
    throw new EventError(`attribute ${name} is ${JSON.stringify(value)}, expected a number below 2^53`);
  }
  return number;
}

function read(how: Read, name: string, value: string): unknown {
  const list = value === "-" ? [] : value.split(",");
  switch (how) {
    case "number": return whole(name, value);
    case "truth": {
      if (value !== "true" && value !== "false") throw new EventError(`attribute ${name} is ${JSON.stringify(value)}, expected true or false`);
      return value === "true";
    }
    case "digest": return digest(name, value);
    case "digest_or_none": return value === "-" ? null : digest(name, value);
    case "texts": return list;
    case "numbers": return list.map((item) => whole(name, item));
    case "json":
      try {
        return JSON.parse(value);
      } catch (cause) {
        throw new EventError(`attribute ${name} is no JSON`, { cause });
      }
    case "text": case "word": return value;
  }
}

function digest(name: string, value: string): string {
  if (!/^[0-9a-f]{64}$/.test(value)) throw new EventError(`attribute ${name} is ${JSON.stringify(value)}, expected 64 hex digits`);
  return value;
}
