// Writes src/generated from ../json. The same files make the same bytes; with --check nothing is written, and a
// difference is an error.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const json = fileURLToPath(new URL("../../json/", import.meta.url));
const folder = fileURLToPath(new URL("../src/generated/", import.meta.url));
const read = (name) => JSON.parse(readFileSync(join(json, name), "utf8"));
const index = read("index.json");
const header = "// Written by scripts/generate.mjs from schema/json; not to be changed by hand.\n";

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const pascal = (name) => camel(`_${name}`);
const note = (text, indent) => (text ? `${indent}/** ${text.replace(/\s+/g, " ").replaceAll("*/", "* /")} */\n` : "");
const quoted = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

// --- Types -----------------------------------------------------------------------------------------------------------

const definitions = new Map();
const shape = ({ $id, $schema, version, facts_version, examples, definitions, title, answers, ...rest }) => rest;

function define(name, schema) {
  const text = JSON.stringify(shape(schema));
  const known = definitions.get(name);
  if (known && known.text !== text) throw new Error(`two different types are called ${name}; rename one of them in Rust`);
  definitions.set(name, { text, schema: shape(schema) });
}

const isName = (title) => /^[A-Z][A-Za-z0-9]*$/.test(title ?? "");

function typeOf(schema, indent = "") {
  if (schema === true || Object.keys(schema).length === 0) return "unknown";
  if (schema.$ref) return schema.$ref.replace("#/definitions/", "");
  if (schema.allOf?.length === 1) return typeOf(schema.allOf[0], indent);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) {
    const union = branches.map((branch) => note(branch.description, `${indent}  `) + `${indent}  | ${typeOf(branch, `${indent}  `)}`);
    return branches.some((branch) => branch.description) ? `\n${union.join("\n")}` : branches.map((branch) => typeOf(branch, indent)).join(" | ");
  }
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(" | ");
  switch (schema.type) {
    case "object": return objectOf(schema, indent);
    case "array": {
      if (Array.isArray(schema.items)) return `[${schema.items.map((item) => typeOf(item, indent)).join(", ")}]`;
      const item = typeOf(schema.items, indent);
      return item.includes("|") ? `(${item})[]` : `${item}[]`;
    }
    case "integer": case "number": return "number";
    case "string": case "boolean": case "null": return schema.type;
    default: throw new Error(`no type of TypeScript is known for ${JSON.stringify(schema)}`);
  }
}

function objectOf(schema, indent) {
  const names = Object.keys(schema.properties ?? {});
  if (names.length === 0) return "Record<string, never>";
  const required = new Set(schema.required ?? []);
  const fields = names.map((name) => {
    const field = schema.properties[name];
    const mark = required.has(name) ? "" : "?";
    return `${note(field.description, `${indent}  `)}${indent}  ${quoted(name)}${mark}: ${typeOf(field, `${indent}  `)};`;
  });
  return `{\n${fields.join("\n")}\n${indent}}`;
}

function types() {
  for (const file of index.files) {
    if (["events.json", "keys.json", "signing.json"].includes(file)) continue;
    const root = read(file);
    for (const [name, schema] of Object.entries(root.definitions ?? {})) define(name, schema);
    if (isName(root.title)) define(root.title, root);
  }
  const names = [...definitions.keys()].sort();
  const texts = names.map((name) => {
    const { schema } = definitions.get(name);
    const plain = schema.type === "object" && schema.properties && !schema.oneOf && !schema.anyOf;
    const body = plain ? `interface ${name} ${objectOf(schema, "")}` : `type ${name} = ${typeOf(schema)};`;
    return `${note(schema.description, "")}export ${body}\n`;
  });
  return `${header}
/** Version of the interface that these types describe. */
export const VERSION = ${JSON.stringify(index.version)};
/** Version of the stored facts that these types describe: their \`v\`. */
export const FACTS_VERSION = ${index.facts_version};

${texts.join("\n")}`;
}

