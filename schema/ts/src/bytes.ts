// Bytes of raw keys and of what is hashed: the same rules as in the contract's own language.
import { sha256 } from "@cosmjs/crypto";
import { fromHex, toHex, toUtf8 } from "@cosmjs/encoding";

/** A text's UTF-8. */
export const text = (value: string): Uint8Array => toUtf8(value);
/** One byte. */
export const u8 = (value: number): Uint8Array => integer(value, 1);
/** Four bytes, big-endian. */
export const u32 = (value: number): Uint8Array => integer(value, 4);
/** Eight bytes, big-endian. */
export const u64 = (value: number | bigint): Uint8Array => integer(value, 8);

function integer(value: number | bigint, size: 1 | 2 | 4 | 8): Uint8Array {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`expected a whole number below 2^53, found ${value}; use a bigint above`);
  }
  const whole = BigInt(value);
  if (whole < 0n || whole >= 1n << BigInt(8 * size)) {
    throw new RangeError(`expected a number of ${size} bytes, found ${value}`);
  }
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 1) bytes[at] = Number((whole >> BigInt(8 * (size - 1 - at))) & 255n);
  return bytes;
}

/** Bytes one after the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A raw key: without parts the name itself; else every part but the last behind its length in two bytes, the name
 * first, and the last one bare.
 */
export function rawKey(namespace: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const last = parts.at(-1);
  if (last === undefined) return text(namespace);
  const front = [text(namespace), ...parts.slice(0, -1)];
  return joined(...front.flatMap((part) => [integer(part.length, 2), part]), last);
}

/** Fields behind their lengths, so that two different values never have the same bytes. */
export class Canonical {
  private readonly parts: Uint8Array[] = [];

  /** Starts an encoding of one kind of thing. */
  constructor(domain: string) {
    this.text(domain);
  }

  /** Appends bytes behind their length. */
  bytes(value: Uint8Array): this {
    this.parts.push(u64(value.length), value);
    return this;
  }

  /** Appends a text. */
  text(value: string): this {
    return this.bytes(text(value));
  }

  /** Appends a number as eight bytes. */
  number(value: number | bigint): this {
    return this.bytes(u64(value));
  }

  /** Appends a digest, which is 64 hex digits. */
  digest(value: string): this {
    return this.bytes(digestBytes(value));
  }

  /** Appends a list: its length, then each item. */
  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.number(items.length);
    items.forEach(write);
    return this;
  }

  /** The bytes so far. */
  finish(): Uint8Array {
    return joined(...this.parts);
  }

  /** The SHA-256 of the bytes so far, in hex. */
  hash(): string {
    return toHex(sha256(this.finish()));
  }
}

/** The 32 bytes of a digest. */
export function digestBytes(digest: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new TypeError(`a digest is 64 lower-case hex digits, found ${JSON.stringify(digest)}`);
  return fromHex(digest);
}
