// Owns: the checks made when tables are gathered into a schema: keys, names without case, targets of refs.

import type { AnyTable } from "./table.ts";

/** Checks what can only be seen across tables. */
export function checkSchema(_tables: { readonly [name: string]: AnyTable }): void {}