/** The type of a file's value: by its name where it has one. */
const rootType = (file) => { const root = read(file); return isName(root.title) ? root.title : typeOf(shape(root)); };
const imports = (text, extra = []) => {
  const code = text.replace(/\/\*\*.*?\*\//g, "").replace(/"[^"\n]*"/g, "");
  const used = [...definitions.keys()].filter((name) => new RegExp(`\\b${name}\\b`).test(code)).concat(extra).sort();
  return `import type {\n${used.map((name) => `  ${name},`).join("\n")}\n} from "./types.js";\n`;
};

// --- Messages and queries ------------------------------------------------------------------------------------------------

function variants(file) {
  return (read(file).oneOf ?? []).map((branch) => {
    const [name] = branch.required;
    return { name, description: branch.description, fields: branch.properties[name] };
  });
}

function clients() {
  const answers = read("query.json").answers;
  const queries = variants("query.json");
  const arguments_ = (fields) => (fields.properties ? `args: ${typeOf(fields, "  ")}` : "");
  const value = (fields) => (fields.properties ? "args" : "{}");
  const optional = (fields) => (fields.properties && !fields.required?.length ? arguments_(fields) + " = {}" : arguments_(fields));
  const asked = queries.map(({ name, description, fields }) =>
    `${note(description, "  ")}  ${camel(name)}(${optional(fields)}): Promise<${rootType(answers[name])}> {
    return this.ask({ ${name}: ${value(fields)} });
  }\n`).join("\n");
  const told = variants("execute.json").map(({ name, description, fields }) =>
    `${note(description, "  ")}  ${camel(name)}(${[arguments_(fields), "options?: Options"].filter(Boolean).join(", ")}): Promise<Executed> {
    return this.tell({ ${name}: ${value(fields)} }, options);
  }\n`).join("\n");
  const body = `/** Every query, typed. */
export abstract class Queries {
  /** Asks the contract. */
  protected abstract ask<T>(query: QueryMsg): Promise<T>;

${asked}}

/** Every message, typed. */
export abstract class Messages<Options, Executed> {
  /** Sends a message to the contract. */
  protected abstract tell(message: ExecuteMsg, options?: Options): Promise<Executed>;

${told}}
`;
  return `${header}\n${imports(body)}\n${body}`;
}

// --- Events ----------------------------------------------------------------------------------------------------------------

const READ_TYPES = { number: "number", text: "string", truth: "boolean", digest: "Digest", digest_or_none: "Digest | null", texts: "string[]", numbers: "number[]" };

function events() {
  const schema = read("events.json");
  const kinds = schema.oneOf.map((branch) => {
    const fields = branch.properties.fields.properties;
    const lines = schema.field_order[branch.title].map((name) => {
      const type = fields[name].of ?? READ_TYPES[fields[name].read];
      if (!type) throw new Error(`event ${branch.title} has a field ${name} that is read as ${fields[name].read}`);
      return `${note(fields[name].description, "    ")}    ${name}: ${type};`;
    });
    return `${note(branch.description, "  ")}  ${branch.title}: {\n${lines.join("\n")}\n  };`;
  });
  const reads = schema.oneOf.map((branch) => {
    const fields = branch.properties.fields.properties;
    return `  ${branch.title}: [${schema.field_order[branch.title].map((name) => `["${name}", "${fields[name].read}"]`).join(", ")}],`;
  });
  const body = `/** The fields of every kind of event, read. */
export interface EventFields {
${kinds.join("\n")}
}

/** How a field is read from its text. */
export type Read = "number" | "text" | "truth" | "digest" | "digest_or_none" | "texts" | "numbers" | "json" | "word";

/** Names and reading of the fields of every kind, in their order. */
export const FIELD_READS: { readonly [kind in keyof EventFields]: readonly (readonly [string, Read])[] } = {
${reads.join("\n")}
};
`;
  return `${header}\n${imports(body)}\n${body}`;
}

// --- Raw keys --------------------------------------------------------------------------------------------------------------

const PART_TYPES = { text: "string", u8: "number", u32: "number", u64: "number | bigint" };

function keys() {
  const rows = read("keys.json").keys;
  const makers = rows.map(({ name, namespace, what, parts }) => {
    const given = parts.filter((part) => part.bytes !== "letter");
    const list = given.map((part) => `${camel(part.name)}: ${PART_TYPES[part.bytes]}`).join(", ");
    const made = parts.map((part) => (part.bytes === "letter" ? `text("${part.name}")` : `${part.bytes}(${camel(part.name)})`));
    return `${note(what, "  ")}  ${camel(name)}: (${list}): Uint8Array => rawKey(${[`"${namespace}"`, ...made].join(", ")}),`;
  });
  const readers = rows.map(({ name, what, parts, value }) => {
    const given = parts.filter((part) => part.bytes !== "letter");
    const list = given.map((part) => `${camel(part.name)}: ${PART_TYPES[part.bytes]}`).join(", ");
    return `${note(what, "  ")}  ${camel(name)}(${list}): Promise<${rootType(value)} | null> {
    return this.read(keys.${camel(name)}(${given.map((part) => camel(part.name)).join(", ")}));
  }\n`;
  });
  const body = `/** The raw key of everything that is stored and is an interface. */
export const keys = {
${makers.join("\n")}
} as const;

/** Everything that is stored and is an interface, by its raw key; null where nothing is. */
export abstract class Facts {
  /** Reads the value under a raw key. */
  protected abstract read<T>(key: Uint8Array): Promise<T | null>;

${readers.join("\n")}}
`;
  return `${header}\nimport { rawKey, text, u32, u64, u8 } from "../bytes.js";\n${imports(body)}\n${body}`;
}

// --- Files -----------------------------------------------------------------------------------------------------------------

const files = { "types.ts": types(), "clients.ts": clients(), "events.ts": events(), "keys.ts": keys() };
const stale = [];
for (const name of existsSync(folder) ? readdirSync(folder) : []) {
  if (!(name in files)) stale.push(name);
}
for (const [name, text] of Object.entries(files)) {
  const path = join(folder, name);
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) stale.push(name);
}
if (process.argv.includes("--check")) {
  if (stale.length > 0) {
    console.error(`schema/ts/src/generated is not what schema/json says: ${stale.join(", ")}; run scripts/schemas.sh`);
    process.exit(1);
  }
} else {
  mkdirSync(folder, { recursive: true });
  for (const name of stale.filter((name) => !(name in files))) rmSync(join(folder, name));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}
