export * from "./attestation.js";
export { Canonical, rawKey } from "./bytes.js";
export * from "./client.js";
export * from "./events.js";
export type { EventFields } from "./generated/events.js";
export { keys } from "./generated/keys.js";
export * from "./generated/types.js";
