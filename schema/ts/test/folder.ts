import { fileURLToPath } from "node:url";

/** The folder of the schemas, seen from the compiled tests. */
export const jsonFolder = fileURLToPath(new URL("../../../json", import.meta.url));
